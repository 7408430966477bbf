"""Broken states: claims, intents and outcomes that do not hold what they must."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import SendResult
from campaignkit.states.records import PlannedRequest, RequestState
from campaignkit.states.sqlite import attempts, claims, decisions
from campaignkit.states.sqlite.claims import free_request
from campaignkit.states.sqlite.rows import id_of
from campaignkit.states.sqlite.sums import recount_claims, seal
from campaignkit.states.sqlite.writing import SqliteStore
from tests.proofs.crash.mutants_wire import put


def recovery_plans_intents() -> None:
    """Intents of a dead run count as planned, so they are freed and planned anew."""

    def give_up(sql: sqlite3.Connection, at: str) -> tuple[list[str], int]:
        _back_to_planned(sql)
        return [], 0

    put(attempts, "give_up", give_up)


def recovery_frees_unknown() -> None:
    """Unknown is cleared away by the next run."""
    original = attempts.give_up

    def give_up(sql: sqlite3.Connection, at: str) -> tuple[list[str], int]:
        found = original(sql, at)
        _free(sql, "unknown")
        return found

    put(attempts, "give_up", give_up)


def _free(sql: sqlite3.Connection, state: str) -> None:
    for (request_id,) in sql.execute("SELECT id FROM request WHERE state = ?", (state,)).fetchall():
        free_request(sql, request_id)
        sql.execute("UPDATE request SET state = 'not_sent' WHERE id = ?", (request_id,))
        seal(sql, "request", request_id)


def _back_to_planned(sql: sqlite3.Connection) -> None:
    rows = sql.execute("UPDATE request SET state = 'planned' WHERE state = 'intent' RETURNING id").fetchall()
    seal(sql, "request", *(request_id for (request_id,) in rows))


def no_compare_and_set() -> None:
    """Any request may be sent, whatever has become of it."""

    def mark_intent(sql: sqlite3.Connection, ref: str, at: str) -> int:
        sql.execute("UPDATE request SET state = 'intent', attempts = attempts + 1, intent_at = ? WHERE id = ?", (at, id_of(ref)))
        seal(sql, "request", id_of(ref))
        [(number,)] = sql.execute("SELECT attempts FROM request WHERE id = ?", (id_of(ref),)).fetchall()
        return int(number)

    put(attempts, "mark_intent", mark_intent)


def claims_are_not_unique() -> None:
    """Whoever claims last holds the key."""
    put(claims, "_TAKE", "INSERT OR REPLACE INTO claim (mailing_id, phone, batch_id, position) VALUES (?, ?, ?, ?)")


def claims_of_the_dead_only() -> None:
    """A claim may be taken from a request that is still planned, or in flight."""
    take = "'accepted', 'unknown', 'abandoned'"
    put(
        claims,
        "_TAKE",
        "INSERT INTO claim (mailing_id, phone, batch_id, position) VALUES (?, ?, ?, ?) ON CONFLICT (mailing_id, phone) DO UPDATE SET"
        " batch_id = excluded.batch_id, position = excluded.position WHERE (SELECT r.state NOT IN"
        f" ({take}) FROM batch b JOIN request r ON r.id = b.request_id WHERE b.id = claim.batch_id)",
    )


def claimed_one_by_one() -> None:
    """A transaction for each request of a plan, not one for all."""
    original = SqliteStore.write_plan

    def write_plan(self: SqliteStore, run_id: int, requests: Iterable[PlannedRequest], at: datetime) -> Sequence[str]:
        return [ref for request in requests for ref in original(self, run_id, [request], at)]

    put(SqliteStore, "write_plan", write_plan)


def dissolve_frees_intents() -> None:
    """The end of a run frees its intents, too: nobody looks whether they were sent."""
    original = attempts.dissolve

    def dissolve(sql: sqlite3.Connection, at: str, *, run_id: int | None = None) -> tuple[int, int]:
        if run_id is None:
            _back_to_planned(sql)
        return original(sql, at, run_id=run_id)

    put(attempts, "dissolve", dissolve)
    put(attempts, "give_up", lambda *_: ([], 0))


def run_end_frees_unknown() -> None:
    """An unknown outcome is forgotten with the run that had it."""
    original = SqliteStore.end_run

    def end_run(self: SqliteStore, run_id: int, *, summary: str, at: datetime) -> None:
        with self._db.writing() as sql:
            _free(sql, "unknown")
        original(self, run_id, summary=summary, at=at)

    put(SqliteStore, "end_run", end_run)


def unknown_holds_nothing() -> None:
    """An unknown outcome gives the claims back."""
    put(attempts, "_KEEPING", attempts._KEEPING - {RequestState.UNKNOWN})


def rejected_keeps_its_claims() -> None:
    """Who was refused is never tried again, and nobody is told."""
    put(attempts, "_KEEPING", attempts._KEEPING | {RequestState.REJECTED})


def any_uuid_is_accepted() -> None:
    """A uuid that another request has is taken for this one's, too."""
    original = SqliteStore.begin_run

    def begin_run(self: SqliteStore, *, command: str, digest: str, at: datetime) -> int:
        self._db.sql.execute("DROP INDEX IF EXISTS request_by_uuid")
        return original(self, command=command, digest=digest, at=at)

    put(SqliteStore, "begin_run", begin_run)
    put(attempts, "uuid_holder", lambda *_: "")


def record_asks_nobody() -> None:
    """An outcome is stored whatever a person has decided meanwhile."""
    original = attempts.record

    def record(sql: sqlite3.Connection, ref: str, attempt: int, result: SendResult, at: str, *, again: bool) -> RequestState:
        sql.execute("UPDATE request SET state = 'intent', attempts = ? WHERE id = ?", (attempt, id_of(ref)))
        seal(sql, "request", id_of(ref))
        return original(sql, ref, attempt, result, at, again=again)

    put(attempts, "record", record)


def renaming_loses_claims() -> None:
    """`moved_from` leaves the deliveries of the old name behind."""

    def carry_over(sql: sqlite3.Connection, old: MailingKey, new: MailingKey) -> int:
        mailing = decisions._mailing(sql, old)
        lost = sql.execute("DELETE FROM claim WHERE mailing_id = ?", (mailing,)).rowcount
        recount_claims(sql, mailing)
        return lost

    put(decisions, "carry_over", carry_over)
