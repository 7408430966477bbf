"""Pictures in the talk with the real child: whose bytes they are, where they may lie, and that they stay as they were checked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from campaignkit.intake.talk import Front
from campaignkit.protocol.messages import LARGEST_IMAGE
from tests.compiler.pictures import jpeg, png

from .projects import SETTINGS, bulk, listed, project, quick, talk


def pictured(root: Path, campaigns: dict[str, str], picture: bytes) -> Path:
    """A project with a picture beside its campaigns."""
    project(root, campaigns, settings=SETTINGS)
    (root / "campaigns/images").mkdir()
    (root / "campaigns/images/a.png").write_bytes(picture)
    return root


@pytest.mark.parametrize("picture", [png(), jpeg(), png(800, 800)], ids=["png", "jpeg", "large"])
def test_the_bytes_of_a_picture_come_from_the_operator_and_its_hash_from_the_child(tmp_path: Path, picture: bytes) -> None:
    campaigns = {"a.yaml": quick(), "b.yaml": listed("{type: button, caption: C, button_link: https://a.by, image: images/a.png}")}
    found = talk(pictured(tmp_path, campaigns, picture))
    assert found.problems == []
    one, two = found.mailings
    assert [(mailing.image, mailing.image_name) for mailing in (one, two)] == [(picture, "a.png")] * 2
    assert (one.method, one.message_type, one.vibername_id, one.alphaname_id) == ("quick", "personal", "12", "")
    assert (two.method, two.message_type, two.vibername_id, two.list_id) == ("list", "", "12", "77")
    assert (one.content, two.content) == ({"type": "image"}, {"type": "button", "caption": "C", "button_link": "https://a.by"})
    assert "image=" not in repr(one)
    assert found.ends[0].outline == "campaigns/images/a.png"


def test_another_picture_is_another_definition_and_another_message(tmp_path: Path) -> None:
    root = pictured(tmp_path, {"a.yaml": quick()}, png())
    one = talk(root)
    (root / "campaigns/images/a.png").write_bytes(png(3, 3))
    two = talk(root)
    assert one.mailings[0].definition != two.mailings[0].definition
    assert one.bytes != two.bytes


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("../../outside.png", "CK301", "outside the project"),
        ("/etc/passwd", "CK301", "outside the project"),
        ("images/link.png", "CK301", "symbolic link"),
        ("linked/a.png", "CK301", "symbolic link"),
        ("images", "CK300", "not a regular file"),
        ("images/pipe.png", "CK300", "not a regular file"),
        ("images/missing.png", "CK300", "there is no file campaigns/images/missing.png"),
        ("images/empty.png", "CK407", "campaigns/images/empty.png: the file is empty"),
        ("images/a.gif", "CK407", "neither PNG nor JPEG"),
        ("images/cut.png", "CK407", "broken off"),
        ("images/large.png", "CK407", "more than 2 MiB"),
        ("../campaigns/images/a.png", "", ""),
    ],
)
@pytest.mark.parametrize("make", [quick, listed])
def test_a_picture_is_a_regular_file_inside_the_project(
    tmp_path: Path, make: Callable[[str], str], path: str, code: str, words: str
) -> None:
    (tmp_path / "outside.png").write_bytes(png())
    root = pictured(tmp_path / "project", {"a.yaml": make(f"{{type: image, image: {path}}}"), "b.yaml": bulk(name="other")}, png())
    images = root / "campaigns/images"
    for name, data in (("empty.png", b""), ("a.gif", b"GIF89a" + bytes(20)), ("cut.png", png()[:-1]), ("large.png", bytes(3_000_000))):
        (images / name).write_bytes(data if name != "large.png" else png() + data)
    (images / "link.png").symlink_to("a.png")
    (root / "campaigns/linked").symlink_to(images)
    os.mkfifo(images / "pipe.png")
    found = talk(root)
    assert found.codes == ([code] if code else [])
    assert all((one.place.path, one.place.line) == ("campaigns/a.yaml", 7) for one in found.problems)
    assert words in "".join(one.message for one in found.problems)
    assert [str(mailing.key) for mailing in found.mailings][-1] == "other/one"
    assert len(found.mailings) == (1 if code else 2)


def test_a_picture_is_never_looked_for_where_audiences_may_be(tmp_path: Path) -> None:
    root = project(tmp_path / "project", {"a.yaml": quick()}, settings=SETTINGS)
    elsewhere = tmp_path / "data"
    (elsewhere / "images").mkdir(parents=True)
    (elsewhere / "images/a.png").write_bytes(png())
    assert talk(root, audiences=elsewhere).codes == ["CK300"]


def test_more_pixels_than_the_provider_likes_are_a_warning(tmp_path: Path) -> None:
    found = talk(pictured(tmp_path, {"a.yaml": quick()}, png(801, 2)))
    assert [(one.code, str(one.severity)) for one in found.problems] == [("CK408", "warning")]
    assert "801 x 2 pixels" in found.problems[0].message
    assert len(found.mailings) == 1


def test_a_picture_that_changes_between_the_two_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child checked is not what the operator keeps: that is said, and there is no `Done`."""
    root = pictured(tmp_path, {"a.yaml": quick(), "b.yaml": bulk(name="other")}, png())
    read = os.pread

    def before_it_changes(file: int, most: int, at: int) -> bytes:
        data = read(file, most, at)
        if most == LARGEST_IMAGE + 1:  # the picture, and none of the files that are hashed
            (root / "campaigns/images/a.png").write_bytes(png(3, 3))
        return data

    monkeypatch.setattr("campaignkit.intake.talk.os.pread", before_it_changes)
    found = talk(root)
    (problem,) = found.problems
    assert (problem.code, problem.place.path, problem.place.line) == ("CK306", "campaigns/a.yaml", 4)
    assert "campaigns/images/a.png changed while it was read" in problem.message
    assert (found.done, found.mailings) == (False, [])


def test_a_picture_is_read_no_further_than_it_may_be_long(tmp_path: Path) -> None:
    root = pictured(tmp_path, {"a.yaml": quick()}, png())
    with (root / "campaigns/images/a.png").open("r+b") as stream:
        stream.truncate(1 << 40)
    with Front(root) as front:
        front.project()
        list(front.run([head.path for head in front.index().campaigns], environment="sandbox", elements=True))
        assert [len(data) for data in front._images.values()] == [LARGEST_IMAGE + 1]
        assert [problem.code for problem in front.diagnostics] == ["CK407"]
    (root / "campaigns/images/a.png").unlink()  # what tests leave behind is looked through, byte by byte
