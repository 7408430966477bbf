"""Who wants nothing more. Functions of a transaction, and reading."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from campaignkit.model.phones import masked
from campaignkit.states.asides import OptoutRow
from campaignkit.states.sqlite.connection import Database, bump
from campaignkit.states.sqlite.events import event
from campaignkit.states.sqlite.sums import damaged, demand_intact, holds, seal
from campaignkit.states.times import from_text

_COLUMNS = f"id, at, reason, by, reply, {holds('optout')}"
_DAMAGED = "an opt-out"


def opted_out(database: Database, phones: Sequence[int]) -> frozenset[int]:
    """Which of these want nothing more.

    Raises:
        StateError: One of them is not as it was written.
    """
    query = f"SELECT id, {holds('optout')} FROM optout WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names
    found = database.rows(query, (json.dumps(list(phones)),))
    if not all(intact for _, intact in found):
        raise damaged(_DAMAGED)
    return frozenset(phone for phone, _ in found)


def demand_all(database: Database) -> None:
    """Refuse to look for anybody where a row is not as it was written: it may have been theirs."""
    if database.row(f"SELECT 1 FROM optout WHERE NOT {holds('optout')}"):  # noqa: S608 - our own names
        raise damaged(_DAMAGED)


def everybody(database: Database) -> list[OptoutRow]:
    """All of them, by phone."""
    found = []
    for phone, at, reason, by, reply, intact in database.rows(f"SELECT {_COLUMNS} FROM optout ORDER BY id"):  # noqa: S608 - our own names
        if not intact:
            raise damaged(_DAMAGED)
        found.append(OptoutRow(phone=phone, at=from_text(at), reason=reason, by=by, reply=reply))
    return found


def opt_out(sql: sqlite3.Connection, phone: int, *, reason: str, at: str, by: str, reply: int | None) -> bool:
    """Add one; False if it is there. The history names nobody in clear: it outlives what people ask to be forgotten."""
    demand_intact(sql, "optout", phone)
    cursor = sql.execute(
        "INSERT INTO optout (id, at, reason, reply, by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING", (phone, at, reason, reply, by)
    )
    if not cursor.rowcount:
        return False
    seal(sql, "optout", phone)
    bump(sql, "serial", "claims_version")
    event(sql, at, "opt_out", masked(phone), reason=reason, by=by, reply=reply)
    return True


def opt_in(sql: sqlite3.Connection, phone: int, *, reason: str, at: str, by: str) -> bool:
    """Take one away; False if there is none."""
    demand_intact(sql, "optout", phone)
    row = sql.execute("DELETE FROM optout WHERE id = ? RETURNING at, reason", (phone,)).fetchone()
    if row is None:
        return False
    bump(sql, "serial", "claims_version", "releases")
    event(sql, at, "opt_in", masked(phone), reason=reason, by=by, since=row[0], was=row[1])
    return True
