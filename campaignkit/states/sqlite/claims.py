"""Claims: taking everyone of a plan, and giving back. Functions of a running transaction."""

from __future__ import annotations

import sqlite3
from itertools import count, repeat

from campaignkit.errors import StateError
from campaignkit.model.mailings import MailingKey
from campaignkit.states.packing import checksum, count_people, pack_histogram, unpack_phones
from campaignkit.states.records import PlannedBatch
from campaignkit.states.sqlite.rows import ref_of
from campaignkit.states.store import ClaimConflictError
from campaignkit.states.times import to_text

_AT_ONCE = 131_072
"""Claims sorted and written together: sorted keys fill the tree in order, and these take about 16 MB."""

# The only claim that may change hands is that of people whom the provider refused after accepting their request.
_TAKE = """
INSERT INTO claim (mailing_id, phone, batch_id, position) VALUES (?, ?, ?, ?)
ON CONFLICT (mailing_id, phone) DO UPDATE SET batch_id = excluded.batch_id, position = excluded.position
WHERE (SELECT b.refused AND r.state = 'accepted' AND substr(b.statuses, claim.position + 1, 1) = x'00'
       FROM batch b JOIN request r ON r.id = b.request_id WHERE b.id = claim.batch_id)
"""


class PlanWriter:
    """Writes the requests of one plan, their batches and claims; call `finish` after the last."""

    def __init__(self, sql: sqlite3.Connection, run_id: int, at: str) -> None:
        self._sql = sql
        self._run_id = run_id
        self._at = at
        self._mailings: dict[MailingKey, int] = {}
        self._claims: list[tuple[int, int, int, int]] = []
        self.people = 0

    def request(self, batches: tuple[PlannedBatch, ...], callback: bytes = b"") -> str:
        """Write one request; returns its reference. ValueError if it is empty or its columns are not whole."""
        if not batches:
            raise ValueError("a request needs a batch")
        cursor = self._sql.execute(
            "INSERT INTO request (run_id, state, planned_at, callback) VALUES (?, 'planned', ?, ?)", (self._run_id, self._at, callback)
        )
        request_id = int(cursor.lastrowid or 0)
        for position, batch in enumerate(batches):
            self._batch(request_id, position, batch)
        return ref_of(request_id)

    def finish(self) -> None:
        """Write the claims still held back, and set right the totals of batches that lost people to this plan."""
        self._flush()
        for mailing_id in self._mailings.values():
            recount_refused(self._sql, mailing_id)

    def _batch(self, request_id: int, position: int, batch: PlannedBatch) -> None:
        people = count_people(batch.phones, batch.fingerprints)
        mailing_id = self._mailing(batch)
        statuses = bytes(people)
        cursor = self._sql.execute(
            "INSERT INTO batch (request_id, position, mailing_id, count, claimed, checksum, path, line, schedule_at,"
            " definition, tag, name, histogram, phones, fingerprints, statuses)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                request_id,
                position,
                mailing_id,
                people,
                people,
                checksum(batch.phones, batch.fingerprints),
                batch.path,
                batch.line,
                to_text(batch.schedule_utc) if batch.schedule_utc else None,
                batch.definition,
                batch.tag,
                batch.name,
                pack_histogram(statuses),
                batch.phones,
                batch.fingerprints,
                statuses,
            ),
        )
        batch_id = int(cursor.lastrowid or 0)
        self.people += people
        self._claims.extend(zip(repeat(mailing_id), unpack_phones(batch.phones), repeat(batch_id), count()))
        if len(self._claims) >= _AT_ONCE:
            self._flush()

    def _mailing(self, batch: PlannedBatch) -> int:
        known = self._mailings.get(batch.key)
        if known is None:
            [(known,)] = self._sql.execute(
                "INSERT INTO mailing (campaign, revision, name, path, line) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (campaign, revision, name) DO UPDATE SET path = excluded.path, line = excluded.line"
                " RETURNING id",
                (*batch.key, batch.path, batch.line),
            ).fetchall()
            self._mailings[batch.key] = known
        return known

    def _flush(self) -> None:
        self._claims.sort()
        before = self._sql.total_changes
        self._sql.executemany(_TAKE, self._claims)
        if self._sql.total_changes - before != len(self._claims):
            raise ClaimConflictError(self._conflict())
        self._claims.clear()

    def _conflict(self) -> str:
        """Which mailing and request are in the way; without the phone, as this may be shown anywhere."""
        for mailing_id, phone, batch_id, position in self._claims:
            [(holder, place, request_id, state, key)] = self._sql.execute(
                "SELECT c.batch_id, c.position, r.id, r.state, m.campaign || '/' || m.name"
                " FROM claim c JOIN batch b ON b.id = c.batch_id JOIN request r ON r.id = b.request_id"
                " JOIN mailing m ON m.id = c.mailing_id WHERE c.mailing_id = ? AND c.phone = ?",
                (mailing_id, phone),
            ).fetchall()
            if (holder, place) != (batch_id, position):
                return f"{key}: a recipient is claimed already, by {ref_of(request_id)} ({state})"
        return "a recipient is claimed already"


def recount_refused(sql: sqlite3.Connection, mailing_id: int) -> None:
    """Set right how many claims the refused batches of a mailing still hold."""
    refused = sql.execute("SELECT id FROM batch WHERE mailing_id = ? AND refused", (mailing_id,)).fetchall()
    if not refused:
        return
    held = dict(
        sql.execute(
            "SELECT c.batch_id, count(*) FROM claim c JOIN batch b ON b.id = c.batch_id"
            " WHERE c.mailing_id = ? AND b.refused GROUP BY c.batch_id",
            (mailing_id,),
        ).fetchall()
    )
    sql.executemany("UPDATE batch SET claimed = ? WHERE id = ?", [(held.get(b, 0), b) for (b,) in refused])


def free_request(sql: sqlite3.Connection, request_id: int) -> int:
    """Give back the claims of a request. Returns people freed.

    Raises:
        StateError: The claims are not those that its batches must hold.
    """
    batches = sql.execute("SELECT id, mailing_id, claimed, phones FROM batch WHERE request_id = ?", (request_id,)).fetchall()
    return sum(free_batch(sql, *batch) for batch in batches)


def free_batch(sql: sqlite3.Connection, batch_id: int, mailing_id: int, claimed: int, phones: bytes) -> int:
    """Give back the claims of one batch, as many as it holds. Returns people freed; StateError if they do not add up."""
    before = sql.total_changes
    if claimed:
        sql.executemany(
            "DELETE FROM claim WHERE mailing_id = ? AND phone = ? AND batch_id = ?",
            zip(repeat(mailing_id), sorted(unpack_phones(phones)), repeat(batch_id)),
        )
    freed = sql.total_changes - before
    if freed != claimed:
        raise StateError(
            f"Batch {batch_id} holds {freed} claims where the state says {claimed}. Nothing changed; `campaignkit state verify` tells more."
        )
    sql.execute("UPDATE batch SET claimed = 0 WHERE id = ?", (batch_id,))
    return freed
