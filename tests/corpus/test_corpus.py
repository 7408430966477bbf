"""Every bad input of the corpus: said at its place, with its exit code, within 2 seconds and 256 MB, and nobody is messaged."""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.bench import Bench, Call, Reply, Tap, built, copied, is_command, tapped
from tests.canary import TOKEN
from tests.corpus.cases import FOLDER, Case, Problem, content, corpus, spoil
from tests.corpus.warm import Measured, Warm

CASES = corpus()
SECONDS, MEMORY = 2.0, 256 * 1024 * 1024
_SHOWN = re.compile(r"^(.+?):(\d+):(\d+): (error|warning|info) (CK\d{3}) (.*)$", re.MULTILINE)
_WHOLE_PHONE = re.compile(r"(?<!\d)\+?375\d{9}(?!\d)")
_ACTIVE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture(scope="module")
def tap() -> Iterator[Tap]:
    with tapped() as made:
        yield made


@pytest.fixture(scope="module")
def sound(tap: Tap, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return built(tmp_path_factory.mktemp("sound") / "project", tap.url)


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm() as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=[f"{case.area}-{case.id}" for case in CASES])
def test_bad_input(case: Case, sound: Bench, tap: Tap, warm: Warm, tmp_path: Path) -> None:
    tap.reset()
    bench = copied(sound, tmp_path / "project")
    for command in case.before:
        assert _ran(warm, bench, command).code == 0, command
    spoil(bench, case.spoil)
    tap.calls.clear()
    tap.sends += case.answers
    tap.statuses = _statuses(case)
    before = _state(bench)
    ran = _ran(warm, bench, case.run)
    _holds_for_all(case, ran)
    _said(case, ran)
    assert len(tap.calls) == case.expect.requests
    if case.expect.exit in {3, 4, 5, 64}:
        assert _state(bench) == before


def _ran(warm: Warm, bench: Bench, command: str) -> Measured:
    return warm.run(command, root=bench.root, env=bench.environment())


def _state(bench: Bench) -> object:
    """All that the state holds but for the mark of its use; of what is no state, its bytes."""
    path = bench.root / "state/live.db"
    if not path.is_file():
        return None
    with suppress(sqlite3.DatabaseError):
        return bench.state()
    return path.read_bytes()


def _statuses(case: Case) -> Any:
    """Status answers one after another, the last one for ever; `$name` and `$phone` stand for those of the first batch."""
    left = list(case.statuses)

    def answer(messages: list[dict[str, Any]]) -> Reply:
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, dict) and "status" in said:
            return Reply(**said | {"headers": tuple(said.get("headers", {}).items())})
        parts = isinstance(said, dict) and "parts" in said
        text = content(said).decode() if parts else said if isinstance(said, str) else json.dumps(said)
        phones = Call("", {"messages": messages}).phones
        return Reply(body=text.replace("$name", messages[0]["name"]).replace("$phone", phones[0]))

    return answer if left else None


def _holds_for_all(case: Case, ran: Measured) -> None:
    everything = ran.out + ran.err
    assert ran.code == case.expect.exit, everything
    assert "Traceback" not in everything
    assert TOKEN not in everything
    if not case.expect.phones:
        assert not _WHOLE_PHONE.search(everything), everything
    assert [c for c in everything if c != "\n" and unicodedata.category(c) in _ACTIVE] == [], everything
    assert len(everything) < 40_000
    assert ran.seconds <= SECONDS, everything
    assert ran.memory <= MEMORY, f"{ran.memory:,} bytes: {everything}"
    if case.run.startswith("apply") and case.expect.exit in {3, 4, 5, 8}:
        assert "othing was sent" in ran.err
    if case.run.startswith("apply") and case.expect.exit in {4, 5, 6, 7, 10}:
        assert is_command(ran.err.splitlines()[-1]), ran.err


def _said(case: Case, ran: Measured) -> None:
    shown = [
        Problem(code=code, at=f"{path}:{line}:{column}", severity=severity, says=words)
        for path, line, column, severity, code, words in _SHOWN.findall(ran.err + ran.out)
    ]
    everything = " ".join((ran.out + ran.err).split())
    left = list(shown)
    for problem in case.expect.problems:
        match = next((one for one in left if _fits(problem, one)), None)
        assert match is not None, f"{problem} is not among:\n{ran.err}{ran.out}"
        left.remove(match)
    assert len(left) == max(case.expect.shown - len(case.expect.problems), 0), f"more was said than expected: {left}"
    for words in case.expect.says:
        assert words in everything, ran.out + ran.err
    for words in case.expect.silent:
        assert words not in everything, ran.out + ran.err
    if case.expect.last:
        assert ran.err.splitlines()[-1] == case.expect.last
    if case.expect.summary:
        summary = json.loads(ran.out.splitlines()[-1])
        assert {name: summary[name] for name in case.expect.summary} == case.expect.summary


def _fits(wanted: Problem, shown: Problem) -> bool:
    place = shown.at.startswith(wanted.at) if wanted.at.endswith(":") else shown.at == wanted.at
    return place and (wanted.code, wanted.severity) == (shown.code, shown.severity)


def test_the_corpus_is_large_and_every_case_has_a_name_of_its_own() -> None:
    names = Counter(f"{case.area}-{case.id}" for case in CASES)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(CASES) >= 200


def test_every_code_is_met_by_a_case() -> None:
    """But for `CK000`: what is known to break the child is mended. The schema stands before the other two."""
    listed = re.findall(r"^\| `(CK\d{3})`", (FOLDER.parents[1] / "docs/diagnostics.md").read_text("utf-8"), re.MULTILINE)
    met = {problem.code for case in CASES for problem in case.expect.problems}
    assert set(listed) - met == {"CK000", "CK107", "CK111"}


def test_the_measure_sees_what_a_child_of_the_command_takes(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    little, much = (warm.run(f"-c {program}", root=tmp_path / "project", env={}) for program in ("pass", _GREEDY))
    assert (little.memory < 100_000_000, much.memory > 300_000_000) == (True, True)
    assert much.seconds - little.seconds > 0.2


_GREEDY = "'a = bytearray(300_000_000); [None for _ in range(10_000_000)]'"
