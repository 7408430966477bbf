"""Claims: taking everyone of a plan, and giving back. Functions of a running transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import count, repeat
from operator import itemgetter
from typing import Any

from campaignkit.errors import StateError
from campaignkit.model.mailings import MailingKey
from campaignkit.states.packing import count_people, pack_histogram, unpack_phones
from campaignkit.states.records import PlannedBatch, PlannedRequest, Step
from campaignkit.states.sqlite.rows import ref_of
from campaignkit.states.sqlite.sums import COLUMNS, damaged, demand_claims, demand_intact, phones_sum, recount_claims, row_sum, seal
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


_FREE = "DELETE FROM claim WHERE mailing_id = ?1 AND batch_id = ?2 AND phone IN (SELECT value FROM json_each(?3)) RETURNING phone"
# With the ids of its rows given, so that a row is written once, with its sum.
_INSERT = {
    table: f"INSERT INTO {table} ({columns}, checksum) VALUES (?{', ?' * (columns.count(',') + 1)})"  # noqa: S608 - our own names
    for table, columns in COLUMNS.items()
    if table in {"request", "batch"}
}


class PlanWriter:
    """Writes the requests of one plan, their batches and claims; call `finish` after the last."""

    def __init__(self, sql: sqlite3.Connection, run_id: int, at: str) -> None:
        self._sql = sql
        self._run_id = run_id
        self._at = at
        self._mailings: dict[MailingKey, int] = {}
        self._claims: list[tuple[int, int, int, int]] = []
        self._last = {table: _last_id(sql, table) for table in _INSERT}
        self.people = 0

    def request(self, planned: PlannedRequest) -> str:
        """Write one request; returns its reference. ValueError if it is empty or its columns are not whole."""
        if not planned.batches:
            raise ValueError("a request needs a batch")
        step = Step.CREATE if planned.method == "list" else Step.ONLY
        request_id = self._insert(
            "request", self._run_id, planned.method, str(step), "planned", planned.uuid, 0, self._at,
            None, None, None, "", "", 0, None, 0, b"", b"", planned.callback,
        )  # fmt: skip
        for position, batch in enumerate(planned.batches):
            self._batch(request_id, position, batch)
        return ref_of(request_id)

    def finish(self) -> None:
        """Write the claims still held back, and set right the totals of batches that lost people to this plan."""
        self._flush()
        for mailing_id in self._mailings.values():
            recount_refused(self._sql, mailing_id)
            recount_claims(self._sql, mailing_id)

    def _insert(self, table: str, *values: Any) -> int:
        row_id = self._last[table] = self._last[table] + 1
        self._sql.execute(_INSERT[table], (row_id, *values, row_sum(row_id, *values)))
        return row_id

    def _batch(self, request_id: int, position: int, batch: PlannedBatch) -> None:
        people = count_people(batch.phones, batch.fingerprints)
        mailing_id = self._mailing(batch)
        statuses = bytes(people)
        batch_id = self._insert(
            "batch",
            request_id,
            position,
            mailing_id,
            people,
            people,
            0,
            batch.path,
            batch.line,
            to_text(batch.schedule_utc) if batch.schedule_utc else None,
            batch.definition,
            batch.tag,
            batch.name,
            "[]",
            None,
            pack_histogram(statuses),
            batch.phones,
            batch.fingerprints,
            statuses,
            b"",
        )
        self.people += people
        self._claims.extend(zip(repeat(mailing_id), unpack_phones(batch.phones), repeat(batch_id), count()))
        if len(self._claims) >= _AT_ONCE:
            self._flush()

    def _mailing(self, batch: PlannedBatch) -> int:
        known = self._mailings.get(batch.key)
        if known is None:
            known = self._mailings[batch.key] = self._known_mailing(batch) or self._new_mailing(batch)
            seal(self._sql, "mailing", known)
        return known

    def _known_mailing(self, batch: PlannedBatch) -> int:
        # Past the index, which has no checksum: a mailing that it hides would be sent to everybody again.
        row = self._sql.execute("SELECT id FROM mailing NOT INDEXED WHERE campaign = ? AND revision = ? AND name = ?", batch.key).fetchone()
        if row is None:
            return 0
        # A claim that a flipped bit hides would be made twice: the old ones must be whole before new ones join them.
        demand_claims(self._sql, row[0])
        self._sql.execute("UPDATE mailing SET path = ?, line = ? WHERE id = ?", (batch.path, batch.line, row[0]))
        return int(row[0])

    def _new_mailing(self, batch: PlannedBatch) -> int:
        cursor = self._sql.execute(
            "INSERT INTO mailing (campaign, revision, name, path, line) VALUES (?, ?, ?, ?, ?)", (*batch.key, batch.path, batch.line)
        )
        return int(cursor.lastrowid or 0)

    def _flush(self) -> None:
        # By phone alone: numbers are sorted several times as fast as rows, and each mailing's keys come in order all the same.
        self._claims.sort(key=itemgetter(1))
        before = self._sql.total_changes
        self._sql.executemany(_TAKE, self._claims)
        if self._sql.total_changes - before != len(self._claims):
            raise ClaimConflictError(self._conflict())
        self._claims.clear()

    def _conflict(self) -> str:
        """Which mailing and request are in the way; without the phone, as this may be shown anywhere."""
        for mailing_id, phone, batch_id, position in self._claims:
            found = self._sql.execute(
                "SELECT r.id, r.state, m.campaign || '/' || m.name"
                " FROM claim c JOIN batch b ON b.id = c.batch_id JOIN request r ON r.id = b.request_id"
                " JOIN mailing m ON m.id = c.mailing_id WHERE c.mailing_id = ? AND c.phone = ? AND (c.batch_id, c.position) <> (?, ?)",
                (mailing_id, phone, batch_id, position),
            ).fetchone()
            if found is not None:
                return f"{found[2]}: a recipient is claimed already, by {ref_of(found[0])} ({found[1]})"
        return "a recipient is claimed already, by a batch that is gone; `campaignkit state verify` tells more"


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
    for (batch_id,) in refused:
        demand_intact(sql, "batch", batch_id)
    sql.executemany("UPDATE batch SET claimed = ? WHERE id = ?", [(held.get(b, 0), b) for (b,) in refused])
    seal(sql, "batch", *(b for (b,) in refused))


def free_request(sql: sqlite3.Connection, request_id: int) -> int:
    """Give back the claims of a request. Returns people freed.

    Raises:
        StateError: The claims are not those that its batches must hold.
    """
    batches = sql.execute("SELECT id, mailing_id, claimed, phones FROM batch WHERE request_id = ?", (request_id,)).fetchall()
    return sum(free_batch(sql, *batch) for batch in batches)


def free_requests(sql: sqlite3.Connection, request_ids: Sequence[int]) -> int:
    """Give back the claims of requests that were never sent, mailing by mailing, in one pass over its claims. Returns people freed.

    Raises:
        StateError: The claims are not those that their batches must hold.
    """
    batches: dict[int, list[tuple[int, int, int]]] = {}
    for request_id in request_ids:
        query = "SELECT mailing_id, id, claimed, phones FROM batch WHERE request_id = ?"
        for mailing_id, batch_id, claimed, phones in sql.execute(query, (request_id,)).fetchall():
            demand_intact(sql, "batch", batch_id)
            batches.setdefault(mailing_id, []).append((batch_id, claimed, phones_sum(unpack_phones(phones))))
    for mailing_id, freed in batches.items():
        ids, claims, sums = zip(*freed, strict=True)
        demand_claims(sql, mailing_id)
        before = _written_claims(sql, mailing_id)
        sql.execute("DELETE FROM claim WHERE mailing_id = ? AND batch_id IN (SELECT value FROM json_each(?))", (mailing_id, str(list(ids))))
        recount_claims(sql, mailing_id)
        after = _written_claims(sql, mailing_id)
        # As many as the batches hold, and the same phones: else a claim of theirs was lost, or is another's.
        if (before[0] - after[0], before[1] - after[1]) != (sum(claims), sum(sums)):
            raise damaged(f"the claims of mailing {mailing_id}, which are not those of its batches")
        sql.executemany("UPDATE batch SET claimed = 0 WHERE id = ?", [(batch_id,) for batch_id in ids])
        seal(sql, "batch", *ids)
    return sum(claimed for freed in batches.values() for _, claimed, _ in freed)


def _written_claims(sql: sqlite3.Connection, mailing_id: int) -> tuple[int, int]:
    """The number and the sum of a mailing's claims, as they are written; StateError if nothing is written of it."""
    row = sql.execute("SELECT claims, claims_sum FROM mailing WHERE id = ?", (mailing_id,)).fetchone()
    if row is None:
        raise damaged(f"mailing {mailing_id}, of which there are batches,")
    return int(row[0]), int(row[1])


