"""What the provider said later: statuses by person, errors by batch. Functions of a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from campaignkit.errors import StateError
from campaignkit.states.packing import pack_histogram
from campaignkit.states.records import BatchUpdate, Listing
from campaignkit.states.sqlite import listings
from campaignkit.states.sqlite.connection import bump, demand_one
from campaignkit.states.sqlite.rows import id_of
from campaignkit.states.sqlite.sums import change, demand_intact, seal
from campaignkit.states.times import to_text

_OTHERS = 255
_OTHERS_WORD = "OTHER"

_POLLED = (
    change(
        "request",
        {"polled_at": ":at", "final": ":final", "poll_answer": "CASE WHEN length(:answer) THEN :answer ELSE poll_answer END"},
    )
    + " AND id = :id AND state = 'accepted' AND polled_at IS :seen"
)
# Once somebody of it was planned anew, its refusal stands: taking it back would claim that person twice.
_TAUGHT = (
    change(
        "batch",
        {
            "statuses": ":statuses",
            "histogram": ":histogram",
            "details": ":details",
            "errors": ":errors",
            "error_first_at": ":error_first_at",
            "refused": "(:refused OR claimed < count)",
        },
    )
    + " AND id = :id"
)


def record_poll(
    sql: sqlite3.Connection,
    ref: str,
    updates: Sequence[BatchUpdate],
    *,
    final: bool,
    at: str,
    answer: bytes,
    seen: str | None,
    listing: Listing | None,
) -> bool:
    """Store one answer, unless another came since `seen`.

    StateError if the request is not accepted or a batch is none of its own.
    """
    request_id = id_of(ref)
    cursor = sql.execute(_POLLED, {"at": at, "final": int(final), "answer": answer, "id": request_id, "seen": seen})
    if cursor.rowcount != 1:
        demand_intact(sql, "request", request_id)
        demand_one(
            sql.execute("UPDATE request SET id = id WHERE id = ? AND state = 'accepted'", (request_id,)), f"{ref} as an accepted request"
        )
        return False
    if listing is not None:
        listings.update(sql, ref, listing)
    changed = [_update(sql, request_id, update) for update in updates]
    if any(changed):
        bump(sql, "claims_version")
    return True


def word_id(sql: sqlite3.Connection, word: str) -> int:
    """The byte of a word, given to it now if it is new; 255 for every word after the 254th."""
    row = sql.execute("SELECT id FROM word WHERE word = ?", (word,)).fetchone()
    if row is not None:
        return int(row[0])
    free = int(sql.execute("SELECT coalesce(max(id), 0) + 1 FROM word").fetchone()[0])
    if free < _OTHERS:
        sql.execute("INSERT INTO word (id, word) VALUES (?, ?)", (free, word))
        seal(sql, "word", free)
        return free
    sql.execute("INSERT OR IGNORE INTO word (id, word) VALUES (?, ?)", (_OTHERS, _OTHERS_WORD))
    seal(sql, "word", _OTHERS)
    return _OTHERS


def _update(sql: sqlite3.Connection, request_id: int, update: BatchUpdate) -> bool:
    """Write one batch; tells whether its people were refused by it, or are no longer."""
    row = sql.execute("SELECT count, refused, claimed FROM batch WHERE id = ? AND request_id = ?", (update.batch_id, request_id)).fetchone()
    if row is None:
        raise StateError(f"Batch {update.batch_id} is none of r{request_id}. Nothing of this answer was stored.")
    count, was_refused, claimed = row
    if len(update.statuses) != count:
        raise ValueError(f"batch {update.batch_id} has {count} people, not {len(update.statuses)}")
    cursor = sql.execute(
        _TAUGHT,
        {
            "statuses": update.statuses,
            "histogram": pack_histogram(update.statuses),
            "details": update.details,
            "errors": json.dumps(update.errors, ensure_ascii=False),
            "error_first_at": None if update.error_first_at is None else to_text(update.error_first_at),
            "refused": int(update.refused),
            "id": update.batch_id,
        },
    )
    if cursor.rowcount != 1:
        demand_intact(sql, "batch", update.batch_id)
    demand_one(cursor, f"Batch {update.batch_id}")
    return bool(was_refused) != (update.refused or claimed < count)
