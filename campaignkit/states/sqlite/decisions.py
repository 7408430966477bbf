"""What people decide about a state: answers to unknown requests, new names, forgetting. Functions of a transaction."""

from __future__ import annotations

import sqlite3

from campaignkit.errors import StateError
from campaignkit.model.mailings import MailingKey
from campaignkit.states.records import RequestState, Step
from campaignkit.states.sqlite import callbacks, inbox, listings
from campaignkit.states.sqlite.attempts import uuid_holder
from campaignkit.states.sqlite.claims import free_batch, free_request
from campaignkit.states.sqlite.connection import bump, demand_one
from campaignkit.states.sqlite.rows import id_of, ref_of
from campaignkit.states.sqlite.sums import damaged, demand_intact, seal

_WAITING = (RequestState.UNKNOWN, RequestState.DRAFT)


def resolve(sql: sqlite3.Connection, ref: str, to: RequestState, uuid: str, reason: str, at: str) -> int:
    """Settle an unknown request, or a draft. Returns its people; ValueError if it is neither or `to` is no answer to it."""
    request_id = id_of(ref)
    demand_intact(sql, "request", request_id)
    row = sql.execute("SELECT state, method, step, uuid FROM request WHERE id = ?", (request_id,)).fetchone()
    if row is None or row[0] not in _WAITING:
        raise ValueError(f"{ref} is {row[0] if row else 'no request of this state'}, not unknown")
    state, method, step, known = row
    if to not in _answers(state, step, known=known or uuid) or (uuid and to not in {RequestState.ACCEPTED, RequestState.DRAFT}):
        raise ValueError(f"{ref}, which is {state}, can't be answered with {to}{' and a uuid' if uuid else ''}")
    if other := uuid_holder(sql, method, uuid, request_id):
        raise StateError(f"{ref}: this uuid belongs to {other} already; nothing changed.")
    cursor = sql.execute(
        "UPDATE request SET state = ?, uuid = ?, reason = ?, done_at = ? WHERE id = ? AND state = ?",
        (str(to), uuid or known, reason, at, request_id, state),
    )
    demand_one(cursor, ref)
    seal(sql, "request", request_id)
    if method == "list" and to is not RequestState.RELEASED:
        listings.create(sql, request_id, None)
    people = sql.execute(_PEOPLE, (request_id, request_id)).fetchone()[0]
    if to is RequestState.RELEASED:
        free_request(sql, request_id)
        bump(sql, "serial", "claims_version", "releases")
    else:
        bump(sql, "serial", "claims_version")
    return int(people or 0)


_PEOPLE = """
SELECT coalesce((SELECT max(coalesce(subscribers, 1), length(statuses)) FROM listing WHERE id = ?),
                (SELECT sum(count) FROM batch WHERE request_id = ?))
"""


def _answers(state: str, step: str, *, known: str) -> frozenset[RequestState]:
    """What a person, or verified evidence, may make of a request that waits."""
    always = {RequestState.ACCEPTED, RequestState.ABANDONED}
    if state == RequestState.UNKNOWN and step in {Step.CREATE, Step.CONFIRM} and known:
        always.add(RequestState.DRAFT)
    # Whose confirm may have counted is not made anew while its draft can be looked at.
    if not (state == RequestState.UNKNOWN and step == Step.CONFIRM and known):
        always.add(RequestState.RELEASED)
    return frozenset(always)


def discard_drafts(sql: sqlite3.Connection, at: str) -> list[str]:
    """Release the creates whose answer was lost: whatever they made, nobody confirmed it. Returns their references."""
    lost = sql.execute("SELECT id FROM request WHERE state = 'unknown' AND method = 'list' AND step = 'create' ORDER BY id").fetchall()
    for (request_id,) in lost:
        demand_intact(sql, "request", request_id)
        sql.execute(
            "UPDATE request SET state = 'released', done_at = ?, reason = 'its draft, if it was made, is inert: ' || reason WHERE id = ?",
            (at, request_id),
        )
        seal(sql, "request", request_id)
        free_request(sql, request_id)
    if lost:
        bump(sql, "claims_version")
    return [ref_of(request_id) for (request_id,) in lost]


