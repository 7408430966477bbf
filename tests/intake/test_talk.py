"""The talk with the real child: what it gives, what it may not do, and what its death means."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from campaignkit.errors import DefinitionError
from campaignkit.intake.talk import Front
from campaignkit.model.mailings import Mailing
from campaignkit.protocol.frames import Channel
from campaignkit.protocol.messages import LARGEST_IMAGE, Chunk, Done, Kind, MailingEnd
from tests.canary import TOKEN, assert_hidden
from tests.compiler.pictures import jpeg, png

from .projects import PEOPLE, PROJECT, bulk, personal, project, talk

ROOT = Path(__file__).resolve().parents[2]
ENDLESS = "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}x"


def test_a_small_project_comes_back_as_mailings_chunks_and_ends(tmp_path: Path) -> None:
    found = talk(project(tmp_path))
    assert found.problems == []
    assert [type(word).__name__ for word in found.words] == ["Mailing", "Chunk", "MailingEnd", "Done"]
    (mailing,) = found.mailings
    assert (str(mailing.key), mailing.path, mailing.line, mailing.alphaname_id) == ("spring/one", "campaigns/a.yaml", 4, "444")
    chunk = found.words[1]
    assert isinstance(chunk, Chunk)
    assert list(chunk.phones) == [375291111111, 375292222222]
    first = json.loads(chunk.elements[: chunk.lengths[0]])
    assert first == {"phone": "375291111111", "text": "Hi Анна"}
    (end,) = found.ends
    assert (end.rows, end.live, end.sample, end.outline) == (2, 2, "Hi Анна", "Hi ‹name›")
    assert end.audience == hashlib.sha256(PEOPLE.encode()).hexdigest()


def test_check_gives_no_chunk(tmp_path: Path) -> None:
    found = talk(project(tmp_path), check=True)
    assert (found.done, found.bytes, found.ends[0].live) == (True, [], 2)


def test_inline_rows_and_phones_are_used_as_written(tmp_path: Path) -> None:
    text = personal().replace(
        "{file: audiences/people.csv}", "{rows: [{phone: 375291111111, name: 1.10}, {phone: '80292222222', name: 007}]}"
    )
    found = talk(project(tmp_path, {"a.yaml": text}))
    elements = next(word.elements for word in found.words if isinstance(word, Chunk))
    assert elements == b'{"phone":"375291111111","text":"Hi 1.10"}{"phone":"375292222222","text":"Hi 007"}'


def test_thirty_campaign_files_are_one_talk(tmp_path: Path) -> None:
    found = talk(project(tmp_path, {f"{n:02d}.yaml": (personal if n % 2 else bulk)(name=f"c{n}") for n in range(30)}))
    assert found.problems == []
    assert [mailing.key.campaign for mailing in found.mailings] == [f"c{n}" for n in range(30)]
    assert sum(end.live for end in found.ends) == 60


def test_two_files_of_one_campaign_id_are_an_error(tmp_path: Path) -> None:
    found = talk(project(tmp_path, {"a.yaml": bulk(), "b.yaml": bulk()}))
    assert found.codes == ["CK122"]


def test_suppressed_phones_are_counted_and_a_bad_one_is_an_error(tmp_path: Path) -> None:
    root = project(tmp_path, settings=PROJECT + "suppress: [stop.csv]\n")
    (root / "stop.csv").write_text("Phone;why\n+375 29 111 11 11;asked\n")
    found = talk(root)
    assert (found.problems, found.ends[0].suppressed, found.ends[0].live) == ([], 1, 1)
    (root / "stop.csv").write_text("phone\nAnna\n")
    assert talk(root).codes == ["CK316"]
    (root / "stop.csv").unlink()
    assert talk(root).codes == ["CK300"]


def test_reviewed_bytes_are_held_to_their_hash(tmp_path: Path) -> None:
    text = personal().replace("people.csv", "people.csv, sha256: " + hashlib.sha256(PEOPLE.encode()).hexdigest().upper())
    root = project(tmp_path, {"a.yaml": text})
    assert talk(root).problems == []
    (root / "campaigns/audiences/people.csv").write_text(PEOPLE + "375293333333,Ян\n")
    assert talk(root).codes == ["CK306"]


def test_all_problems_of_all_files_are_found_at_once(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            "a.yaml": personal("a").replace("name }}", "nmae }}"),
            "b.yaml": bulk(name="b").replace("sender", "sendr"),
            "c.yaml": "campaign: [",
            "d.yaml": personal("d").replace("people", "nobody"),
            "e.yaml": bulk("'{{ x }}'", "e"),
        },
    )
    found = talk(root)
    assert {(p.place.path, p.code) for p in found.problems} >= {
        ("campaigns/a.yaml", "CK202"),
        ("campaigns/b.yaml", "CK102"),
        ("campaigns/c.yaml", "CK003"),
        ("campaigns/d.yaml", "CK300"),
        ("campaigns/e.yaml", "CK202"),
    }


def test_a_broken_audience_is_named_by_its_row_and_hides_no_other_mailing(tmp_path: Path) -> None:
    found = talk(project(tmp_path, {"a.yaml": personal("a"), "b.yaml": bulk(name="b")}, people='phone,name\n375291111111,"x\ny,z\n'))
    assert [(p.code, p.place.path, p.place.line, p.place.row) for p in found.problems] == [
        ("CK304", "campaigns/audiences/people.csv", 2, 1)
    ]
    assert found.done
    assert [str(mailing.key) for mailing in found.mailings][-1] == "b/one"


def test_no_project_file_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with Front(tmp_path) as front, pytest.raises(DefinitionError) as caught:
        front.project()
    assert caught.value.next_command == "campaignkit init"
    assert caught.value.diagnostics[0].code == "CK300"


def test_an_invalid_project_file_is_an_error_with_its_places(tmp_path: Path) -> None:
    root = project(tmp_path, settings="version: 1\nenvironmnts: {}\n")
    with Front(root) as front, pytest.raises(DefinitionError) as caught:
        front.project()
    assert {(d.code, d.place.line) for d in caught.value.diagnostics} == {("CK102", 2), ("CK103", 1)}


def audience_of(path: str) -> str:
    return personal().replace("audiences/people.csv", path)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../../outside.csv", "CK301"),
        ("audiences/../../../outside.csv", "CK301"),
        ("/etc/passwd", "CK301"),
        ("'a\\0b.csv'", "CK300"),
        ("link.csv", "CK301"),
        ("linked/people.csv", "CK301"),
        ("audiences", "CK300"),
        ("pipe.csv", "CK300"),
        ("missing.csv", "CK300"),
        ("audiences/people.csv/x.csv", "CK301"),
        ("audiences/../audiences/./people.csv", ""),
        ("../campaigns/audiences/people.csv", ""),
    ],
)
def test_an_audience_is_a_regular_file_inside_the_project_and_no_link(tmp_path: Path, path: str, code: str) -> None:
    (tmp_path / "outside.csv").write_text(PEOPLE)
    root = project(tmp_path / "project", {"a.yaml": audience_of(path)})
    (root / "campaigns/link.csv").symlink_to(root / "campaigns/audiences/people.csv")
    (root / "campaigns/linked").symlink_to(root / "campaigns/audiences")
    os.mkfifo(root / "campaigns/pipe.csv")
    assert talk(root).codes == ([code] if code else [])


def test_a_linked_campaign_file_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    (tmp_path / "outside.yaml").write_text(bulk(name="other"))
    (root / "campaigns/z.yaml").symlink_to(tmp_path / "outside.yaml")
    found = talk(root)
    assert found.codes == ["CK301"]
    assert [str(mailing.key) for mailing in found.mailings] == ["spring/one"]


def test_audiences_that_are_not_in_the_project_come_from_the_further_folder(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    (root / "campaigns/audiences/people.csv").unlink()
    elsewhere = tmp_path / "data"
    (elsewhere / "audiences").mkdir(parents=True)
    assert talk(root).codes == ["CK300"]
    assert talk(root, audiences=elsewhere).codes == ["CK300"]
    (elsewhere / "audiences/people.csv").write_text(PEOPLE)
    found = talk(root, audiences=elsewhere)
    assert (found.problems, found.ends[0].live) == ([], 2)
    (elsewhere / "audiences/people.csv").rename(elsewhere / "people.csv")
    (elsewhere / "audiences/people.csv").symlink_to(elsewhere / "people.csv")
    assert talk(root, audiences=elsewhere).codes == ["CK301"]


def test_a_path_that_leads_up_is_never_looked_for_in_the_further_folder(tmp_path: Path) -> None:
    root = project(tmp_path / "project", {"a.yaml": audience_of("../data/people.csv")})
    (found,) = talk(root, audiences=tmp_path).problems
    assert (found.code, found.message) == ("CK300", "there is no file data/people.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_child_knows_nothing_of_the_operators_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN", TOKEN)
    with Front(project(tmp_path)) as front:
        front.project()
        place = Path("/proc") / str(front._child.process.pid)
        assert_hidden((place / "environ").read_bytes(), (place / "cmdline").read_bytes())
        assert (place / "environ").read_bytes().strip(b"\0") == b""
        assert (place / "cwd").readlink() == Path("/")


def test_rows_read_go_on_from_one_mailing_to_the_next_and_end_with_0(tmp_path: Path) -> None:
    people = "phone,name\n" + "".join(f"37529{n:07d},x\n" for n in range(1_000_000, 1_030_000))
    told: list[int] = []
    with Front(project(tmp_path, {"a.yaml": personal("a"), "b.yaml": personal("b")}, people=people), told=told.append) as front:
        front.project()
        paths = [head.path for head in front.index().campaigns]
        assert [word.rows for word in front.run(paths, environment="sandbox", check=True) if isinstance(word, MailingEnd)] == [30_000] * 2
    assert told == [20_000, 50_000, 0]


def test_a_child_killed_midway_is_one_diagnostic_and_never_done(tmp_path: Path) -> None:
    people = "phone,name\n" + "".join(f"37529{n:07d},x\n" for n in range(1_000_000, 1_030_000))
    with Front(project(tmp_path, people=people)) as front:
        front.project()
        paths = [head.path for head in front.index().campaigns]
        words = []
        for word in front.run(paths, environment="sandbox", elements=True):
            words.append(word)
            if isinstance(word, Mailing):
                front._child.process.send_signal(signal.SIGKILL)
        assert [problem.code for problem in front.diagnostics] == ["CK000"]
        assert front.failed
        assert "Done" not in {type(word).__name__ for word in words}


def test_a_child_killed_before_it_is_asked_is_an_error(tmp_path: Path) -> None:
    with Front(project(tmp_path)) as front:
        front._child.process.kill()
        front._child.process.wait()
        with pytest.raises(DefinitionError) as caught:
            front.project()
    assert [problem.code for problem in caught.value.diagnostics] == ["CK000"]


def test_the_child_never_outlives_the_block(tmp_path: Path) -> None:
    with Front(project(tmp_path)) as front:
        process = front._child.process
    assert process.returncode is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (bulk(f'"{ENDLESS}"'), "CK206"),
        (personal().replace("Hi {{ name }}", ENDLESS + "{{ name }}"), "CK208"),
    ],
    ids=["bulk", "personal"],
)
def test_templates_that_loop_for_ever_end_as_a_diagnostic_behind_closed_doors(tmp_path: Path, text: str, code: str) -> None:
    begun = time.monotonic()
    doors: list[str] = []
    with Front(project(tmp_path, {"a.yaml": text})) as front:
        front.project()
        paths = [head.path for head in front.index().campaigns]
        limits = Path("/proc") / str(front._child.process.pid) / "limits"
        look = threading.Timer(1.5, lambda: doors.extend(limits.read_text().splitlines() if limits.exists() else []))
        look.start()
        list(front.run(paths, environment="sandbox", elements=True))
        look.join()
        found = front.diagnostics
    assert time.monotonic() - begun < 15
    assert found[-1].code == code
    assert "too long" in found[-1].message
    if sys.platform == "linux":
        assert [line.split()[3:5] for line in doors if line.startswith("Max open files")] == [["0", "0"]]


def test_a_slow_operator_is_waited_for(tmp_path: Path) -> None:
    people = "phone,name\n" + "".join(f"37529{n:07d},{'x' * 900}\n" for n in range(1_000_000, 1_006_000))
    with Front(project(tmp_path, people=people)) as front:
        front.project()
        paths = [head.path for head in front.index().campaigns]
        live = 0
        for word in front.run(paths, environment="sandbox", elements=True):
            if isinstance(word, Mailing):
                time.sleep(4.6)  # longer than a row may take, while the child stands before a full pipe
            live += len(word.phones) if isinstance(word, Chunk) else 0
        assert front.diagnostics == []
        assert live == 6_000


@pytest.mark.parametrize(
    ("settings", "people", "campaign"),
    [
        (PROJECT + "# " + "x" * 6_000_000, PEOPLE, personal()),
        (PROJECT, "phone,name\n" + "x" * 3_000_000, personal()),
        (PROJECT, "phone,name\n375291111111,\x00\n", personal()),
        (PROJECT, PEOPLE, "a: " + "[" * 100_000),
        (PROJECT, PEOPLE, personal() + "x: &a [" + "*b, " * 1000 + "]"),
        (PROJECT, PEOPLE, bulk("'{{ " + "(" * 2000 + "'")),
        (PROJECT, PEOPLE, bulk("'{{ a" + ".b" * 3000 + " }}'")),
        (PROJECT, PEOPLE, bulk("'" + "{{ 9 * 9 }}" * 5000 + "'")),
        (PROJECT, PEOPLE, personal().replace("{{ name }}", "{{ name" + " ~ name" * 2000 + " }}")),
        (PROJECT, PEOPLE, personal().replace("people.csv}", "people.csv, encoding: undefined}")),
    ],
    ids=["huge-settings", "huge-cell", "nul", "brackets", "aliases", "parens", "attributes", "long", "joins", "codec"],
)
def test_a_hostile_file_is_a_diagnostic_with_its_own_code(tmp_path: Path, settings: str, people: str, campaign: str) -> None:
    root = project(tmp_path, {"a.yaml": campaign}, people=people, settings=settings)
    try:
        codes = talk(root).codes
    except DefinitionError as error:
        codes = [found.code for found in error.diagnostics]
    assert "CK000" not in codes
    assert codes or len(campaign) > 10_000


COMPILE = """
import sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from campaignkit.intake.talk import Front
with Front(Path({project!r})) as front:
    front.project()
    paths = [head.path for head in front.index().campaigns]
    for word in front.run(paths, environment="sandbox", elements=True):
        print(word.pack().hex() if hasattr(word, "pack") else word)
    print(front.diagnostics)
