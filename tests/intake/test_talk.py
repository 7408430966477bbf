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
from pathlib import Path

import pytest

from campaignkit.errors import DefinitionError
from campaignkit.intake.talk import Front
from campaignkit.model.mailings import Mailing
from campaignkit.protocol.messages import Chunk
from tests.canary import TOKEN, assert_hidden

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
        place = Path("/proc") / str(front._process.pid)
        assert_hidden((place / "environ").read_bytes(), (place / "cmdline").read_bytes())
        assert (place / "environ").read_bytes().strip(b"\0") == b""
        assert (place / "cwd").readlink() == Path("/")


def test_a_child_killed_midway_is_one_diagnostic_and_never_done(tmp_path: Path) -> None:
    people = "phone,name\n" + "".join(f"37529{n:07d},x\n" for n in range(1_000_000, 1_030_000))
    with Front(project(tmp_path, people=people)) as front:
        front.project()
        paths = [head.path for head in front.index().campaigns]
        words = []
        for word in front.run(paths, environment="sandbox", elements=True):
            words.append(word)
            if isinstance(word, Mailing):
                front._process.send_signal(signal.SIGKILL)
        assert [problem.code for problem in front.diagnostics] == ["CK000"]
        assert front.failed
        assert "Done" not in {type(word).__name__ for word in words}


def test_a_child_killed_before_it_is_asked_is_an_error(tmp_path: Path) -> None:
    with Front(project(tmp_path)) as front:
        front._process.kill()
        front._process.wait()
        with pytest.raises(DefinitionError) as caught:
            front.project()
    assert [problem.code for problem in caught.value.diagnostics] == ["CK000"]


def test_the_child_never_outlives_the_block(tmp_path: Path) -> None:
    with Front(project(tmp_path)) as front:
        process = front._process
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
        limits = Path("/proc") / str(front._process.pid) / "limits"
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
