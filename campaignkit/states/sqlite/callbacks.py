"""The inbox of what the provider posts, and the memory of what was asked because of it. Nothing here changes a request."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from campaignkit.states.records import CallbackRow, Finding, Hints, Taken, Verification
from campaignkit.states.sqlite.connection import Database, demand_one
from campaignkit.states.sqlite.rows import id_of, ref_of
from campaignkit.states.times import from_text
from campaignkit.wire.callbacks import LARGEST_BODY

MOST_A_REQUEST = 16
"""Callbacks kept for one request: the API tells of one. Whoever knows the address fills this much and no more."""


def request_of(rows: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]], secret_hash: bytes) -> int:
    """The id of the request with this callback address; 0 if there is none."""
    # The index compares hashes: how long that takes tells nothing of the secret, as nobody can guess towards a hash.
    found = rows("SELECT id FROM request WHERE callback = ? AND callback <> x''", (secret_hash,))
    return int(found[0][0]) if found else 0


def take(database: Database, secret_hash: bytes, body: bytes, at: str) -> Taken:
    """Keep one callback; ValueError if it is too large."""
    if len(body) > LARGEST_BODY:
        raise ValueError(f"a callback of {len(body)} bytes is larger than {LARGEST_BODY}")
    body_hash = hashlib.sha256(body).digest()
    with database.writing() as sql:
        request_id = request_of(lambda query, values: sql.execute(query, values).fetchall(), secret_hash)
        if not request_id:
            return Taken.UNKNOWN
        kept = [found for (found,) in sql.execute("SELECT body_hash FROM callback WHERE request_id = ?", (request_id,))]
        if body_hash in kept:
            return Taken.REPEATED
        if len(kept) >= MOST_A_REQUEST:
            return Taken.FULL
        sql.execute("INSERT INTO callback (request_id, body_hash, at, body) VALUES (?, ?, ?, ?)", (request_id, body_hash, at, body))
    return Taken.STORED


def open_requests(database: Database) -> list[int]:
    """Requests with a callback that nobody handled yet, oldest first."""
    return [found for (found,) in database.rows("SELECT DISTINCT request_id FROM callback WHERE NOT handled ORDER BY request_id")]


def hints_of(database: Database, request_id: int) -> Hints:
    """Everything that came in about one request."""
    taken = database.rows("SELECT id, at, body, handled FROM callback WHERE request_id = ? ORDER BY id", (request_id,))
    asked = database.rows("SELECT uuid, finding, tries, at FROM verification WHERE request_id = ? ORDER BY at, uuid", (request_id,))
    return Hints(
        ref=ref_of(request_id),
        callbacks=tuple(CallbackRow(id=i, at=from_text(at), body=body, handled=bool(handled)) for i, at, body, handled in taken),
        verifications=tuple(
            Verification(uuid=uuid, finding=Finding(finding), tries=tries, at=from_text(at)) for uuid, finding, tries, at in asked
        ),
    )


def record_verification(sql: sqlite3.Connection, ref: str, uuid: str, finding: Finding, at: str) -> None:
    """Remember what asking about a uuid showed. StateError if the request is gone."""
    cursor = sql.execute(
        "INSERT INTO verification (request_id, uuid, finding, tries, at) SELECT id, ?, ?, 1, ? FROM request WHERE id = ?"
        " ON CONFLICT (request_id, uuid) DO UPDATE SET finding = excluded.finding, tries = tries + 1, at = excluded.at",
        (uuid, str(finding), at, id_of(ref)),
    )
    demand_one(cursor, ref)


def forget(sql: sqlite3.Connection, request_id: int) -> None:
    """Drop what came in about a request: its bodies may name people who are to be forgotten."""
    sql.execute("DELETE FROM callback WHERE request_id = ?", (request_id,))
    sql.execute("DELETE FROM verification WHERE request_id = ?", (request_id,))


def problems_of(database: Database) -> Iterator[str]:
    """Bodies that are not what came in."""
    after = 0
    while page := database.rows("SELECT id, request_id, body_hash, body FROM callback WHERE id > ? ORDER BY id LIMIT 64", (after,)):
        for callback_id, request_id, body_hash, body in page:
            if hashlib.sha256(body).digest() != body_hash:
                yield f"callback {callback_id} of {ref_of(request_id)} is not what came in"
        after = page[-1][0]
