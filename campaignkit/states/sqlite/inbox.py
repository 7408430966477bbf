"""Replies, and the ids by which the provider is asked for them. Functions of a transaction, and reading."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaignkit.states.asides import Kept, Reply, ReplyRow
from campaignkit.states.sqlite import optouts as opting
from campaignkit.states.sqlite.connection import Database, demand_one
from campaignkit.states.sqlite.rows import id_of, ref_of
from campaignkit.states.sqlite.sums import damaged, demand_intact, holds, seal
from campaignkit.states.times import from_text

_PAGE = 256
_ROWS = f"""
SELECT i.id, i.provider_id, i.message_id, i.request_id, i.phone, i.text, i.received, i.pulled_at, i.acked_at, {holds("incoming", "i")}
FROM incoming i
WHERE i.id > ?1 AND (?2 IS NULL OR i.phone = ?2) AND (NOT ?3 OR i.acked_at IS NULL)
    AND (?4 = '[]' OR EXISTS (SELECT 1 FROM batch b JOIN mailing m ON m.id = b.mailing_id
                              WHERE b.request_id = i.request_id AND m.campaign IN (SELECT value FROM json_each(?4))))
ORDER BY i.id LIMIT {_PAGE:d}
"""  # noqa: S608 - our own names


def replies(database: Database, *, campaigns: Sequence[str], phone: int | None, unread: bool) -> Iterator[ReplyRow]:
    """Replies in the order they were stored, fetched some at a time; StateError if one is not as it was written."""
    after = 0
    while page := database.rows(_ROWS, (after, phone, unread, json.dumps(list(campaigns)))):
        yield from map(_row, page)
        after = page[-1][0]


def keep(sql: sqlite3.Connection, found: Sequence[Reply], *, optouts: Mapping[str, str], at: str, by: str) -> Kept:
    """Store replies, each once, with the opt-outs that follow from the new ones."""
    new: list[int] = []
    opted_out: list[int] = []
    altered: list[str] = []
    unread_again = 0
    for reply in found:
        known = sql.execute(
            "SELECT id, phone, text, acked_at FROM incoming WHERE provider_id = ?", (reply.provider_id,)
        ).fetchone()  # fmt: skip
        if known is not None:
            row_id, phone, text, acked_at = known
            demand_intact(sql, "incoming", row_id)
            if (phone, text) != (reply.phone, reply.text):
                altered.append(reply.provider_id)
            if acked_at is not None:
                sql.execute("UPDATE incoming SET acked_at = NULL WHERE id = ?", (row_id,))
                seal(sql, "incoming", row_id)
                unread_again += 1
            continue
        row_id = _insert(sql, reply, at)
        new.append(row_id)
        reason = optouts.get(reply.provider_id)
        if reason is not None and reply.phone is not None and opting.opt_out(sql, reply.phone, reason=reason, at=at, by=by, reply=row_id):
            opted_out.append(reply.phone)
    query = _ROWS.replace("i.id > ?1", "i.id IN (SELECT value FROM json_each(?1))").replace(f"LIMIT {_PAGE:d}", "")
    rows = sql.execute(query, (json.dumps(new), None, False, "[]")).fetchall() if new else []
    return Kept(new=tuple(map(_row, rows)), opted_out=tuple(opted_out), altered=tuple(altered), unread_again=unread_again)


def _insert(sql: sqlite3.Connection, reply: Reply, at: str) -> int:
    cursor = sql.execute(
        # The mailing may have been forgotten while the provider was asked.
        "INSERT INTO incoming (provider_id, message_id, request_id, phone, text, received, pulled_at)"
        " VALUES (?, ?, (SELECT id FROM request WHERE id = ?), ?, ?, ?, ?)",
        (reply.provider_id, reply.message_id, id_of(reply.request), reply.phone, reply.text, reply.received, at),
    )
    row_id = int(cursor.lastrowid or 0)
    seal(sql, "incoming", row_id)
    return row_id


def mark_acked(sql: sqlite3.Connection, ids: Sequence[int], at: str) -> int:
    """Note what the provider has marked as read. Returns how many are newly noted."""
    marked = 0
    for row_id in ids:
        demand_intact(sql, "incoming", row_id)
        changed = sql.execute("UPDATE incoming SET acked_at = ? WHERE id = ? AND acked_at IS NULL", (at, row_id)).rowcount
        if changed:
            seal(sql, "incoming", row_id)
        marked += changed
    return marked


def learn_messages(sql: sqlite3.Connection, ref: str, message_ids: Sequence[str]) -> None:
    """Keep the provider's ids of the mailings of a bulk request, each once. StateError if the request is gone."""
    request_id = id_of(ref)
    demand_intact(sql, "request", request_id)
    demand_one(sql.execute("UPDATE request SET id = id WHERE id = ?", (request_id,)), ref)
    for message_id in message_ids:
        known = sql.execute("SELECT 1 FROM message WHERE request_id = ? AND message_id = ?", (request_id, message_id)).fetchone()
        if known is None:
            cursor = sql.execute("INSERT INTO message (request_id, message_id) VALUES (?, ?)", (request_id, message_id))
            seal(sql, "message", int(cursor.lastrowid or 0))


def message_ids(database: Database) -> dict[str, list[str]]:
    """By reference: what `learn_messages` kept."""
    found: dict[str, list[str]] = defaultdict(list)
    query = f"SELECT id, request_id, message_id, {holds('message')} FROM message ORDER BY id"  # noqa: S608 - our own names
    for row_id, request_id, message_id, intact in database.rows(query):
        if not intact:
            raise damaged(f"row {row_id} of message")
        found[ref_of(request_id)].append(message_id)
    return dict(found)


def forget(sql: sqlite3.Connection, request_id: int) -> None:
    """Drop the replies to a request, whose words may name people who are to be forgotten, and its ids."""
    sql.execute("DELETE FROM incoming WHERE request_id = ?", (request_id,))
    sql.execute("DELETE FROM message WHERE request_id = ?", (request_id,))


def _row(row: tuple[Any, ...]) -> ReplyRow:
    if not row[9]:
        raise damaged(f"reply {row[0]}")
    return ReplyRow(
        id=row[0],
        provider_id=row[1],
        message_id=row[2],
        request=ref_of(row[3]) if row[3] else "",
        phone=row[4],
        text=row[5],
        received=row[6],
        pulled_at=from_text(row[7]),
        acked_at=from_text(row[8]) if row[8] else None,
    )
