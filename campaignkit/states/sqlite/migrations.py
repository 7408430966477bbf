"""The steps from an older shape of a state to this one; each leads one version up, in one transaction with its number."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from campaignkit.states.sqlite import events, schema, sums
from campaignkit.states.sqlite.connection import demand_one

_REQUEST_2: Final = (
    "id, run_id, state, uuid, attempts, planned_at, intent_at, done_at, http_status, phase, reason, bytes_written, polled_at,"
    " final, answer, poll_answer, callback"
)
_COLUMNS_2: Final = {table: sums.COLUMNS[table] for table in ("meta", "mailing", "run", "batch", "word")} | {"request": _REQUEST_2}
"""What the sums of version 2 covered."""


def step_up(sql: sqlite3.Connection) -> None:
    """Bring a state to the version of this program, if it is older: all of it or nothing."""
    # A table whose rules change is made anew; the rows that point to it must not be asked meanwhile.
    sql.execute("PRAGMA foreign_keys = OFF")
    try:
        sql.execute("BEGIN IMMEDIATE")
        try:
            while (version := sql.execute("SELECT schema_version FROM meta").fetchone()[0]) < schema.SCHEMA_VERSION:
                STEPS[version](sql)
                demand_one(sql.execute("UPDATE meta SET schema_version = schema_version + 1"), "The state's own row")
                sums.seal(sql, "meta", 1)
            sql.execute("COMMIT")
        except BaseException:
            sql.execute("ROLLBACK")
            raise
    finally:
        sql.execute("PRAGMA foreign_keys = ON")


def _checksums(sql: sqlite3.Connection) -> None:
    """1 to 2: rows, claims and history get their checksums, requests their callbacks."""
    sql.execute("ALTER TABLE request ADD COLUMN callback BLOB NOT NULL DEFAULT x''")
    _run(sql, schema.CALLBACKS)
    for table in ("meta", "mailing", "run", "request", "word"):
        sql.execute(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
    sql.execute("ALTER TABLE mailing ADD COLUMN claims INTEGER NOT NULL DEFAULT 0")
    sql.execute("ALTER TABLE mailing ADD COLUMN claims_sum INTEGER NOT NULL DEFAULT 0")
    sql.execute("ALTER TABLE event ADD COLUMN chain BLOB NOT NULL DEFAULT x''")
    for (mailing_id,) in sql.execute("SELECT id FROM mailing").fetchall():
        sums.recount_claims(sql, mailing_id)
    for table, columns in _COLUMNS_2.items():
        sql.execute(f"UPDATE {table} SET checksum = row_sum({columns})")  # noqa: S608 - our own names
    events.chain_all(sql)


def _methods(sql: sqlite3.Connection) -> None:
    """2 to 3: requests of other methods than bulk, lists of the provider, replies, opt-outs, tests.

    Raises:
        StateError: A request is not as it was written: a new sum must not make that look right.
    """
    damaged = sql.execute(f"SELECT id FROM request WHERE checksum <> row_sum({_REQUEST_2})").fetchone()  # noqa: S608 - our own names
    if damaged is not None:
        raise sums.damaged(f"row {damaged[0]} of request")
    [(before,)] = sql.execute("SELECT seq FROM sqlite_sequence WHERE name = 'request'").fetchall() or [(0,)]
    _run(sql, schema.REQUEST.replace("CREATE TABLE request ", "CREATE TABLE request_3 "))
    sql.execute(f"INSERT INTO request_3 ({_REQUEST_2}) SELECT {_REQUEST_2} FROM request")  # noqa: S608 - our own names
    sql.execute("DROP TABLE request")
    sql.execute("ALTER TABLE request_3 RENAME TO request")
    # What was forgotten never lends its name to another: the numbers go on where they were.
    sql.execute("DELETE FROM sqlite_sequence WHERE name IN ('request', 'request_3')")
    sql.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('request', ?)", (before,))
    _run(sql, schema.REQUEST_INDEXES)
    sql.execute(f"UPDATE request SET checksum = row_sum({sums.COLUMNS['request']})")  # noqa: S608 - our own names
    _run(sql, schema.METHODS)


def _run(sql: sqlite3.Connection, script: str) -> None:
    """Statement by statement: executescript would commit what is open."""
    for statement in script.split(";"):
        sql.execute(statement)


STEPS: Final[dict[int, Callable[[sqlite3.Connection], None]]] = {1: _checksums, 2: _methods}
"""By the version they start from."""
