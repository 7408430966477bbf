"""Mailings to lists of the provider, after their create: how many they reach, who those are, what it cost. Functions of a transaction."""

from __future__ import annotations

import sqlite3

from campaignkit.errors import StateError
from campaignkit.states.packing import PHONE_BYTES
from campaignkit.states.records import Listing
from campaignkit.states.sqlite.connection import demand_one
from campaignkit.states.sqlite.rows import id_of
from campaignkit.states.sqlite.sums import demand_intact, seal


def create(sql: sqlite3.Connection, request_id: int, subscribers: int | None) -> None:
    """A draft was made, for so many subscribers (None: the answer did not say)."""
    sql.execute("INSERT OR IGNORE INTO listing (id, subscribers) VALUES (?, ?)", (request_id, subscribers))
    seal(sql, "listing", request_id)


def note_draft(sql: sqlite3.Connection, ref: str, word: str) -> None:
    """Keep the provider's status word of what certainly is a draft. StateError if the request is none any more."""
    request_id = id_of(ref)
    demand_intact(sql, "listing", request_id)
    cursor = sql.execute(
        "UPDATE listing SET draft_word = ? WHERE id = (SELECT id FROM request WHERE id = ? AND state = 'draft')", (word, request_id)
    )
    demand_one(cursor, f"{ref} as a draft")
    seal(sql, "listing", request_id)


def update(sql: sqlite3.Connection, ref: str, listing: Listing) -> None:
    """Store who got it and how it stands, in columns of one length. StateError if it is no list mailing with a draft."""
    if len(listing.phones) != PHONE_BYTES * len(listing.statuses):
        raise ValueError("the columns of a list do not have the same people")
    request_id = id_of(ref)
    demand_intact(sql, "listing", request_id)
    cursor = sql.execute(
        "UPDATE listing SET subscribers = ?, cost = ?, phones = ?, statuses = ?, details = ? WHERE id = ?",
        (listing.subscribers, listing.cost, listing.phones, listing.statuses, listing.details, request_id),
    )
    if cursor.rowcount != 1:
        raise StateError(f"{ref} is no mailing to a list of the provider. Nothing of this answer was stored.")
    seal(sql, "listing", request_id)
