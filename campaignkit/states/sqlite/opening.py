"""The three entrances to a state file: make one, read one, write one. Each refuses what is not the state it is to be."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.states.lockfile import make_folder, sync_folder
from campaignkit.states.sqlite import flaws, migrations, presence, schema, sums
from campaignkit.states.sqlite.connection import FAILURES, Database, connect, told
from campaignkit.states.sqlite.flaws import Expected
from campaignkit.states.sqlite.reading import SqliteReader
from campaignkit.states.sqlite.writing import SqliteStore
from campaignkit.states.times import to_text


def create(path: Path, *, environment: str, origin: str, lineage: str, at: datetime) -> None:
    """Make a new, empty state (0600), and its folder (0700) if that is missing.

    Raises:
        StateError: Something stands there, be it the remains of a state that was lost, or it cannot be made.
    """
    now = to_text(at)
    try:
        make_folder(path.parent)
        for suffix in ("-wal", "-journal"):
            if os.path.lexists(presence.side_file(path, suffix)):
                raise flaws.remains(path, presence.side_file(path, suffix))
        if os.path.lexists(path):
            raise flaws.occupied(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)  # the umask may have taken even that
        os.close(descriptor)
    except OSError as error:
        raise StateError(f"{path}: no state can be made there ({error.strerror}); nothing was changed.") from error
    try:
        with told(path):
            _fill(path, environment, origin, lineage, now)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def copy(source: Path, target: Path, *, environment: str, origin: str, lineage: str | None) -> None:
    """Copy a state at rest or in use, whole, to a new file (0600); the arguments and errors are those of `open_reader`.

    Raises:
        StateError: As there; or something is wrong inside, or the copy can't be made.
    """
    expected = Expected(source, environment, origin, lineage)
    with _refused(expected):
        sql = _checked(expected, may_be_older=True)
        try:
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            made = connect(target, "rw")
            try:
                sql.backup(made)
                presence.unmark(target, made)  # what was read through the -wal is in one file now
            finally:
                made.close()
        finally:
            sql.close()
    sync_folder(target.parent)


def open_reader(path: Path, *, environment: str, origin: str, lineage: str | None) -> SqliteReader:
    """Look into a state, which needs no lock and changes nothing; it keeps showing this moment until it is closed.

    A reader of a state at rest makes the next writer wait for it: close it before `open_store` in the same process.

    Args:
        path: The file.
        environment: Whose state it must be.
        origin: The base URL it must have been made for.
        lineage: The one it must have, as recorded in `campaignkit.lock`; None if nothing is recorded.

    Raises:
        StateError: It is missing, empty, damaged, incomplete, newer or older than this program, or another one.
    """
    expected = Expected(path, environment, origin, lineage)
    with _refused(expected):
        return SqliteReader(Database(path, _checked(expected, may_be_older=False)))


def open_store(path: Path, *, environment: str, origin: str, lineage: str | None) -> SqliteStore:
    """Open a state for changes, stepping up an older schema. Several may be open at once; the arguments are those above.

    Waits up to 30 seconds for readers that began while nobody was writing.

    Raises:
        StateError: As above, or readers did not finish in time, or the file or its folder is not writable.
    """
    expected = Expected(path, environment, origin, lineage)
    with _refused(expected):
        # Read-only, as a writer that turns away would take the -wal of a dead one with it.
        _checked(expected, may_be_older=True).close()
        _only_ours(path)
        descriptor = presence.enter(path)
        try:
            sql = connect(path, "rw")
        except BaseException:
            with presence.leaving(path, descriptor):
                raise
        store = SqliteStore(Database(path, sql), descriptor)
        try:
            presence.mark(path, sql)
            migrations.step_up(sql)
        except BaseException:
            with suppress(Exception):
                store.close()
            raise
        return store


def _fill(path: Path, environment: str, origin: str, lineage: str, at: str) -> None:
    sql = connect(path, "rw")
    try:
        sql.execute(f"PRAGMA page_size = {schema.PAGE_SIZE:d}")
        sql.executescript(f"BEGIN IMMEDIATE; {schema.TABLES}")
        sql.execute(
            "INSERT INTO meta (id, schema_version, environment, origin, lineage, created_at) VALUES (1, ?, ?, ?, ?, ?)",
            (schema.SCHEMA_VERSION, environment, origin, lineage, at),
        )
        sums.seal(sql, "meta", 1)
        sql.execute("COMMIT")
    finally:
        sql.close()


def _checked(expected: Expected, *, may_be_older: bool) -> sqlite3.Connection:
    """A read-only connection, within a transaction, to what was found to be the expected state."""
    flaws.check_file(expected)
    try:
        sql = _snapshot(expected.path)
    except sqlite3.OperationalError:
        # A crash in the last moment of closing leaves a -journal, which only a writer can play back.
        if not presence.side_file(expected.path, "-journal").exists():
            raise
        _play_back(expected.path)
        sql = _snapshot(expected.path)
    try:
        flaws.check_identity(expected, sql, may_be_older=may_be_older)
    except BaseException:
        sql.close()
        raise
    return sql


def _snapshot(path: Path) -> sqlite3.Connection:
    sql = connect(path, "ro")
    try:
        sql.execute("BEGIN")
        sql.execute("SELECT 1 FROM meta").fetchone()  # the snapshot begins with the first read
    except BaseException:
        sql.close()
        raise
    return sql


def _play_back(path: Path) -> None:
    sql = connect(path, "rw")
    try:
        sql.execute("SELECT 1 FROM meta").fetchone()
    finally:
        sql.close()


def _only_ours(path: Path) -> None:
    """Take back rights that others were given to the file; its side files get the same ones from SQLite.

    None are added: who made a state read-only meant it.
    """
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~0o600 and status.st_uid == os.geteuid():
        path.chmod(mode & 0o600)


@contextmanager
def _refused(expected: Expected) -> Iterator[None]:
    """Whatever SQLite says while a state is opened means that it cannot be used, and that nothing was sent."""
    try:
        yield
    except FAILURES as error:
        raise flaws.from_sqlite(expected, error) from error
    except OSError as error:
        raise StateError(f"{expected.path}: it cannot be read ({error.strerror}); nothing was sent.") from error
