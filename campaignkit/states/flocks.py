"""Locks of the kernel on side files: freed at once when their holder dies, so there is never a stale one to break."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, suppress
from pathlib import Path


def grab(path: Path, *, shared: bool = False) -> int | None:
    """Lock a side file, making it (0600) if it is missing.

    Returns:
        Its descriptor, to be given to `let_go`; None if somebody else's lock forbids.

    Raises:
        OSError: It cannot be made or opened; a symbolic link is refused.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with ExitStack() as undo:
            undo.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            # A holder removes the file while it holds the lock: whoever got a lock on a removed file tries anew.
            if is_at(descriptor, path):
                os.fchmod(descriptor, 0o600)
                undo.pop_all()
                return descriptor


def is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one that stands at the path."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def make_exclusive(descriptor: int) -> bool:
    """Turn a shared lock into an exclusive one, if nobody else shares it. Else the lock may be lost: let go then."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody shares it, or the system fails: then nobody is known to be the last
        return False
    return True


def let_go(descriptor: int, path: Path, *, remove: bool) -> None:
    """Unlock; an exclusive holder removes the file first, so that nothing is left lying about."""
    if remove and is_at(descriptor, path):
        with suppress(OSError):  # one that is left lying locks nobody out
            path.unlink()
    os.close(descriptor)
