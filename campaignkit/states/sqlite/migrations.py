"""The steps from an older shape of a state to this one; each leads one version up, in one transaction with its number."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from campaignkit.states.sqlite import events, schema, sums
from campaignkit.states.sqlite.connection import bump


def step_up(sql: sqlite3.Connection) -> None:
    """Bring a state to the version of this program, if it is older: all of it or nothing."""
    sql.execute("BEGIN IMMEDIATE")
    try:
        while (version := sql.execute("SELECT schema_version FROM meta").fetchone()[0]) < schema.SCHEMA_VERSION:
            STEPS[version](sql)
            bump(sql, "schema_version")
        sql.execute("COMMIT")
    except BaseException:
        sql.execute("ROLLBACK")
        raise


def _checksums(sql: sqlite3.Connection) -> None:
    """1 to 2: rows, claims and history get their checksums, requests their callbacks."""
    # Statement by statement: executescript would commit what is open.
    sql.execute("ALTER TABLE request ADD COLUMN callback BLOB NOT NULL DEFAULT x''")
    for statement in schema.CALLBACKS.split(";"):
        sql.execute(statement)
    for table in ("meta", "mailing", "run", "request", "word"):
        sql.execute(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
    sql.execute("ALTER TABLE mailing ADD COLUMN claims INTEGER NOT NULL DEFAULT 0")
    sql.execute("ALTER TABLE mailing ADD COLUMN claims_sum INTEGER NOT NULL DEFAULT 0")
    sql.execute("ALTER TABLE event ADD COLUMN chain BLOB NOT NULL DEFAULT x''")
    for (mailing_id,) in sql.execute("SELECT id FROM mailing").fetchall():
        sums.recount_claims(sql, mailing_id)
    for table, columns in sums.COLUMNS.items():
        sql.execute(f"UPDATE {table} SET checksum = row_sum({columns})")  # noqa: S608 - our own names
    events.chain_all(sql)


STEPS: Final[dict[int, Callable[[sqlite3.Connection], None]]] = {1: _checksums}
"""By the version they start from."""
