"""Every failpoint × every way a provider can treat a request, on an apply of two requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.proofs.crash.driving import Stage
from tests.proofs.crash.failpoints import Act, Strike
from tests.proofs.crash.histories import FIRST_PHONE, Files, History, MailingFile, Run, settle

TWO_REQUESTS = Files(mailings=(MailingFile("invitation", tuple(range(FIRST_PHONE, FIRST_PHONE + 4))),), batch_size=2)


def points(stage: Stage, behaviour: str) -> list[str]:
    """The points that an undisturbed apply passes, whose requests are both treated so; `lock.released` is the last."""
    trace = stage.folder.parent / "trace.txt"
    replace(stage, trace=trace).play(History(f"points-{behaviour}", (_run(behaviour),)))
    return trace.read_text("ascii").split("\n")


def cells(stage: Stage, behaviour: str, *, step: int = 1, first: int = 1) -> Iterator[History]:
    """One history for each point, or for every `step`th: the process dies there, and two faultless runs follow."""
    for at in range(first, len(points(stage, behaviour)) + 1, step):
        yield cell(behaviour, at)


def cell(behaviour: str, at: int) -> History:
    """Death at one point of an apply whose requests are treated so, and two faultless runs."""
    return History(f"x-{behaviour}-{at}", settle((_run(behaviour, Strike(Act.KILL, at=at)),)))


def _run(behaviour: str, strike: Strike | None = None) -> Run:
    script = (behaviour, behaviour)
    return Run(files=TWO_REQUESTS, script=script) if strike is None else Run(files=TWO_REQUESTS, script=script, strikes=(strike,))
