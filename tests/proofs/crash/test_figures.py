"""The figures that go into the documentation: what they add up, and what they must not hide."""

from __future__ import annotations

from dataclasses import replace

from tests.proofs.crash.behaviours import LIST, QUICK
from tests.proofs.crash.checker import Violation
from tests.proofs.crash.evidence import End, Event, Evidence, Line, StoredRequest
from tests.proofs.crash.figures import Figures, Tally
from tests.proofs.crash.proving import everything, pieces

EVIDENCE = Evidence(
    log=(
        Line(event=Event.ACCEPTED, n=1, name="a"), Line(event=Event.ACCEPTED, n=1, name="b"), Line(event=Event.REFUSED, n=2, name="c"),
        Line(event=Event.DRAFTED, n=3, name="d", method="list"), Line(event=Event.ACCEPTED, n=4, name="d", method="confirm"),
    ),
    quiet_from=5,
    requests=tuple(
        StoredRequest(ref=method, state="unknown", uuid="", recorded=True, run=1, batches=(), method=method) for method in (QUICK, LIST)
    ), held={}, problems=(), spilled={}, ends=(End(run=0, process=0, code=None), End(run=0, process=1, code=0)),
)  # fmt: skip


def tally(*violations: Violation, concurrent: bool = True) -> Tally:
    one = Tally()
    one.add("--seed 7", EVIDENCE, violations, concurrent=concurrent)
    return one


def test_histories_add_up() -> None:
    both = tally()
    both.merge(tally(concurrent=False))
    assert (both.histories, both.concurrent, both.processes, both.killed, both.accepted) == (2, 1, 4, 2, 4)
    assert (both.quick, both.lists, both.drafts, both.confirmed) == (2, 2, 2, 2)
    figures = Figures(parts={"engine": both}, mutants={"retry": 1})
    assert figures.failures() == []
    assert figures.document()["two_processes_share"] == 0.5
    assert "| engine | 2 | 1 | 2 | 2 | 2 | 4 | 2 | 2 | 4 | 0 |" in figures.table()


def test_nothing_is_hidden() -> None:
    assert Figures(parts={"engine": tally(Violation("V1", "twice"))}).failures() == ["--seed 7: V1: twice"]
    assert "retry" in Figures(mutants={"retry": 0}).failures()[0]
    assert "two processes" in Figures(parts={"engine": tally(concurrent=False)}).failures()[0]
    assert "quick messages" in Figures(parts={"engine": replace(tally(), confirmed=0)}).failures()[0]
    assert "quick messages" in Figures(parts={"engine": replace(tally(), quick=0)}).failures()[0]


def test_the_work_is_cut_without_gaps() -> None:
    cut = list(pieces(everything(120, 12), first=1000))
    assert [seed for piece in cut if piece.part == "engine" for seed in range(piece.start, piece.stop)] == list(range(1000, 1120))
    assert [seed for piece in cut if piece.part == "commands" for seed in range(piece.start, piece.stop)] == list(range(1000, 1012))
