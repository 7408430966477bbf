"""The politeness lock of a state: one run at a time. The laws of the store hold without it; it spares people surprises."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from campaignkit.errors import LockedError, StateError
from campaignkit.model.clock import Clock, SystemClock
from campaignkit.states import flocks
from campaignkit.states.times import to_text

_PAUSE = 0.05
_GRACE = 0.2
"""`holder` takes the lock for a blink to see whether it is free: nobody may be turned away for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock: information for people, never the lock itself. Unknown texts are empty, an unknown pid is 0."""

    pid: int = 0
    host: str = ""
    user: str = ""
    command: str = ""
    since: str = ""
    id: str = ""

    def __str__(self) -> str:
        if not self.pid:
            return "another process"
        return f"`{self.command}` of {self.user} on {self.host} (process {self.pid}) since {self.since}, lock id {self.id or 'unknown'}"


def lock_path(state: str | os.PathLike[str]) -> Path:
    """The side file of a state's lock."""
    return Path(f"{os.fspath(state)}.lock")


class StateLock:
    """An exclusive lock beside a state file, freed by the kernel when its process dies.

    Args:
        path: The state file; the lock is `<path>.lock`, there only while it is held (or after a kill, when it locks
            nobody out).
        clock: What waits and what tells since when.
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Clock | None = None) -> None:
        self._state = os.fspath(path)
        self._path = lock_path(path)
        self._clock = clock or SystemClock()
        self._descriptor: int | None = None

    def acquire(self, timeout: float, command: str, *, waiting: Callable[[Holder], None] = lambda _holder: None) -> Holder:
        """Take the lock, waiting up to `timeout` seconds; `command` is what others are told.

        Args:
            timeout: Seconds to wait for a living holder.
            command: What is being done.
            waiting: Told once for whom it waits, when that takes longer than a blink.

        Raises:
            LockedError: A living process holds it still.
            StateError: The lock file cannot be made here.
        """
        if self._descriptor is not None:
            raise RuntimeError("this lock is held already")
        began = self._clock.monotonic()
        told = False
        while (descriptor := self._grab()) is None:
            waited = self._clock.monotonic() - began
            if waited >= max(timeout, _GRACE):
                raise LockedError(
                    f"{self._state} is locked by {_whoever(self._state)}; nothing was sent. "
                    "Wait until it is done; the lock of a dead process frees itself."
                )
            if timeout > _GRACE and waited >= _GRACE and not told:
                told = True
                waiting(_whoever(self._state))
            self._clock.sleep(_PAUSE)
        self._descriptor = descriptor
        me = Holder(
            pid=os.getpid(),
            host=socket.gethostname(),
            user=_user(getpass.getuser),
            command=command,
            since=to_text(self._clock.now()),
            id=secrets.token_hex(8),
        )
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(me), ensure_ascii=False).encode() + b"\n", 0)
        except OSError as error:
            self.release()
            raise self._unusable(error) from error
        return me

    def still_ours(self) -> bool:
        """Whether the lock is held, and nobody took it away meanwhile."""
        return self._descriptor is not None and flocks.is_at(self._descriptor, self._path)

    def release(self) -> None:
        """Free the lock and remove its file; does nothing if it is not held."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            flocks.let_go(descriptor, self._path, remove=True)

    def _grab(self) -> int | None:
        try:
            return flocks.grab(self._path)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> StateError:
        return StateError(
            f"{self._path}: the lock of the state cannot be made ({error.strerror}); nothing was sent. "
            "Its folder must exist and be writable, the disk must have room, and the lock must be no link."
        )


def holder(path: str | os.PathLike[str]) -> Holder | None:
    """Who holds the lock of this state now; None if no living process does. Changes nothing."""
    try:
        descriptor = os.open(lock_path(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parsed(os.pread(descriptor, 65536, 0))
    finally:
        os.close(descriptor)
    return None


def take_away(path: str | os.PathLike[str], holder_id: str) -> Holder | None:
    """Take the lock of a state away from the living holder with this id; the next one gets a fresh lock.

    The holder keeps running, and finds out at its next look at `StateLock.still_ours`. So would a run that got the lock in the very
    moment in between: nothing can look and take at once.

    Returns:
        Who held it; None if nobody does.

    Raises:
        LockedError: Somebody with another id holds it; nothing was changed.
    """
    found = holder(path)
    if found is None:
        return None
    if not found.id or found.id != holder_id:
        raise LockedError(f"{os.fspath(path)} is locked by {found}, not by the holder {holder_id!r}. Nothing was changed.")
    with suppress(FileNotFoundError):
        lock_path(path).unlink()
    return found


def person(login: Callable[[], str] = getpass.getuser) -> str:
    """Who sits at this machine, for the history: user and host; `login` is what names the user."""
    return f"{_user(login)}@{socket.gethostname()}"


def _whoever(state: str) -> Holder:
    """The holder of a lock that could not be had, as far as it can be known."""
    return holder(state) or Holder()


def _parsed(content: bytes) -> Holder:
    """The holder as it wrote itself down; the file may be caught half-written, or belong to another program."""
    try:
        return Holder(**json.loads(content))
    except (ValueError, TypeError):
        return Holder()


def _user(login: Callable[[], str]) -> str:
    """The name of the user, or the number where the system knows no name (as in many containers)."""
    try:
        return login()
    except (KeyError, OSError):
        return str(os.getuid())
