"""The life of one request: its one way from planned to intent, and how an attempt ends. Functions of a transaction."""

from __future__ import annotations

import sqlite3

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.states.records import RequestState, Step
from campaignkit.states.sqlite import listings
from campaignkit.states.sqlite.claims import free_request, free_requests
from campaignkit.states.sqlite.connection import bump, demand_one
from campaignkit.states.sqlite.rows import id_of, ref_of
from campaignkit.states.sqlite.sums import change, demand_intact, seal

_ENDS = {
    Outcome.ACCEPTED: RequestState.ACCEPTED,
    Outcome.REJECTED: RequestState.REJECTED,
    Outcome.THROTTLED: RequestState.THROTTLED,
    Outcome.NOT_SENT: RequestState.NOT_SENT,
    Outcome.UNKNOWN: RequestState.UNKNOWN,
}
_REPEATABLE = frozenset({RequestState.THROTTLED, RequestState.NOT_SENT})
_BEGUN = (
    change(
        "request",
        {
            "step": "iif(state = 'draft', 'confirm', step)",
            "state": "'intent'",
            "attempts": "attempts + 1",
            "intent_at": ":at",
            "done_at": "NULL",
            "http_status": "NULL",
            "phase": "''",
            "reason": "''",
            "bytes_written": "0",
            "answer": "x''",
        },
    )
    + " AND id = :id AND state IN ('planned', 'draft') RETURNING attempts"
)
_ENDED = (
    change(
        "request",
        {
            "state": ":state",
            "uuid": ":uuid",
            "done_at": ":at",
            "http_status": ":http_status",
            "phase": ":phase",
            "reason": ":reason",
            "bytes_written": ":bytes_written",
            "answer": ":answer",
        },
    )
    + " AND id = :id AND attempts = :attempt AND state IN ('intent', 'unknown')"
)
_KEEPING = frozenset({RequestState.ACCEPTED, RequestState.UNKNOWN, RequestState.PLANNED, RequestState.DRAFT})


def mark_intent(sql: sqlite3.Connection, ref: str, at: str) -> int | None:
    """Planned → intent, or draft → intent to confirm it. Returns the attempt's number; None: it must not be sent.

    What an earlier attempt learned (a throttle) goes: it must not pass for evidence about this one.
    """
    request_id = id_of(ref)
    rows = sql.execute(_BEGUN, {"at": at, "id": request_id}).fetchall()
    if not rows:
        demand_intact(sql, "request", request_id)
    return int(rows[0][0]) if len(rows) == 1 else None


def record(sql: sqlite3.Connection, ref: str, attempt: int, result: SendResult, at: str, *, again: bool) -> RequestState:
    """How the attempt ended. Returns the state the request has now; StateError if this attempt has no say any more."""
    request_id = id_of(ref)
    row = sql.execute(
        "SELECT state, method, step, uuid FROM request WHERE id = ? AND attempts = ? AND state IN ('intent', 'unknown')",
        (request_id, attempt),
    ).fetchone()
    if row is None:
        demand_intact(sql, "request", request_id)
        raise StateError(
            f"{ref}: attempt {attempt} ended as {result.outcome}, but the state does not wait for it any more. "
            "What it learned was not stored."
        )
    _, method, step, known = row
    state, uuid, reason = _ENDS[result.outcome], known, result.reason
    # What a later run declared unknown is planned by nobody: only an attempt still in its own intent goes again.
    if again and state in _REPEATABLE and row[0] == RequestState.INTENT:
        state = RequestState.PLANNED
    if step == Step.CONFIRM:
        # Whatever did not count leaves the draft as it was; its id is known since it was made.
        state = state if state in {RequestState.ACCEPTED, RequestState.UNKNOWN} else RequestState.DRAFT
    elif state is RequestState.ACCEPTED:
        uuid, other = result.uuid, uuid_holder(sql, method, result.uuid, request_id)
        if step == Step.CREATE:
            state = RequestState.DRAFT
        if other or not uuid:
            why = f"the provider gave the uuid of {other} again" if other else "accepted without a uuid"
            state, uuid, reason = RequestState.UNKNOWN, "", f"{why}; {reason}" if reason else why
    cursor = sql.execute(
        _ENDED,
        {
            "state": str(state),
            "uuid": uuid,
            "at": at,
            "http_status": result.http_status,
            "phase": str(result.phase),
            "reason": reason,
            "bytes_written": result.bytes_written,
            "answer": result.answer,
            "id": request_id,
            "attempt": attempt,
        },
    )
    if cursor.rowcount != 1:
        demand_intact(sql, "request", request_id)
    demand_one(cursor, ref)
    if state is RequestState.DRAFT and step == Step.CREATE:
        listings.create(sql, request_id, result.count)
    if state not in _KEEPING:
        free_request(sql, request_id)
    bump(sql, "claims_version")
    return state


def uuid_holder(sql: sqlite3.Connection, method: str, uuid: str, request_id: int) -> str:
    """The other request of this method that has this id of the provider; empty if none."""
    row = sql.execute(
        "SELECT id FROM request WHERE method = ? AND uuid = ? AND uuid <> '' AND id <> ?", (method, uuid, request_id)
    ).fetchone()
    return ref_of(row[0]) if row else ""


def dissolve(sql: sqlite3.Connection, at: str, *, run_id: int | None = None) -> tuple[int, int]:
    """Free what was planned and never sent, by one run or by all. Returns requests and people."""
    found = sql.execute("SELECT id FROM request WHERE state = 'planned' AND run_id = coalesce(?, run_id)", (run_id,)).fetchall()
    planned = [request_id for (request_id,) in found]
    for request_id in planned:
        demand_intact(sql, "request", request_id)
    people = free_requests(sql, planned)
    sql.executemany("UPDATE request SET state = 'dissolved', done_at = ? WHERE id = ?", [(at, request_id) for request_id in planned])
    seal(sql, "request", *planned)
    return len(planned), people


def give_up(sql: sqlite3.Connection, at: str) -> tuple[list[str], int]:
    """Intents of dead runs become unknown: bytes may have left. Returns their references and people."""
    intents = sql.execute(
        "SELECT r.id, sum(b.count) FROM request r JOIN batch b ON b.request_id = r.id WHERE r.state = 'intent' GROUP BY r.id ORDER BY r.id"
    ).fetchall()
    for request_id, _ in intents:
        demand_intact(sql, "request", request_id)
        cursor = sql.execute(
            "UPDATE request SET state = 'unknown', done_at = ?,"
            " reason = 'the run ended between the intent and the outcome' WHERE id = ? AND state = 'intent'",
            (at, request_id),
        )
        demand_one(cursor, ref_of(request_id))
        seal(sql, "request", request_id)
    return [ref_of(request_id) for request_id, _ in intents], sum(people for _, people in intents)
