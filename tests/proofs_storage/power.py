"""Power cuts: what a run left on the disk at any moment, with unsynced writes missing or torn, opened by the real engine."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaignkit.errors import StateError
from campaignkit.model.mailings import LIST
from campaignkit.states.packing import unpack_phones
from campaignkit.states.records import RequestState
from tests.proofs_storage import driver, trace, warm
from tests.proofs_storage.disk import Disk
from tests.proofs_storage.trace import End, Move, Send, Step
from tests.proofs_storage.truth import Truth

MORE = (*driver.PEOPLE, *range(375_291_111_211, 375_291_111_215))
"""The people of the second run: those of the first, and as many again."""
KILLS = {"": (0, 5), "its second request": (2, 1), "its confirm": (7, 4)}
"""Before what a run is killed, which of its calls of sendto that is (the question before a confirm takes two), and what it sends."""
MARK = f"home/campaignkit/{driver.LINEAGE}.json"

Broken = Callable[[], AbstractContextManager[Any]]


@dataclass(slots=True)
class Moment:
    """What must hold at a point of a history: who was sent to, whose outcome is stored, the mark, and whether there is a state."""

    sent: frozenset[int] = frozenset()
    settled: frozenset[int] = frozenset()
    mark: int = 0
    made: bool = False


@dataclass(slots=True)
class Tally:
    """What the proof came to. `wrong` holds each violation with its place."""

    cuts: int = 0
    states: int = 0
    opened: int = 0
    refused: int = 0
    copies: int = 0
    wrong: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        """As a row of a table."""
        return {
            "cuts": self.cuts, "disks": self.states, "opened": self.opened, "refused": self.refused, "copies": self.copies,
            "wrong": len(self.wrong),
        }  # fmt: skip


_RECORDINGS = 3
"""Times that a history is recorded at most."""


def record(folder: Path, truth: Truth, *, killed: str = "", broken: Broken = nullcontext) -> list[Step]:
    """A whole history: a state is made, applied (and killed before something leaves, of `KILLS`), and applied again.

    Recorded anew, as another history, where a trace cannot be read: on a busy machine a kill may hit another thread within a call.

    Raises:
        RuntimeError: A run did not end as it must: nothing can be proved here.
    """
    token = folder.name
    for again in range(1, _RECORDINGS):
        try:
            return _recorded(folder / "recorded", truth, f"{token}-{again}", killed=killed, broken=broken)
        except trace.UnreadableError:
            shutil.rmtree(folder / "recorded")
    return _recorded(folder / "recorded", truth, token, killed=killed, broken=broken)


def _recorded(root: Path, truth: Truth, token: str, *, killed: str, broken: Broken) -> list[Step]:
    folder = root.parent
    kill = ("-e", f"inject=sendto:signal=SIGKILL:when={KILLS[killed][0]}") if killed else ()
    root.mkdir(parents=True)
    steps: list[Step] = []
    works: tuple[tuple[Callable[[], object], Sequence[str]], ...] = (
        (lambda: driver.init(root, truth.url), ()),
        (lambda: driver.summary(root, truth.url, token), kill),
        (lambda: driver.summary(root, truth.url, token, MORE, driver.BETWEEN), ()),
    )
    for work, harm in works:
        with broken():
            end = warm.run(work, root=root, strace=[*trace.OPTIONS, *harm], out=folder / "trace")
        if end.kind != ("killed" if harm else "done"):
            raise RuntimeError(f"a run that is to be recorded ended as {end}")
        steps += trace.read(folder / "trace", root)
        steps.append(End(clean=not harm, mark=_mark(root)))
        if work is works[1][0] and (sends := sum(isinstance(step, Send) for step in steps)) != KILLS[killed][1]:
            raise RuntimeError(f"a run that is to be recorded sent {sends} requests, not {KILLS[killed][1]}")
    shutil.rmtree(root)
    return steps


def judge(steps: Sequence[Step], url: str, folder: Path, *, seed: int, each: int, at: Collection[int]) -> Tally:
    """Cut the power after these steps, in up to `each` ways."""
    chance, tally, disk, seen = random.Random(seed), Tally(), Disk(), set[bytes]()
    for number, (step, moment) in enumerate(zip(steps, _moments(steps), strict=True)):
        disk.take(step)
        if number not in at:
            continue
        tally.cuts += 1
        for keep in _chances(disk, each):
            root = folder / "cut"
            root.mkdir(parents=True)
            disk.write(root, None if keep == 1.0 else chance, keep)
            mark = _digest(root, moment)
            if mark not in seen:
                seen.add(mark)
                where = f"after step {number} ({type(step).__name__} {getattr(step, 'path', '')}), {keep:.0%} of what was pending"
                _open(root, url, moment, tally, where)
                if keep == 1.0:
                    _copy(root, disk, url, moment, tally, where)
            shutil.rmtree(root)
    return tally


def turning_points(steps: Sequence[Step]) -> list[int]:
    """The steps after which most is at stake: bytes have just left, a name was just replaced, a run has just ended."""
    return [number for number, step in enumerate(steps) if isinstance(step, Send | Move | End)]


def _chances(disk: Disk, each: int) -> Iterator[float]:
    """Nothing arrived, all did, and things between."""
    yield 0.0
    yield 1.0
    if disk.pending:
        for number in range(each - 2):
            yield (0.15, 0.5, 0.85)[number % 3]


def _moments(steps: Sequence[Step]) -> Iterator[Moment]:
    """What must hold after each step."""
    sent: frozenset[int] = frozenset()
    settled: frozenset[int] = frozenset()
    mark, ends = 0, 0
    # The end of a run that was not killed raises the mark once more: a copy made in its middle is older than what it knows.
    marks = [step.mark - step.clean for step in steps if isinstance(step, End)]
    for step in steps:
        if isinstance(step, Send):
            # The next request leaves only once the outcome of the last is stored, and the mark stands before the first.
            settled, sent, mark = sent, sent | step.phones, marks[ends]
        if isinstance(step, End):
            ends, mark = ends + 1, step.mark
            settled = sent if step.clean else settled
        yield Moment(sent, settled, mark, ends > 0)


def _open(root: Path, url: str, moment: Moment, tally: Tally, where: str) -> None:
    tally.states += 1
    with warm.marks_beneath(root):
        if _mark(root) < moment.mark:
            tally.wrong.append(f"{where}: the mark says {_mark(root)}, and {moment.mark} was promised")
        try:
            chosen = frozenset(driver.would_send(root, url, MORE))
            found = _unsettled(root, url, moment.settled)
        except StateError as error:
            tally.refused += 1
            if moment.made:
                tally.wrong.append(f"{where}: refused, {error.message}")
            elif "nothing was" not in error.message.lower():
                tally.wrong.append(f"{where}: refused without saying that nothing was sent: {error.message}")
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no answer for people
            tally.wrong.append(f"{where}: {type(error).__name__}: {error}")
            return
    tally.opened += 1
    if lost := chosen & moment.sent:
        tally.wrong.append(f"{where}: {len(lost)} people would be sent to again")
    tally.wrong += [f"{where}: {problem}" for problem in found]


def _unsettled(root: Path, url: str, settled: frozenset[int]) -> list[str]:
    """Outcomes that were stored and are not, and whatever else is unsound."""
    reader = driver.holding(root, url).open_reader()
    try:
        rows = list(reader.requests())
        done = [row for row in rows if row.state is RequestState.ACCEPTED]
        accepted = {phone for row in done for batch in row.batches for phone in unpack_phones(batch.phones)}
        accepted |= {driver.DRAFTED for row in rows if row.method == LIST and row.uuid}
        return [*reader.problems(), *([f"{len(settled - accepted)} stored outcomes are gone"] if settled - accepted else [])]
    finally:
        reader.close()


def _copy(root: Path, disk: Disk, url: str, moment: Moment, tally: Tally, where: str) -> None:
    """The main file alone, on another machine, as a backup that knows nothing of `-wal` brings it: complete, or refused."""
    shutil.rmtree(root)
    root.mkdir()
    disk.write(root, None)
    for side in (root / "state").glob("live.db?*"):
        side.unlink()
    tally.copies += 1
    with warm.marks_beneath(root / "elsewhere"):
        try:
            chosen = frozenset(driver.would_send(root, url, MORE))
        except StateError:
            return
    if lost := chosen & moment.sent:
        tally.wrong.append(f"{where}, the main file alone: {len(lost)} people would be sent to again")


def _mark(root: Path) -> int:
    """The serial kept apart from the state; 0 for none, -1 for one that nobody can read."""
    try:
        return int(json.loads((root / MARK).read_text())["serial"])
    except FileNotFoundError:
        return 0
    except ValueError:
        return -1


def _digest(root: Path, moment: Moment) -> bytes:
    """Of all files, and of what must hold: what was tried once is not tried again."""
    summed = hashlib.sha256(repr((sorted(moment.sent), sorted(moment.settled), moment.mark, moment.made)).encode())
    for path in sorted(root.rglob("*")):
        summed.update(str(path.relative_to(root)).encode() + b"\0")
        if path.is_file():
            summed.update(hashlib.sha256(path.read_bytes()).digest())
    return summed.digest()
