"""Messages to the team's own phones. Functions of a transaction, and reading."""

from __future__ import annotations

import sqlite3

from campaignkit.model.outcomes import SendResult
from campaignkit.states.asides import TestRow
from campaignkit.states.sqlite.connection import Database, bump, demand_one
from campaignkit.states.sqlite.sums import damaged, demand_intact, holds, seal
from campaignkit.states.times import from_text

_COLUMNS = "id, campaign, mailing, phone, rendered_for, state, message_id, at, done_at, http_status, reason, answer"


def tests(database: Database) -> list[TestRow]:
    """All of them, oldest first; StateError if one is not as it was written."""
    found = []
    for row in database.rows(f"SELECT {_COLUMNS}, {holds('test_send')} FROM test_send ORDER BY id"):  # noqa: S608 - our own names
        if not row[12]:
            raise damaged(f"test {row[0]}")
        found.append(
            TestRow(
                id=row[0],
                campaign=row[1],
                mailing=row[2],
                phone=row[3],
                rendered_for=row[4],
                state=row[5],
                message_id=row[6],
                at=from_text(row[7]),
                done_at=from_text(row[8]) if row[8] else None,
                http_status=row[9],
                reason=row[10],
                answer=row[11],
            )
        )
    return found


def begin(sql: sqlite3.Connection, campaign: str, mailing: str, phone: int, rendered_for: int, at: str) -> int:
    """The intent of one. The serial rises: a copy made before does not count it."""
    cursor = sql.execute(
        "INSERT INTO test_send (campaign, mailing, phone, rendered_for, state, at) VALUES (?, ?, ?, ?, 'intent', ?)",
        (campaign, mailing, phone, rendered_for, at),
    )
    test_id = int(cursor.lastrowid or 0)
    seal(sql, "test_send", test_id)
    bump(sql, "serial")
    return test_id


def end(sql: sqlite3.Connection, test_id: int, result: SendResult, at: str) -> None:
    """How one ended."""
    demand_intact(sql, "test_send", test_id)
    cursor = sql.execute(
        "UPDATE test_send SET state = ?, message_id = ?, done_at = ?, http_status = ?, reason = ?, answer = ?"
        " WHERE id = ? AND state = 'intent'",
        (str(result.outcome), result.uuid, at, result.http_status, result.reason, result.answer, test_id),
    )
    demand_one(cursor, f"The test message {test_id} that is under way")
    seal(sql, "test_send", test_id)


def recover(sql: sqlite3.Connection, at: str) -> int:
    """Those that dead runs left under way become unknown. Returns how many."""
    left = [test_id for (test_id,) in sql.execute("SELECT id FROM test_send WHERE state = 'intent'").fetchall()]
    for test_id in left:
        demand_intact(sql, "test_send", test_id)
        sql.execute(
            "UPDATE test_send SET state = 'unknown', done_at = ?, reason = 'the process died while it was under way' WHERE id = ?",
            (at, test_id),
        )
        seal(sql, "test_send", test_id)
    return len(left)
