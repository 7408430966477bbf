"""Rows of the tables as records, and the queries that give their columns in this order."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from campaignkit.model.mailings import MailingKey
from campaignkit.states.packing import unpack_histogram
from campaignkit.states.records import BatchCounts, BatchRow, Event, Listing, RequestRow, RequestState, Step
from campaignkit.states.sqlite.sums import damaged, holds
from campaignkit.states.times import from_text

REQUESTS = f"""
SELECT r.id, r.state, r.run_id, r.uuid, r.attempts, r.planned_at, r.intent_at, r.done_at, r.http_status, r.phase,
    r.reason, r.bytes_written, r.answer, r.poll_answer, r.polled_at, r.final,
    {holds("request", "r")}, r.method, r.step
FROM request r
"""  # noqa: S608 - our own names
FILTERED = """
WHERE r.id > ?1 AND (?2 = '[]' OR r.state IN (SELECT value FROM json_each(?2)))
    AND (?3 = '[]' OR EXISTS (SELECT 1 FROM batch b JOIN mailing m ON m.id = b.mailing_id
                              WHERE b.request_id = r.id AND m.campaign IN (SELECT value FROM json_each(?3))))
ORDER BY r.id LIMIT ?4
"""
"""For `REQUESTS`: the id to go on after, states and campaigns as JSON lists (empty: all), how many."""

_BATCH = """
SELECT b.request_id, b.id, m.campaign, m.revision, m.name, b.path, b.line, b.tag, b.name, b.count, b.claimed, b.schedule_at, b.errors,
    b.error_first_at, b.refused, {people}, m.id IS NOT NULL AND {intact}, b.histogram
FROM batch b LEFT JOIN mailing m ON m.id = b.mailing_id
WHERE b.request_id IN (SELECT value FROM json_each(?)) ORDER BY b.request_id, b.position
"""
BATCHES = _BATCH.format(people="b.phones, b.fingerprints, b.statuses, b.details", intact=holds("batch", "b"))
# The sum covers the wide columns too; who asks for none of them decides nothing about people.
BATCHES_WITHOUT_PEOPLE = _BATCH.format(people="x'', x'', x'', x''", intact="1")

LISTINGS = (
    f"SELECT id, subscribers, draft_word, cost, phones, statuses, details, {holds('listing')}"  # noqa: S608 - our own names
    " FROM listing WHERE id IN (SELECT value FROM json_each(?))"
)

COUNTS = """
SELECT b.id, m.campaign, m.revision, m.name, r.id, r.state, b.count, b.refused, b.histogram
FROM batch b JOIN mailing m ON m.id = b.mailing_id JOIN request r ON r.id = b.request_id
WHERE b.id > ?1 AND (?2 = '[]' OR m.campaign IN (SELECT value FROM json_each(?2))) ORDER BY b.id LIMIT ?3
"""


def ref_of(request_id: int) -> str:
    """The reference by which people know a request."""
    return f"r{request_id}"


def id_of(ref: str) -> int:
    """The id behind a reference; 0, which no request has, if it is none."""
    digits = ref[1:]
    return int(digits) if ref[:1] == "r" and digits.isascii() and digits.isdecimal() and len(digits) < 18 else 0


def request_from(row: tuple[Any, ...], batches: tuple[BatchRow, ...], listing: Listing | None) -> RequestRow:
    """One row of `REQUESTS` with its batches; StateError if its checksum is wrong."""
    if not row[16]:
        raise damaged(f"request {ref_of(row[0])}")
    return RequestRow(
        ref=ref_of(row[0]),
        method=row[17],
        step=Step(row[18]),
        listing=listing,
        state=RequestState(row[1]),
        run_id=row[2],
        uuid=row[3],
        attempts=row[4],
        planned_at=from_text(row[5]),
        intent_at=_moment(row[6]),
        done_at=_moment(row[7]),
        http_status=row[8],
        phase=row[9],
        reason=row[10],
        bytes_written=row[11],
        answer=row[12],
        poll_answer=row[13],
        polled_at=_moment(row[14]),
        final=bool(row[15]),
        batches=batches,
    )


def batch_from(row: tuple[Any, ...]) -> BatchRow:
    """One row of `BATCHES`, its first column (the request) left out; StateError if its checksum is wrong, or its mailing gone."""
    if not row[19]:
        raise damaged(f"batch {row[1]} of {ref_of(row[0])}")
    return BatchRow(
        id=row[1],
        key=MailingKey(row[2], row[3], row[4]),
        path=row[5],
        line=row[6],
        tag=row[7],
        name=row[8],
        count=row[9],
        claimed=row[10],
        schedule_utc=_moment(row[11]),
        errors=tuple(json.loads(row[12])),
        error_first_at=_moment(row[13]),
        refused=bool(row[14]),
        phones=row[15],
        fingerprints=row[16],
        statuses=row[17],
        details=row[18],
        totals=unpack_histogram(row[20]),
    )


def listing_from(row: tuple[Any, ...]) -> Listing:
    """One row of `LISTINGS`; StateError if its checksum is wrong."""
    if not row[7]:
        raise damaged(f"the list of {ref_of(row[0])}")
    return Listing(subscribers=row[1], draft_word=row[2], cost=row[3], phones=row[4], statuses=row[5], details=row[6])


def counts_from(row: tuple[Any, ...]) -> BatchCounts:
    """One row of `COUNTS`."""
    return BatchCounts(
        batch_id=row[0],
        key=MailingKey(row[1], row[2], row[3]),
        request=ref_of(row[4]),
        state=RequestState(row[5]),
        count=row[6],
        refused=bool(row[7]),
        statuses=unpack_histogram(row[8]),
    )


def event_from(row: tuple[Any, ...]) -> Event:
    """One row of the history."""
    return Event(id=row[0], at=from_text(row[1]), kind=row[2], subject=row[3], detail=row[4])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
