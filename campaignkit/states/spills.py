"""Outcomes that the state could not take (a full disk, a failed one): kept in a file beside it, taken in by the next run.

Before the first message of a run leaves, the room for them is reserved, as a full disk has none left afterwards. The file is its owner's
alone (0600), locked while its run lives, and goes away at the end of a run that never needed it. One line holds one outcome.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.states import flocks
from campaignkit.states.lockfile import sync_folder
from campaignkit.states.times import from_text, to_text

RESERVED = 1 << 18
_KEPT_ANSWER = 8192
_MOST_BYTES = 16 << 20
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spilled:
    """One outcome: which attempt of which request it ended, how, and when it was known."""

    ref: str
    attempt: int
    result: SendResult
    at: datetime


def fill(descriptor: int, offset: int, length: int) -> None:
    """Write zeros: so room is reserved where there is no `posix_fallocate` (macOS). OSError if there is none."""
    while length:
        written = os.pwrite(descriptor, bytes(length), offset)
        offset, length = offset + written, length - written


_RESERVE: Final[Callable[[int, int, int], None]] = getattr(os, "posix_fallocate", fill)


class SpillFile:
    """The place for the outcomes of one run; a context manager, whose threads may all keep theirs at once.

    Args:
        state: The state file.
        lineage: Whose outcomes they are.
        run: Something that no other run of this state has.
        elsewhere: A folder to fall back to, on another disk perhaps; None for none.
        reserve: What makes the disk hold a number of bytes for a file, from an offset on.

    Raises:
        StateError: The room can't be reserved; comes on entering, before anything is sent.
    """

    def __init__(
        self, state: Path, *, lineage: str, run: str, elsewhere: Path | None, reserve: Callable[[int, int, int], None] = _RESERVE
    ) -> None:
        self._path = state.with_name(f"{state.name}.spill-{run}")
        self._elsewhere = elsewhere and elsewhere / f"{lineage}.spill-{run}"
        self._head = json.dumps({"campaignkit": "spill", "version": _VERSION, "lineage": lineage}).encode() + b"\n"
        self._reserve = reserve
        self._descriptor: int | None = None
        self._end = 0
        self._one_at_a_time = Lock()

    def __enter__(self) -> Self:
        try:
            self._descriptor = _made(self._path)
            self._reserve(self._descriptor, 0, RESERVED)
            self._write(b"")
            sync_folder(self._path.parent)
        except OSError as error:
            self._leave(remove=True)
            raise StateError(
                f"{self._path.parent}: no room for the outcomes of this run, should the state fail to take them ({error.strerror}). "
                "Nothing was sent. Make room and run the same command again."
            ) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._leave(remove=self._end <= len(self._head))

    def keep(self, spilled: Spilled) -> Path | None:
        """Keep one outcome, durably. Returns the file; None if nothing could be kept anywhere: then only the terminal tells."""
        line = _line(spilled)
        with self._one_at_a_time:
            kept = self._tried(line)
            if kept is None and self._moved():
                kept = self._tried(line)
        return kept

    def _tried(self, line: bytes) -> Path | None:
        try:
            self._write(line)
        except OSError:
            return None
        return self._path

    def _moved(self) -> bool:
        """Go on in the other folder, once: what was kept there already must not make way for a new file."""
        if self._elsewhere is None:
            return False
        try:
            self._elsewhere.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor, self._end = _made(self._elsewhere), 0
        except OSError:
            return False
        self._path, self._elsewhere = self._elsewhere, None
        return True

    def _write(self, data: bytes) -> None:
        """Add to the file, durably, after its head. What failed half-way is overwritten by what comes next, and cut off by its NUL."""
        assert self._descriptor is not None
        left, at = memoryview((data if self._end else self._head + data) + b"\0"), self._end
        while left:
            written = os.pwrite(self._descriptor, left, at)
            left, at = left[written:], at + written
        os.fsync(self._descriptor)
        self._end = at - 1

    def _leave(self, *, remove: bool) -> None:
        if self._descriptor is not None:
            flocks.let_go(self._descriptor, self._path, remove=remove)
            self._descriptor = None


def spill_files(state: Path, *, lineage: str, elsewhere: Path | None) -> Iterator[Path]:
    """What dead runs left; files of living runs are passed over.

    Raises:
        StateError: A folder can't be looked through.
    """
    try:
        found = sorted(state.parent.glob(f"{state.name}.spill-*"))
        if elsewhere is not None:
            found += sorted(elsewhere.glob(f"{lineage}.spill-*"))
    except OSError as error:
        raise StateError(
            f"{error.filename}: it can't be looked through for outcomes of dead runs ({error.strerror}); nothing was sent."
        ) from error
    for path in found:
        if path.suffix == ".kept":
            continue
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its run may have ended well, or another have taken it in, between the two calls: then it has no name any more.
            if flocks.is_at(descriptor, path):
                yield path
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def read_spill(path: Path, *, lineage: str) -> list[Spilled]:
    """The outcomes of one file; none from a run that never needed it.

    Raises:
        StateError: It is of another state, or something in it can't be read; it is left as it is.
    """
    try:
        lines = _lines(path)
        ours = not lines or json.loads(lines[0]) == {"campaignkit": "spill", "version": _VERSION, "lineage": lineage}
        kept = [_spilled(json.loads(line)) for line in lines[1:]] if ours else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError(f"{path}: an outcome that was kept there can't be read ({error}). Its requests stay unknown.") from error
    if not ours:
        raise StateError(f"{path}: it is of another state. Its requests stay unknown.")
    return kept


def _lines(path: Path) -> list[bytes]:
    """What stands in a file, the room that was only reserved left out. ValueError if it is larger than any run leaves it."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError("the file is far too large")
    lines = content.partition(b"\0")[0].splitlines(keepends=True)
    if len(lines) > 1 and not lines[-1].endswith(b"\n"):
        lines.pop()  # a full disk or a kill cut it short: nobody was told that it is kept here
    return lines


def _made(path: Path) -> int:
    """A new file, locked before it has its name: nobody ever finds it without its run."""
    unnamed = path.with_name(f".{path.name}")
    descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(path)
    except OSError:
        os.close(descriptor)
        unnamed.unlink(missing_ok=True)
        raise
    return descriptor


def _line(spilled: Spilled) -> bytes:
    result = spilled.result
    fields = {
        "request": spilled.ref,
        "attempt": spilled.attempt,
        "at": to_text(spilled.at),
        "outcome": str(result.outcome),
        "phase": str(result.phase),
        "reason": result.reason,
        "uuid": result.uuid,
        "count": result.count,
        "http_status": result.http_status,
        "bytes_written": result.bytes_written,
        "answer": base64.b64encode(result.answer[:_KEPT_ANSWER]).decode("ascii"),
    }
    return json.dumps(fields).encode() + b"\n"


def _spilled(fields: dict[str, Any]) -> Spilled:
    return Spilled(
        ref=str(fields["request"]),
        attempt=int(fields["attempt"]),
        at=from_text(fields["at"]),
        result=SendResult(
            outcome=Outcome(fields["outcome"]),
            phase=Phase(fields["phase"]),
            reason=str(fields["reason"]),
            uuid=str(fields["uuid"]),
            count=fields.get("count"),
            http_status=fields["http_status"],
            bytes_written=int(fields["bytes_written"]),
            answer=base64.b64decode(fields["answer"]),
        ),
    )
