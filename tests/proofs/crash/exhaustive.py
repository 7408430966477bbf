"""Every failpoint × every way a provider can treat a request: of two bulk requests, two quick messages, a list's create and confirm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.proofs.crash.behaviours import BEHAVIOURS, BULK, CONFIRM, LIST, QUICK
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.failpoints import Act, Strike
from tests.proofs.crash.histories import FIRST_PHONE, LIST_PHONES, Files, History, MailingFile, Run, settle

TWO_REQUESTS = Files(mailings=(MailingFile("invitation", tuple(range(FIRST_PHONE, FIRST_PHONE + 4))),), batch_size=2)
TWO_MESSAGES = Files(mailings=(MailingFile("invitation", (FIRST_PHONE, FIRST_PHONE + 1), method=QUICK),))
ONE_LIST = Files(mailings=(MailingFile("invitation", LIST_PHONES, method=LIST),))
_FILES = {BULK: TWO_REQUESTS, QUICK: TWO_MESSAGES, LIST: ONE_LIST, CONFIRM: ONE_LIST}

ROWS = tuple((method, behaviour) for method in _FILES for behaviour in BEHAVIOURS)
"""What is treated how: both requests of a kind, or the create of a list, or its confirm after a create that went well."""


def points(stage: Stage, method: str, behaviour: str) -> list[str]:
    """The points that an undisturbed apply passes whose requests are treated so; `lock.released` is the last."""
    trace = stage.folder.parent / "trace.txt"
    replace(stage, trace=trace).play(History(f"points-{method}-{behaviour}", (_run(method, behaviour),)))
    return trace.read_text("ascii").split("\n")


def cells(stage: Stage, method: str, behaviour: str, *, step: int = 1, first: int = 1) -> Iterator[History]:
    """One history for each point, or for every `step`th: the process dies there, and two faultless runs follow."""
    for at in range(first, len(points(stage, method, behaviour)) + 1, step):
        yield cell(method, behaviour, at)


def cell(method: str, behaviour: str, at: int) -> History:
    """Death at one point of an apply whose requests are treated so, and two faultless runs."""
    return History(f"x-{method}-{behaviour}-{at}", settle((_run(method, behaviour, Strike(Act.KILL, at=at)),)))


def _run(method: str, behaviour: str, strike: Strike | None = None) -> Run:
    script = {LIST: (behaviour,), CONFIRM: ("accept", behaviour)}.get(method, (behaviour, behaviour))
    # A record that lags behind a confirm in the run that made it: nothing may be concluded from it.
    reads = ("plain", "lag") if method == CONFIRM else ()
    run = Run(files=_FILES[method], script=script, reads=reads)
    return run if strike is None else replace(run, strikes=(strike,))
