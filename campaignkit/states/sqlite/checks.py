"""Whether a state is sound: pages, references, and sums that must agree."""

from __future__ import annotations

from collections.abc import Iterator

from campaignkit.errors import StateError
from campaignkit.model.mailings import FINGERPRINT_BYTES
from campaignkit.states.packing import pack_histogram, unpack_phones
from campaignkit.states.records import HOLDING
from campaignkit.states.sqlite import callbacks
from campaignkit.states.sqlite.connection import Database
from campaignkit.states.sqlite.events import breaks
from campaignkit.states.sqlite.rows import ref_of
from campaignkit.states.sqlite.sums import CLAIMS_OF, COLUMNS, holds

_PRIME = 999_983
"""The sum over a batch of (phone mod this) × (position + 1) stays far below 2^63, which SQL sums must not pass."""
_MOST = 100


def problems_of(database: Database) -> list[str]:
    """Every problem found, at most a hundred; empty when sound."""
    found: list[str] = []
    try:
        for problem in _problems(database):
            found.append(problem)
            if len(found) == _MOST:
                return [*found, "… and perhaps more"]
    except StateError as error:
        found.append(error.message)
    return found


def _problems(database: Database) -> Iterator[str]:
    for (problem,) in database.rows("PRAGMA integrity_check"):
        if problem != "ok":
            yield f"the file is damaged: {problem}"
    for table, row, parent, _ in database.rows("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} belongs to a {parent} that is gone"
    if database.rows("SELECT count(*) FROM meta") != [(1,)]:
        yield "the state's own row is not there exactly once"
    yield from _sums(database)
    yield from _columns(database)
    yield from _claims(database)
    yield from callbacks.problems_of(database)


def _sums(database: Database) -> Iterator[str]:
    """Every row against its checksum, claims against the sums of their mailings, the history against its chain."""
    for table in COLUMNS:
        for (row_id,) in database.rows(f"SELECT id FROM {table} WHERE NOT {holds(table)}"):  # noqa: S608 - our own names
            yield f"row {row_id} of {table} is not what was written: its checksum is wrong"
    for mailing_id, *due in database.rows("SELECT id, claims, claims_sum FROM mailing"):
        if database.rows(CLAIMS_OF, (mailing_id,)) != [tuple(due)]:
            yield f"the claims of mailing {mailing_id} are not those that were written"
    for event_id in breaks(database.sql):
        yield f"line {event_id} of the history does not follow from those before it: something was changed or taken out"


def _columns(database: Database) -> Iterator[str]:
    """Each batch against itself: the lengths of its columns, and its totals."""
    after = 0
    while page := database.rows(
        "SELECT id, count, phones, fingerprints, statuses, histogram FROM batch WHERE id > ? ORDER BY id LIMIT 256",
        (after,),
    ):
        for batch_id, count, phones, fingerprints, statuses, histogram in page:
            if (len(phones), len(fingerprints), len(statuses)) != (8 * count, FINGERPRINT_BYTES * count, count):
                yield f"batch {batch_id}: its columns do not have {count} people each"
            elif pack_histogram(statuses) != histogram:
                yield f"batch {batch_id}: its status totals are not those of its people"
        after = page[-1][0]


def _claims(database: Database) -> Iterator[str]:
    """The claims against the batches that hold them, and those against the states of their requests."""
    sums = {
        batch_id: tuple(rest)
        for batch_id, *rest in database.rows(
            "SELECT batch_id, count(*), sum((phone % ?) * (position + 1)), min(mailing_id), max(mailing_id) FROM claim GROUP BY batch_id",
            (_PRIME,),
        )
    }
    after = 0
    while page := database.rows(
        "SELECT b.id, b.mailing_id, b.count, b.claimed, b.refused, b.phones, r.id, r.state"
        " FROM batch b JOIN request r ON r.id = b.request_id WHERE b.id > ? ORDER BY b.id LIMIT 256",
        (after,),
    ):
        for batch_id, mailing_id, count, claimed, refused, phones, request_id, state in page:
            held, total, *mailings = sums.pop(batch_id, (0, 0, mailing_id, mailing_id))
            due = count if state in HOLDING else 0
            if held != claimed or held > due or (held < due and not refused):
                yield f"batch {batch_id} of {ref_of(request_id)} ({state}): {held} claims where {due} are due"
            elif mailings != [mailing_id, mailing_id] or (held == count and total != _weigh(phones)):
                yield f"batch {batch_id} of {ref_of(request_id)} ({state}): its claims are of other people"
        after = page[-1][0]
    for batch_id, (held, *_) in sums.items():
        yield f"{held} claims belong to batch {batch_id}, which is gone"


def _weigh(phones: bytes) -> int:
    whole = phones[: len(phones) // 8 * 8]
    return sum((phone % _PRIME) * position for position, phone in enumerate(unpack_phones(whole), start=1))
