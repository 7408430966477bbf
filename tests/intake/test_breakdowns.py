"""The real child killed, kept waiting, given hostile files or made to lie: what breaks it is a diagnostic, and no end looks whole."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from campaignkit.errors import DefinitionError
from campaignkit.intake.talk import Front
from campaignkit.model.mailings import Mailing
from campaignkit.protocol.frames import Channel
from campaignkit.protocol.messages import Chunk, Kind

from .projects import PEOPLE, PROJECT, SETTINGS, bulk, listed, personal, project, quick, talk

ENDLESS = "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}x"


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
