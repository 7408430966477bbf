"""The history: a line for everything that a run or a person did, each holding the hash of all before it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from hashlib import blake2b

_CHAIN_BYTES = 16
_ROWS = "SELECT id, at, kind, subject, detail, chain FROM event WHERE id > ? ORDER BY id LIMIT 256"


def event(sql: sqlite3.Connection, at: str, kind: str, subject: str, **detail: object) -> None:
    """Add a line whose detail is JSON, in the running transaction."""
    note(sql, at, kind, subject, json.dumps(detail, ensure_ascii=False))


def note(sql: sqlite3.Connection, at: str, kind: str, subject: str, detail: str) -> None:
    """Add a line, in the running transaction."""
    row = sql.execute("SELECT id, chain FROM event ORDER BY id DESC LIMIT 1").fetchone()
    event_id, before = (row[0] + 1, row[1]) if row else (1, b"")
    chain = _link(before, event_id, at, kind, subject, detail)
    sql.execute(
        "INSERT INTO event (id, at, kind, subject, detail, chain) VALUES (?, ?, ?, ?, ?, ?)", (event_id, at, kind, subject, detail, chain)
    )


def breaks(sql: sqlite3.Connection) -> Iterator[int]:
    """The ids of lines that do not follow from those before them: a line was changed, or taken out."""
    after, before, due = 0, b"", 1
    while page := sql.execute(_ROWS, (after,)).fetchall():
        for event_id, at, kind, subject, detail, chain in page:
            if event_id != due or chain != _link(before, event_id, at, kind, subject, detail):
                yield event_id
            before, due = chain, event_id + 1
        after = page[-1][0]


def chain_all(sql: sqlite3.Connection) -> None:
    """Give every line its hash: for a state of a version that had none."""
    before = b""
    for event_id, at, kind, subject, detail in sql.execute("SELECT id, at, kind, subject, detail FROM event ORDER BY id").fetchall():
        before = _link(before, event_id, at, kind, subject, detail)
        sql.execute("UPDATE event SET chain = ? WHERE id = ?", (before, event_id))


def _link(before: bytes, *fields: object) -> bytes:
    return blake2b(before + json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass"), digest_size=_CHAIN_BYTES).digest()
