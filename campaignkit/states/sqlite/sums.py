"""Checksums of rows: what notices a flipped bit, which SQLite's own checks let pass.

Every row that a decision rests on carries a sum over its columns, written with it and looked at whenever it is read for a decision or
about to be changed. Claims are too many for that: each mailing carries the number and the sum of its claims instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Final
from zlib import crc32

from campaignkit.errors import StateError

COLUMNS: Final = {
    # `in_use` is left out: it is set by itself, before anything else may be written.
    "meta": "id, schema_version, environment, origin, lineage, created_at, serial, releases, claims_version",
    "mailing": "id, campaign, revision, name, path, line, claims, claims_sum",
    "run": "id, command, digest, began_at, ended_at, summary",
    "request": "id, run_id, method, step, state, uuid, attempts, planned_at, intent_at, done_at, http_status, phase, reason, bytes_written,"
    " polled_at, final, answer, poll_answer, callback",
    "batch": "id, request_id, position, mailing_id, count, claimed, refused, path, line, schedule_at, definition, tag, name, errors,"
    " error_first_at, histogram, phones, fingerprints, statuses, details",
    "word": "id, word",
    "listing": "id, subscribers, draft_word, cost, phones, statuses, details",
    "incoming": "id, provider_id, message_id, request_id, phone, text, received, pulled_at, acked_at",
    "message": "id, request_id, message_id",
    "optout": "id, at, reason, reply, by",
    "test_send": "id, campaign, mailing, phone, rendered_for, state, message_id, at, done_at, http_status, reason, answer",
}
"""By table: what its rows' sums cover, in this order."""

_MODULUS: Final = 4_294_967_291
"""A prime below 2^32: a sum of two thousand million of its remainders stays below 2^63."""
CLAIMS_OF: Final = f"SELECT count(*), coalesce(sum(phone % {_MODULUS}), 0) FROM claim WHERE mailing_id = ?"  # noqa: S608 - our own number


def register(sql: sqlite3.Connection) -> None:
    """Let statements of this connection compute the sum of a row."""
    sql.create_function("row_sum", -1, row_sum, deterministic=True)


def row_sum(*values: Any) -> int:
    """The checksum of one row's values."""
    return crc32(b"\0".join([value if type(value) is bytes else str(value).encode() for value in values]))


def phones_sum(phones: Any) -> int:
    """What these phones add to the sum of a mailing's claims."""
    return sum(phone % _MODULUS for phone in phones)


def holds(table: str, alias: str = "") -> str:
    """An SQL expression: 1 where the row's sum is right, else 0."""
    columns = COLUMNS[table]
    if alias:
        columns = ", ".join(f"{alias}.{column.strip()}" for column in columns.split(","))
    return f"({alias + '.' if alias else ''}checksum = row_sum({columns}))"


def seal(sql: sqlite3.Connection, table: str, *row_ids: int) -> None:
    """Write the sums of rows that were just changed, in the running transaction."""
    sql.executemany(f"UPDATE {table} SET checksum = row_sum({COLUMNS[table]}) WHERE id = ?", [(row_id,) for row_id in row_ids])  # noqa: S608 - our own names


def change(table: str, columns: Mapping[str, str]) -> str:
    """The UPDATE that changes one row, if it is as it was written, and its sum with it: the row is written once, and its bytes read once.

    Args:
        table: Of `COLUMNS`.
        columns: By column, the SQL expression of its new value: of the type of the column, as the sum is taken of it as it is.

    Returns:
        The statement up to its condition, to which more may be added. Whoever meets no row by it asks `demand_intact` why.
    """
    new = ", ".join(columns.get(name, name) for name in COLUMNS[table].split(", "))
    values = ", ".join(f"{name} = {value}" for name, value in columns.items())
    return f"UPDATE {table} SET {values}, checksum = row_sum({new}) WHERE {holds(table)}"  # noqa: S608 - our own names


def demand_intact(sql: sqlite3.Connection, table: str, row_id: int) -> None:
    """Refuse to build on a row that is not as it was written; a row that is not there is none of this.

    Raises:
        StateError: Its sum is wrong.
    """
    if sql.execute(f"SELECT {holds(table)} FROM {table} WHERE id = ?", (row_id,)).fetchone() == (0,):  # noqa: S608 - our own names
        raise damaged(f"row {row_id} of {table}")


def demand_claims(sql: sqlite3.Connection, mailing_id: int) -> None:
    """Refuse to build on the claims of a mailing if they are not those that were written. One pass over them.

    Raises:
        StateError: Their number or their sum is wrong.
    """
    demand_intact(sql, "mailing", mailing_id)
    due = sql.execute("SELECT claims, claims_sum FROM mailing WHERE id = ?", (mailing_id,)).fetchone()
    if due is not None and sql.execute(CLAIMS_OF, (mailing_id,)).fetchone() != due:
        raise damaged(f"the claims of mailing {mailing_id}")


def recount_claims(sql: sqlite3.Connection, mailing_id: int) -> None:
    """Write the number and the sum of a mailing's claims as they are now; `demand_claims` comes before the change."""
    sql.execute(f"UPDATE mailing SET (claims, claims_sum) = ({CLAIMS_OF}) WHERE id = ?", (mailing_id, mailing_id))  # noqa: S608 - our own number
    seal(sql, "mailing", mailing_id)


def damaged(what: str) -> StateError:
    """A part of the state is not what was written there."""
    return StateError(
        f"The state is damaged: {what}: the checksum is wrong (a bad disk, or somebody's hand). Nothing was sent on its word. "
        "`campaignkit state verify` tells all that is wrong; bring back the newest backup with `campaignkit state restore`.",
        next_command="campaignkit state verify",
    )
