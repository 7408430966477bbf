"""One connection to the file: how it is set, shared by threads, and how SQLite's failures are told to people."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

from campaignkit.errors import StateError
from campaignkit.states.sqlite import sums
from campaignkit.states.sqlite.schema import OLDEST_SQLITE

Row = tuple[Any, ...]

BUSY_MS = 30_000
"""How long a statement waits for another process, in milliseconds."""
_CACHE_KIB = 32_768
FAILURES: Final = (sqlite3.Error, UnicodeDecodeError)
"""What the driver raises: it reads SQLite's own words about damaged text as UTF-8."""


def connect(path: Path, mode: str, *, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A bare connection with explicit transactions; `mode` is `ro`, `rw`, or `immutable`: the main file alone.

    Raises:
        StateError: The SQLite of this Python is too old.
        sqlite3.Error: The file cannot be opened.
    """
    demand_version(sqlite3.sqlite_version_info)
    how = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    sql = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        sql.execute(f"PRAGMA busy_timeout = {busy_ms:d}")
        sql.execute("PRAGMA foreign_keys = ON")
        sql.execute("PRAGMA synchronous = FULL")
        sql.execute(f"PRAGMA cache_size = -{_CACHE_KIB:d}")
        # No phone of anybody may reach a temporary file, and no function of a doctored schema may run.
        sql.execute("PRAGMA temp_store = MEMORY")
        sql.execute("PRAGMA trusted_schema = OFF")
        # On macOS what is synced may stay in the disk's own cache unless these are on; elsewhere they change nothing.
        sql.execute("PRAGMA fullfsync = ON")
        sql.execute("PRAGMA checkpoint_fullfsync = ON")
        sums.register(sql)
    except BaseException:
        sql.close()
        raise
    return sql


def demand_version(found: tuple[int, ...]) -> None:
    """Refuse a SQLite that lacks what the statements here use; StateError if this version is too old."""
    if found < OLDEST_SQLITE:
        has, wanted = (".".join(map(str, version)) for version in (found, OLDEST_SQLITE))
        raise StateError(
            f"This Python comes with SQLite {has}; the state needs {wanted} or newer. "
            "Nothing was sent. Run campaignkit with a newer Python."
        )


class Database:
    """A connection that several threads share under one lock; its failures leave as `StateError`."""

    def __init__(self, path: Path, sql: sqlite3.Connection) -> None:
        self.path = path
        self.sql = sql
        self._lock = Lock()

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of one query."""
        with self._lock, told(self.path):
            return self.sql.execute(query, parameters).fetchall()

    def row(self, query: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row of one query."""
        rows = self.rows(query, parameters)
        return rows[0] if rows else None

    def check(self, demand: Callable[[sqlite3.Connection, int], None], row_id: int) -> None:
        """Let one of the demands of `sums` look, within whatever transaction is open; StateError where it is not met."""
        with self._lock, told(self.path):
            demand(self.sql, row_id)

    def moment(self) -> tuple[int, int]:
        """Something that differs once this connection, or any other, has changed the state."""
        own = self.sql.total_changes
        [(others,)] = self.rows("PRAGMA data_version")
        return own, others

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that is durable when the block ends well, and never was when it does not."""
        with self._lock, told(self.path):
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                yield self.sql
                self.sql.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk may have ended the transaction already
                    self.sql.execute("ROLLBACK")
                raise

    def close(self, last: Callable[[sqlite3.Connection], None] | None = None) -> None:
        """Close, after `last` has had the connection to itself."""
        with self._lock:
            try:
                if last is not None:
                    with told(self.path):
                        last(self.sql)
            finally:
                self.sql.close()


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into a `StateError` that names the file and the way out."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise StateError(f"{path}: {_why('SQLITE_CORRUPT')} (it holds text that is none). This step was not stored.") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "")
        raise StateError(f"{path}: {_why(code)} (SQLite: {error}). This step was not stored.") from error


def _why(code: str) -> str:
    """What a code of SQLite means, and what helps."""
    reasons = {
        "SQLITE_FULL": "the disk is full: make room and run the same command again",
        "SQLITE_BUSY": "another process keeps it busy: wait until that is done",
        "SQLITE_READONLY": "it is read-only: the file and its folder must be writable",
        "SQLITE_CANTOPEN": "it, or a file beside it, cannot be opened: look at the rights of the folder",
        "SQLITE_IOERR": "the disk failed",
        "SQLITE_CORRUPT": "it is damaged: bring back a backup",
        "SQLITE_NOTADB": "it is no SQLite database: bring back a backup",
        "SQLITE_CONSTRAINT": "something in it is there already, or does not fit",
    }
    for prefix, reason in reasons.items():
        if code.startswith(prefix):
            return reason
    return "the state store failed"


def demand_one(cursor: sqlite3.Cursor, what: str) -> None:
    """Refuse to go on unless the update met exactly one row: anything else means the state is not as it was thought."""
    if cursor.rowcount != 1:
        raise StateError(f"{what}: {cursor.rowcount} rows of the state match where exactly one must. Nothing changed.")


def bump(sql: sqlite3.Connection, *counters: str) -> None:
    """Count up some counters of the state, in the running transaction."""
    cursor = sql.execute(sums.change("meta", {name: f"{name} + 1" for name in counters}))
    if cursor.rowcount != 1:
        sums.demand_intact(sql, "meta", 1)
    demand_one(cursor, "The state's own row")
