"""A status answer folded into what is known of a request: pure.

Never backwards: a person delivered to stays delivered. Success seen once is sticky: errors beside it are notes. A batch is
refused when the provider named an error for it, no poll ever showed a row of it, and two polls 60 seconds apart agree
(docs/decisions/0006-refusals-after-acceptance.md).
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaignkit.states.records import BatchRow, BatchUpdate, RequestRow
from campaignkit.wire.statuses import StatusAnswer, StatusEntry, StatusRow, attribute
from campaignkit.wire.vocabulary import is_final, merge

AGREEMENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Folded:
    """What one poll taught: updates of batches, whether anything moved, and what was not understood."""

    updates: tuple[BatchUpdate, ...]
    changed: int
    final: bool
    notes: tuple[str, ...]


def fold(request: RequestRow, answer: StatusAnswer, *, words: Mapping[int, str], word_id: Callable[[str], int], now: datetime) -> Folded:
    """Fold one answer.

    Args:
        request: What is known of the request, with its people.
        answer: What the provider says now.
        words: Status words by their byte.
        word_id: The byte of a word, also of a new one.
        now: When the answer came.
    """
    notes = list(answer.notes)
    rows, errors = _attributed(request, answer.entries, notes)
    updates: list[BatchUpdate] = []
    changed = 0
    final = True
    for batch in request.batches:
        update, moved, ended = _batch(batch, rows.get(batch.name, []), errors.get(batch.name, ()), words, word_id, now, notes)
        updates.append(update)
        changed += moved
        final = final and ended
    return Folded(tuple(updates), changed, final, tuple(dict.fromkeys(notes)))


def _attributed(
    request: RequestRow, entries: Iterable[StatusEntry], notes: list[str]
) -> tuple[dict[str, list[StatusRow]], dict[str, tuple[str, ...]]]:
    names = [batch.name for batch in request.batches]
    rows: dict[str, list[StatusRow]] = {}
    errors: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        found, unattributed = attribute(entry.errors, names)
        if entry.name is not None and entry.name in names:
            rows.setdefault(entry.name, []).extend(entry.rows)
            if unattributed:  # an entry that names its batch needs no prefix
                found = {**found, entry.name: (*found.get(entry.name, ()), *unattributed)}
                unattributed = ()
        elif entry.rows:
            notes.append(f"statuses of a mailing that is none of ours: {entry.name!r}")
        notes += [f"an error that names no mailing of this request: {text}" for text in unattributed]
        for name, texts in found.items():
            errors[name] = tuple(dict.fromkeys((*errors.get(name, ()), *texts)))
    return rows, errors


def _batch(
    batch: BatchRow,
    rows: list[StatusRow],
    errors: tuple[str, ...],
    words: Mapping[int, str],
    word_id: Callable[[str], int],
    now: datetime,
    notes: list[str],
) -> tuple[BatchUpdate, int, bool]:
    statuses = bytearray(batch.statuses or bytes(batch.count))
    moved = 0
    details = batch.details
    if rows:
        phones = array("q")
        phones.frombytes(batch.phones)
        positions = {phone: at for at, phone in enumerate(phones)}
        known = unpack_details(batch.details, batch.count)
        for row in rows:
            at = positions.get(row.phone) if row.phone is not None else None
            if at is None:
                notes.append(f"a status for a phone that is not in {batch.name!r}")
                continue
            old = words.get(statuses[at], "")
            new = merge(old, row.status) if old else row.status
            if new != old:
                statuses[at] = word_id(new)
                moved += 1
            known[at] = [row.delivery_id, row.status_time]
        details = zlib.compress(json.dumps(known, separators=(",", ":")).encode(), 1)
    every = tuple(dict.fromkeys((*batch.errors, *errors)))
    # Details are written with the first row of the batch, whether or not its phone could be matched.
    listed = any(statuses) or bool(details)
    first_at = batch.error_first_at or (now if errors else None)
    agreed = bool(errors) and first_at is not None and now - first_at >= AGREEMENT
    refused = not listed and (batch.refused or agreed)
    update = BatchUpdate(
        batch_id=batch.id,
        statuses=bytes(statuses),
        details=details,
        errors=every,
        error_first_at=first_at,
        refused=refused,
    )
    moved += len(every) - len(batch.errors) + (refused != batch.refused)
    # A refusal is no end: if a status shows up after all, nobody of the batch may be sent to again.
    ended = all(byte and is_final(words.get(byte, "")) for byte in statuses)
    return update, moved, ended


def unpack_details(details: bytes, count: int) -> list[list[object]]:
    """Per position: delivery id and the provider's time, or nothing yet."""
    if not details:
        return [[] for _ in range(count)]
    found = json.loads(zlib.decompress(details))
    return found if isinstance(found, list) else [[] for _ in range(count)]