"""


def test_the_same_files_give_the_same_bytes_anywhere(tmp_path: Path) -> None:
    content = "{{ name | upper }} {{ [name, 'a', 'b'] | unique | sort | join }} {{ '2026-11-23' | date }} {{ 5 | money('BYN') }}"
    head = "sender: shop\nschedule_time: 2094-12-01T10:00\nvariables: {b: 2, a: 1}"
    campaign = personal().replace("Hi {{ name }}", content).replace("sender: shop", head)
    root = project(tmp_path, {"b.yaml": campaign, "a.yaml": bulk(name="other"), "c.yaml": "campaign: x"})
    script = COMPILE.format(root=str(ROOT), project=str(root))
    worlds: list[dict[str, str]] = [
        {"PYTHONHASHSEED": "1", "TZ": "UTC", "LANG": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "Pacific/Auckland", "LANG": "ru_RU.UTF-8", "LC_ALL": "C.UTF-8"},
    ]
    outputs = {
        subprocess.run([sys.executable, "-c", script], env=world, cwd=cwd, capture_output=True, check=True, timeout=30).stdout
        for world, cwd in zip(worlds, (tmp_path, root), strict=True)
    }
    assert len(outputs) == 1
    assert b"CK103" in next(iter(outputs))


def test_a_file_whose_name_is_no_text_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    try:
        Path(os.fsdecode(os.fsencode(root) + b"/campaigns/\xff.yaml")).write_text("x: 1")
    except OSError:
        pytest.skip("this file system takes names of UTF-8 only")
    with Front(root) as front:
        front.project()
        assert [head.path for head in front.index().campaigns] == ["campaigns/a.yaml"]
    assert [(one.code, one.place.path) for one in front.diagnostics] == [("CK300", r"campaigns/\udcff.yaml")]


SETTINGS = PROJECT.replace("{alphaname_id: 444}", "{alphaname_id: 444, vibername_id: 12}")


def quick(content: str = "{type: image, image: images/a.png}", more: str = "") -> str:
    text = personal().replace("message_type: personal", "method: quick")
    return text.replace('{type: text, text: "Hi {{ name }}"}', content) + more


def listed(content: str = "{type: text, text: Hi}", name: str = "news") -> str:
    return f"campaign: {name}\nsender: shop\nmailings:\n  - name: one\n    method: list\n    list_id: 77\n    content: {content}\n"


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


def test_a_list_mailing_is_one_delivery_and_all_it_says_comes_back(tmp_path: Path) -> None:
    more = "    expect_subscribers: {min: 1, max: 5}\n    optouts: handled-by-provider\n    schedule_time: 2094-12-01T10:00\n"
    found = talk(project(tmp_path, {"a.yaml": listed() + more}, settings=SETTINGS))
    assert (found.problems, [type(word).__name__ for word in found.words]) == ([], ["Mailing", "Chunk", "MailingEnd", "Done"])
    (one,) = found.mailings
    assert (one.list_id, one.expect_min, one.expect_max, one.optouts_handled) == ("77", 1, 5, True)
    assert one.schedule_wire == "2094-12-01 10:00"
    chunk = found.words[1]
    assert isinstance(chunk, Chunk)
    assert (list(chunk.phones), chunk.elements) == ([0], b'"list"')
    assert (found.ends[0].rows, found.ends[0].live, found.ends[0].sample) == (1, 1, "Hi")
    checked = talk(tmp_path, check=True)
    assert (checked.problems, checked.bytes, checked.ends) == ([], [], found.ends)


def test_a_quick_mailing_has_an_sms_that_stands_in(tmp_path: Path) -> None:
    text = quick('{type: text, text: "Hi {{ name }}"}', "    sms_fallback: {sender: shop, after_minutes: 30}\n")
    found = talk(project(tmp_path, {"a.yaml": text}, settings=SETTINGS))
    assert (found.problems, found.mailings[0].sms_alphaname_id, found.mailings[0].sms_after) == ([], "444", 30)
    assert (found.ends[0].live, found.ends[0].sample) == (2, "Hi Анна")


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


# A child that lies: what the real one said is changed on its way.
LIES = [
    ("a.yaml", b'"method":"quick"', b'"method":"carrier-pigeon"', "unknown method"),
    ("a.yaml", b'"method":"quick"', b'"method":"list"', "does not fit the method"),
    ("b.yaml", b'"method":"list"', b'"method":"bulk"', "does not fit the method"),
    ("b.yaml", b'"method":"list"', b'"method":"quick"', "does not fit the method"),
]


@pytest.mark.parametrize(("file", "old", "new", "words"), LIES)
def test_a_child_that_mixes_up_methods_breaks_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: bytes, new: bytes, words: str
) -> None:
    campaigns = {"a.yaml": quick('{type: text, text: "Hi {{ name }}"}'), "b.yaml": listed()}
    root = project(tmp_path, {file: campaigns[file]}, settings=SETTINGS)
    receive = Channel.receive

    def changed(self: Channel) -> tuple[int, bytes]:
        kind, data = receive(self)
        return kind, data.replace(old, new) if kind == Kind.MAILING else data

    monkeypatch.setattr(Channel, "receive", changed)
    found = talk(root)
    assert (found.codes, found.done) == (["CK000"], False)
    assert words in found.problems[0].message


def test_a_child_that_goes_on_from_nowhere_breaks_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = Channel.receive

    def changed(self: Channel) -> tuple[int, bytes]:
        kind, data = receive(self)
        return (Kind.RESUMED if kind == Kind.CHUNK else kind), data

    monkeypatch.setattr(Channel, "receive", changed)
    found = talk(project(tmp_path))
    assert (found.codes, found.done) == (["CK000"], False)
    assert "from where no run stood" in found.problems[0].message


def test_how_many_phones_are_suppressed_is_told(tmp_path: Path) -> None:
    root = project(tmp_path, settings=PROJECT + "suppress: [stop.csv, more.csv]\n")
    (root / "stop.csv").write_text("phone\n375291111111\n375291111111\n375293333333\n")
    (root / "more.csv").write_text("phone\n375291111111\n375294444444\n")
    (done,) = [word for word in talk(root).words if isinstance(word, Done)]
    assert done.suppressed_phones == 3
    (done,) = [word for word in talk(project(tmp_path / "other")).words if isinstance(word, Done)]
    assert done.suppressed_phones == 0
