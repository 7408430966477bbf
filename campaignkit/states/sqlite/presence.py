"""Whether a state is in use: its writers know of each other, and the main file says that it is not complete alone.

While a writer lives, what it committed may stand in `-wal` only. So the first writer marks the main file (`in_use`)
before it commits anything else, and the last one to leave takes the mark back once everything is in the main file. At
rest the file keeps a rollback journal, not WAL: then a reader leaves nothing beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from campaignkit.errors import StateError
from campaignkit.model.clock import Clock, SystemClock
from campaignkit.states import flocks
from campaignkit.states.sqlite.connection import FAILURES, connect

PATIENCE = 30.0
"""Seconds that a writer waits for readers before it gives up."""
_PAUSE = 0.02
_LOOKS = 5
_CLOCK: Final = SystemClock()


def side_file(path: Path, suffix: str) -> Path:
    """A file beside the state: `-wal`, `-shm`, `-journal`, `.writers`."""
    return path.with_name(path.name + suffix)


def main_says_in_use(path: Path) -> bool:
    """What the main file alone says, without its `-wal`; sqlite3.Error if it is no state."""
    with closing(connect(path, "immutable")) as sql:
        # Without its row it is damaged, which the next look finds and tells.
        return sql.execute("SELECT in_use FROM meta").fetchone() not in {None, (0,)}


def lacks_wal(path: Path) -> bool:
    """Whether this is a copy of a state in use that came without its `-wal`."""
    for _ in range(_LOOKS):
        # Beside a -wal the main file may be torn: a power cut in the middle of a checkpoint, which the -wal sets right.
        if _size(side_file(path, "-wal")) or not main_says_in_use(path):
            return False
        # A writer that opens or closes this moment looks the same for a blink.
        _CLOCK.sleep(_PAUSE)
    return True


def enter(path: Path, *, clock: Clock = _CLOCK) -> int:
    """Be counted among the writers, until `leaving`.

    Returns:
        The descriptor that counts.

    Raises:
        StateError: The mark cannot be made, or the last writer does not finish leaving.
    """
    deadline = clock.monotonic() + PATIENCE
    try:
        while (descriptor := flocks.grab(side_file(path, ".writers"), shared=True)) is None:
            if clock.monotonic() >= deadline:
                raise StateError(f"{path}: another process is closing it and does not finish; nothing was sent.")
            clock.sleep(_PAUSE)
    except OSError as error:
        raise StateError(
            f"{path}: no file can be made beside it ({error.strerror}); nothing was sent. The folder of the state must be writable."
        ) from error
    return descriptor


@contextmanager
def leaving(path: Path, descriptor: int) -> Iterator[bool]:
    """Stop being counted once the block is done; tells it whether it is the last writer, who tidies up."""
    last = flocks.make_exclusive(descriptor)
    try:
        yield last
    finally:
        flocks.let_go(descriptor, side_file(path, ".writers"), remove=last)


def mark(path: Path, sql: sqlite3.Connection, *, clock: Clock = _CLOCK) -> None:
    """Switch to WAL and see to it that the main file says `in_use` before anything else is committed.

    Raises:
        StateError: Readers kept the file busy for too long.
    """
    deadline = clock.monotonic() + PATIENCE
    while _tried(sql, "PRAGMA journal_mode = WAL") is None or _tried(sql, "UPDATE meta SET in_use = 1") is None:
        _wait(path, clock, deadline, _PAUSE)
    # The checkpoint comes first: before it, the main file may still be torn by a power cut.
    while not (_checkpointed(sql) and main_says_in_use(path)):
        _wait(path, clock, deadline, _PAUSE / 20)


def unmark(path: Path, sql: sqlite3.Connection) -> None:
    """The last writer's farewell: everything into the main file, only then the mark away, and back to one file.

    Where the disk does not let it, the state stays as after a crash, which loses nothing: the next writer tidies up.
    """
    try:
        sql.execute("PRAGMA busy_timeout = 200")
        sql.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        sql.execute("UPDATE meta SET in_use = 0")
    except FAILURES:
        close_as_it_is(path, sql)
        return
    except BaseException:
        close_as_it_is(path, sql)
        raise
    # A reader may still need the -wal; then it stays, and the next writer cleans up.
    with suppress(*FAILURES):
        sql.execute("PRAGMA journal_mode = DELETE").fetchone()


def close_as_it_is(path: Path, sql: sqlite3.Connection) -> None:
    """Close while the main file says `in_use`: SQLite must not take the `-wal` away, or the state would pass for a bare copy.

    So leaves whoever is not the last writer: the one that was may have died meanwhile.
    """
    with suppress(*FAILURES), closing(connect(path, "ro")) as reader:
        # Whoever leaves while another connection reads is not the last one, and a read-only one that is removes nothing.
        reader.execute("SELECT 1 FROM meta").fetchone()
        sql.close()
    sql.close()


def _tried(sql: sqlite3.Connection, statement: str) -> tuple[Any, ...] | None:
    """Run a statement; None if others are in the way. Of two writers that come at once SQLite turns one away at once.

    Returns:
        The row that it gives, an empty one where it gives none.
    """
    try:
        return sql.execute(statement).fetchone() or ()
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise
        return None


def _checkpointed(sql: sqlite3.Connection) -> bool:
    """Move what was committed into the main file; False if others are in the way."""
    row = _tried(sql, "PRAGMA wal_checkpoint(PASSIVE)")
    return row is not None and row[0] == 0


def _wait(path: Path, clock: Clock, deadline: float, seconds: float) -> None:
    if clock.monotonic() >= deadline:
        raise StateError(
            f"{path}: another command (a plan, a status) has been reading it for {PATIENCE:g} seconds; nothing was sent. "
            "Wait until it is done and run the same command again."
        )
    clock.sleep(seconds)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
