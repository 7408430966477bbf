"""A full disk without strace: no file of the run may grow beyond a limit, which is set anew at every size, so each write fails once.

A write across the limit is cut short, the next one fails: short writes are proved with it. The limit counts for every file
of the process, also for its temporary one; so it is set at several moments: before anything, once the messages are rendered,
and once the provider has the bytes of a request, method by method.
"""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from campaignkit.engine.planner import PlanJob
from campaignkit.model.outcomes import SendResult
from campaignkit.provider.send import BulkSender
from tests.proofs_storage import checker, driver, warm
from tests.proofs_storage.truth import Truth
from tests.proofs_storage.warm import End

SENDS = {"once sent": "send_bulk", "once sent by quick": "send_quick", "once drafted": "create_draft", "once confirmed": "confirm"}
"""Moments after a post, and which of the sender's."""
MOMENTS = ("from the start", "once rendered", *SENDS)
SMALL = (0, 1, 11, 100, 300, 512)
"""Bytes: within the marks, the lock file and the spool."""
PAGE, FRAME = 16_384, 16_408
"""Bytes of a page of the state, and of one in its `-wal`."""


@dataclass(frozen=True, slots=True)
class Full:
    """How a run went that met the limit, and what is wrong."""

    moment: str
    limit: int
    end: End
    wrong: tuple[str, ...]


def sizes(upto: int) -> list[int]:
    """Limits in bytes: small ones, every page and frame, and the middle of each."""
    steps = {PAGE * number for number in range(upto // PAGE + 1)} | {32 + FRAME * number for number in range(upto // FRAME + 1)}
    return sorted({*SMALL, *steps, *(step + PAGE // 2 for step in steps)})


def run(folder: Path, truth: Truth, moment: str, limits: Sequence[int]) -> Iterator[Full]:
    """Meet these limits at this moment, each followed by a clean run."""
    fresh = folder / "fresh"
    fresh.mkdir(parents=True)
    driver.init(fresh, truth.url)
    for limit in limits:
        root = folder / f"{MOMENTS.index(moment)}-{limit}"
        shutil.copytree(fresh, root)
        end = warm.run(lambda root=root, limit=limit: _limited(root, truth, moment, limit), root=root)  # type: ignore[misc]  # bound at once
        yield Full(moment, limit, end, tuple(_wrong(root, truth, end)))
        shutil.rmtree(root)


def largest(folder: Path, truth: Truth) -> int:
    """The size in bytes to which a file of a clean run grows."""
    root = folder / "largest"
    root.mkdir(parents=True)
    driver.init(root, truth.url)
    seen = 0

    def look() -> None:
        nonlocal seen
        seen = max(path.stat().st_size for path in (root / "state").iterdir())

    with warm.marks_beneath(root), _after("confirm", look):
        driver.apply(root, truth.url, "largest")
    return seen


def _after(method: str, do: Callable[[], None]) -> AbstractContextManager[object]:
    """Do something whenever a method of the sender has returned."""
    send = getattr(BulkSender, method)

    def sent(sender: BulkSender, what: object, *, intent: Callable[[], bool]) -> SendResult:
        result: SendResult = send(sender, what, intent=intent)
        do()
        return result

    return patch.object(BulkSender, method, sent)


def _wrong(root: Path, truth: Truth, end: End) -> Iterator[str]:
    received = truth.received(root.name)
    if end.kind in {"crash", "killed"}:
        yield f"the run on the full disk ended as {end.kind}: {end.text}"
    if end.kind == "refused" and received:
        yield f"it was refused, as if nothing had been sent: {end.text}"
    after = warm.run(lambda: driver.summary(root, truth.url, root.name, ahead=driver.BETWEEN), root=root)
    if after.kind != "done":
        yield f"the clean run after it ended as {after.kind}: {after.text}"
    yield from checker.violations(root, truth.url, truth.received(root.name))


def _limited(root: Path, truth: Truth, moment: str, limit: int) -> object:
    """A run that meets the limit from a moment on."""

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    if moment == "from the start":
        full()
    plan = PlanJob.run

    def planned(job: PlanJob, meanwhile: Callable[[], None] = lambda: None) -> object:
        made = plan(job, meanwhile)
        if moment == "once rendered":
            full()
        return made

    with patch.object(PlanJob, "run", planned), _after(SENDS[moment], full) if moment in SENDS else nullcontext():
        return driver.summary(root, truth.url, root.name)