def free_batch(sql: sqlite3.Connection, batch_id: int, mailing_id: int, claimed: int, phones: bytes) -> int:
    """Give back the claims of one batch, as many as it holds. Returns people freed; StateError if they do not add up."""
    demand_intact(sql, "batch", batch_id)
    demand_intact(sql, "mailing", mailing_id)
    freed = sql.execute(_FREE, (mailing_id, batch_id, str(sorted(unpack_phones(phones))))).fetchall() if claimed else []
    if len(freed) != claimed:
        raise StateError(
            f"Batch {batch_id} holds {len(freed)} claims where the state says {claimed}. Nothing changed; "
            "`campaignkit state verify` tells more."
        )
    sql.execute("UPDATE batch SET claimed = 0 WHERE id = ?", (batch_id,))
    seal(sql, "batch", batch_id)
    sql.execute(
        "UPDATE mailing SET claims = claims - ?, claims_sum = claims_sum - ? WHERE id = ?",
        (len(freed), phones_sum(phone for (phone,) in freed), mailing_id),
    )
    seal(sql, "mailing", mailing_id)
    return len(freed)


def _last_id(sql: sqlite3.Connection, table: str) -> int:
    """The highest id ever given in a table; what was forgotten never lends its id to another."""
    row = sql.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(row[0]) if row else 0
