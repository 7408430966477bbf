"""Every system call of a run by which it stores or talks: killed once, and failed once, each followed by a clean run.

Byte-range locks, seeks and closes are left out: between two of them nothing on the disk or on the wire changes, so dying
there is dying at the next call that is in.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.proofs_storage import checker, driver, warm
from tests.proofs_storage.truth import Truth
from tests.proofs_storage.warm import End

_DISK = ("ENOSPC", "EIO")
FAULTS: dict[str, tuple[str, ...]] = {
    "openat": _DISK,
    "read": ("EIO",),
    "pread64": ("EIO",),
    "write": _DISK,
    "pwrite64": _DISK,
    "fsync": _DISK,
    "fdatasync": _DISK,
    "ftruncate": _DISK,
    "unlink": _DISK,
    "rename": _DISK,
    "mkdir": _DISK,
    "fchmod": ("EIO",),
    "flock": ("EIO",),
    "socket": ("EMFILE",),
    "connect": ("ECONNREFUSED", "EIO"),
    "sendto": ("ECONNRESET", "EIO"),
    "recvfrom": ("ECONNRESET", "EIO"),
}
"""By system call: the errors that it is given, one at a time."""
LASTING = ("pwrite64", "fdatasync", "fsync")
"""Calls that fail for ever after, too: a disk that stays full, or stays broken."""
_CALL = re.compile(r"^[0-9]+ +([a-z0-9_]+)\(")


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that goes wrong in a run: `what` is `kill` or an error, at the `number`th call (and all later ones)."""

    call: str
    number: int
    what: str
    lasting: bool = False

    def options(self) -> list[str]:
        """For strace."""
        harm = "signal=SIGKILL" if self.what == "kill" else f"error={self.what}"
        when = f"{self.number}{'+' if self.lasting else ''}"
        return ["-f", "-e", f"trace={self.call}", "-e", f"inject={self.call}:{harm}:when={when}"]

    def __str__(self) -> str:
        return f"{self.call} {self.number}: {self.what}{', and ever after' if self.lasting else ''}"


@dataclass(frozen=True, slots=True)
class Found:
    """What one point came to: how the broken run ended, how the clean one after it, and what is wrong."""

    point: Point
    end: End
    after: End
    wrong: tuple[str, ...]


class Points:
    """The proof. Takes an empty folder, and a provider."""

    def __init__(self, folder: Path, truth: Truth) -> None:
        self._folder, self._truth, self._cases = folder, truth, 0
        self._fresh = folder / "fresh"
        self._fresh.mkdir()
        driver.init(self._fresh, truth.url)
        # A whole run in this very process imports whatever is imported late: its children then open files of the run only.
        with warm.marks_beneath(folder / "warming"):
            driver.apply(self._root(), truth.url, "warming")

    def count(self) -> Counter[str]:
        """The calls of a clean run, by name.

        Raises:
            RuntimeError: The run was not clean: nothing can be proved here.
        """
        root, out = self._root(), self._folder / "counted"
        end = self._apply(root, ["-f", "-e", f"trace={','.join(FAULTS)}"], out)
        if end.kind != "done" or checker.violations(root, self._truth.url, self._truth.received(root.name)):
            raise RuntimeError(f"a run that nobody disturbs fails: {end}")
        return Counter(found[1] for line in out.read_text(errors="replace").splitlines() if (found := _CALL.match(line)))

    def all(self) -> list[Point]:
        """Every point of a clean run."""
        calls = self.count()
        once = [Point(call, number, what) for call in FAULTS for what in ("kill", *FAULTS[call]) for number in _numbers(calls[call])]
        return once + [Point(call, number, what, True) for call in LASTING for what in FAULTS[call] for number in _numbers(calls[call])]

    def run(self, points: Sequence[Point]) -> Iterator[Found]:
        """Try these, one after the other."""
        for point in points:
            root = self._root()
            end = self._apply(root, point.options(), self._folder / "out")
            yield self._judged(point, root, end)
            shutil.rmtree(root)

    def _judged(self, point: Point, root: Path, end: End) -> Found:
        truth, wrong = self._truth, []
        if end.kind == "killed" and point.what != "kill":
            wrong.append(f"the broken run hung or died ({end.text})")
        if end.kind == "crash":
            wrong.append(f"the broken run ended in an exception: {end.text.splitlines()[-1]}")
        if end.kind == "refused" and any(one.uuid for one in truth.received(root.name)):
            wrong.append(f"it was refused, as if nothing had been sent: {end.text}")
        after = self._apply(root, ahead=driver.BETWEEN)
        if after.kind != "done":
            wrong.append(f"the clean run after it ended as {after.kind}: {after.text}")
        wrong += checker.violations(root, truth.url, truth.received(root.name))
        return Found(point, end, after, tuple(wrong))

    def _apply(self, root: Path, strace: Sequence[str] = (), out: Path | None = None, ahead: timedelta = timedelta()) -> End:
        return warm.run(lambda: driver.summary(root, self._truth.url, root.name, ahead=ahead), root=root, strace=strace, out=out)

    def _root(self) -> Path:
        self._cases += 1
        root = self._folder / f"case-{self._cases}"
        shutil.copytree(self._fresh, root)
        return root


def _numbers(count: int) -> range:
    return range(1, count + 1)


def figures(found: Sequence[Found]) -> dict[str, dict[str, int]]:
    """By system call: points tried, how the broken runs ended, and points at which something was wrong."""
    table: dict[str, Counter[str]] = {}
    for one in found:
        row = table.setdefault(one.point.call, Counter())
        row["kills" if one.point.what == "kill" else "failures"] += 1
        row[one.end.kind] += 1
        row["wrong"] += bool(one.wrong)
    return {
        call: {name: row[name] for name in ("kills", "failures", "killed", "refused", "done", "crash", "wrong")}
        for call, row in table.items()
    }
