"""The talk with the real child: what it gives, and every problem of every file at once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from campaignkit.errors import DefinitionError
from campaignkit.intake.talk import Front
from campaignkit.protocol.messages import Chunk, Done, MailingEnd

from .projects import PEOPLE, PROJECT, bulk, personal, project, talk

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_linked_campaign_file_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    (tmp_path / "outside.yaml").write_text(bulk(name="other"))
    (root / "campaigns/z.yaml").symlink_to(tmp_path / "outside.yaml")
    found = talk(root)
    assert found.codes == ["CK301"]
    assert [str(mailing.key) for mailing in found.mailings] == ["spring/one"]


def test_rows_read_go_on_from_one_mailing_to_the_next_and_end_with_0(tmp_path: Path) -> None:
    people = "phone,name\n" + "".join(f"37529{n:07d},x\n" for n in range(1_000_000, 1_030_000))
    told: list[int] = []
    with Front(project(tmp_path, {"a.yaml": personal("a"), "b.yaml": personal("b")}, people=people), told=told.append) as front:
        front.project()
        paths = [head.path for head in front.index().campaigns]
        assert [word.rows for word in front.run(paths, environment="sandbox", check=True) if isinstance(word, MailingEnd)] == [30_000] * 2
    assert told == [20_000, 50_000, 0]


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


def test_how_many_phones_are_suppressed_is_told(tmp_path: Path) -> None:
    root = project(tmp_path, settings=PROJECT + "suppress: [stop.csv, more.csv]\n")
    (root / "stop.csv").write_text("phone\n375291111111\n375291111111\n375293333333\n")
    (root / "more.csv").write_text("phone\n375291111111\n375294444444\n")
    (done,) = [word for word in talk(root).words if isinstance(word, Done)]
    assert done.suppressed_phones == 3
    (done,) = [word for word in talk(project(tmp_path / "other")).words if isinstance(word, Done)]
    assert done.suppressed_phones == 0