def lose_history(sql: sqlite3.Connection, since: int, at_least: int, at: str) -> int:
    """Make all that is planned, under way or waits to be confirmed unknown, and raise the serial above both figures. Returns people.

    Of mailings to lists nobody knows now whether they were confirmed.
    """
    open_requests = sql.execute(
        "SELECT r.id, sum(b.count) FROM request r JOIN batch b ON b.request_id = r.id"
        " WHERE r.state IN ('planned', 'intent', 'draft') OR (r.state = 'unknown' AND r.step = 'create') GROUP BY r.id"
    ).fetchall()
    reason = f"a backup (serial {since}) was restored: it may have been sent since that was made"
    for request_id, _ in open_requests:
        demand_intact(sql, "request", request_id)
        sql.execute(
            "UPDATE request SET state = 'unknown', step = iif(method = 'list', 'confirm', step), done_at = ?, reason = ? WHERE id = ?",
            (at, reason, request_id),
        )
        seal(sql, "request", request_id)
    demand_intact(sql, "meta", 1)
    sql.execute("UPDATE meta SET serial = max(serial, ?)", (at_least,))
    seal(sql, "meta", 1)
    bump(sql, "serial", "claims_version")
    return sum(people for _, people in open_requests)


def carry_over(sql: sqlite3.Connection, old: MailingKey, new: MailingKey) -> int:
    """Let the deliveries of `old` be those of `new`. Returns people; 0, and no change, if `new` holds claims itself."""
    old_id, new_id = _mailing(sql, old), _mailing(sql, new)
    people = _claimed(sql, old_id)
    demand_intact(sql, "mailing", old_id)
    if old_id == new_id or not people or _claimed(sql, new_id):
        return 0
    if new_id:
        # Only refused and dissolved batches are left there: they stay in the history, under the same new name.
        moved = [batch_id for (batch_id,) in sql.execute("SELECT id FROM batch WHERE mailing_id = ?", (new_id,)).fetchall()]
        for batch_id in moved:
            demand_intact(sql, "batch", batch_id)
        sql.execute("UPDATE batch SET mailing_id = ? WHERE mailing_id = ?", (old_id, new_id))
        seal(sql, "batch", *moved)
        demand_one(sql.execute("DELETE FROM mailing WHERE id = ?", (new_id,)), str(new))
    # The claims know their mailing by its id: renaming it moves a million of them at once.
    cursor = sql.execute("UPDATE mailing SET campaign = ?, revision = ?, name = ? WHERE id = ?", (*new, old_id))
    demand_one(cursor, str(old))
    seal(sql, "mailing", old_id)
    bump(sql, "claims_version")
    return people


def forget(sql: sqlite3.Connection, key: MailingKey) -> int:
    """Drop everything about a mailing. Returns the people it held; 0 for a mailing never seen, which changes nothing."""
    mailing_id = _mailing(sql, key)
    if not mailing_id:
        return 0
    people = 0
    batches = sql.execute("SELECT id, request_id FROM batch WHERE mailing_id = ?", (mailing_id,)).fetchall()
    for batch_id, _ in batches:
        claimed, phones = sql.execute("SELECT claimed, phones FROM batch WHERE id = ?", (batch_id,)).fetchone()
        people += free_batch(sql, batch_id, mailing_id, claimed, phones)
        sql.execute("DELETE FROM batch WHERE id = ?", (batch_id,))
    for request_id in {request_id for _, request_id in batches}:
        callbacks.forget(sql, request_id)
        sql.execute("DELETE FROM listing WHERE id = ?", (request_id,))
        inbox.forget(sql, request_id)
        # A request that also carried another mailing stays for the sake of that one.
        sql.execute(
            "DELETE FROM request WHERE id = ? AND NOT EXISTS (SELECT 1 FROM batch WHERE request_id = request.id)",
            (request_id,),
        )
    if sql.execute("SELECT claims FROM mailing WHERE id = ?", (mailing_id,)).fetchone() != (0,):
        raise damaged(f"claims of {key} that no batch of it holds")
    demand_one(sql.execute("DELETE FROM mailing WHERE id = ?", (mailing_id,)), str(key))
    bump(sql, "serial", "claims_version", "releases")
    return people


def _mailing(sql: sqlite3.Connection, key: MailingKey) -> int:
    row = sql.execute("SELECT id FROM mailing WHERE campaign = ? AND revision = ? AND name = ?", key).fetchone()
    return int(row[0]) if row else 0


def _claimed(sql: sqlite3.Connection, mailing_id: int) -> int:
    row = sql.execute("SELECT coalesce(sum(claimed), 0) FROM batch WHERE mailing_id = ?", (mailing_id,)).fetchone()
    return int(row[0])
