"""A status answer folded into what is known of a request: pure.

Never backwards: a person delivered to stays delivered. Success seen once is sticky: errors beside it are notes. A batch is
refused when the provider named an error for it, no poll ever showed a row of it, and two polls 60 seconds apart agree
(docs/decisions/0006-refusals-after-acceptance.md).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaignkit.states.packing import pack_phones, unpack_phones
from campaignkit.states.records import BatchRow, BatchUpdate, Listing, RequestRow
from campaignkit.wire.records import DeliveryRow, QuickStatus
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


def news(request: RequestRow, folded: Folded) -> tuple[BatchUpdate, ...]:
    """The updates among those of an answer that differ from what is known of the request."""
    return tuple(update for update, batch in zip(folded.updates, request.batches, strict=True) if update != _known(batch))


def _known(batch: BatchRow) -> BatchUpdate:
    return BatchUpdate(
        batch_id=batch.id,
        statuses=batch.statuses,
        details=batch.details,
        errors=batch.errors,
        error_first_at=batch.error_first_at,
        refused=batch.refused,
    )


def _attributed(
    request: RequestRow, entries: Iterable[StatusEntry], notes: list[str]
) -> tuple[dict[str, list[StatusRow]], dict[str, tuple[str, ...]]]:
    names = request.names
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
        merged = _Merged(words, word_id)
        positions: dict[int | None, int] = dict(zip(unpack_phones(batch.phones), range(batch.count), strict=True))
        known = unpack_details(details, batch.count)
        before = known.copy()
        for phone, status, delivery_id, status_time, error_code in rows:
            at = positions.get(phone)
            if at is None:
                notes.append(f"a status for a phone that is not in {batch.name!r}")
                continue
            statuses[at], step = merged[statuses[at], status]
            moved += step
            known[at] = [delivery_id, status_time, error_code] if error_code else [delivery_id, status_time]
        words = merged.words
        if known != before or not details:
            details = _packed(known)
    every = tuple(dict.fromkeys((*batch.errors, *errors)))
    # Details are written with the first row of the batch, whether or not its phone could be matched.
    seen = set(statuses)
    listed = seen != {0} or bool(details)
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
    ended = all(byte and is_final(words.get(byte, "")) for byte in seen)
    return update, moved, ended


class _Merged(dict[tuple[int, str], tuple[int, bool]]):
    """By a known byte and a newer word: the byte of what to keep of both, and whether that is another word; worked out once each."""

    def __init__(self, words: Mapping[int, str], word_id: Callable[[str], int]) -> None:
        super().__init__()
        self.words = words
        self._word_id = word_id

    def __missing__(self, pair: tuple[int, str]) -> tuple[int, bool]:
        byte, status = pair
        old = self.words.get(byte, "")
        new = merge(old, status) if old else status
        result = (byte, False)
        if new != old:
            result = (self._word_id(new), True)
            if result[0] not in self.words:
                self.words = {**self.words, result[0]: new}
        self[pair] = result
        return result


def fold_quick(
    request: RequestRow, status: QuickStatus, *, words: Mapping[int, str], word_id: Callable[[str], int], now: datetime
) -> Folded:
    """Fold what `getViberDeliveryData` says of a quick message: the same fold, for an answer about one person."""
    name = request.batches[0].name
    row = StatusRow(phone=status.phone, status=status.status, delivery_id=None, status_time="", error_code=status.error_code)
    answer = StatusAnswer(entries=(StatusEntry(name=name, message_id=None, rows=(row,), errors=()),))
    return fold(request, answer, words=words, word_id=word_id, now=now)


@dataclass(frozen=True, slots=True)
class FoldedList:
    """What the provider's list of deliveries taught about a mailing to a list of its own."""

    listing: Listing
    changed: int
    final: bool
    notes: tuple[str, ...]


def fold_list(
    listing: Listing, rows: Iterable[DeliveryRow], *, cost: str, words: Mapping[int, str], word_id: Callable[[str], int]
) -> FoldedList:
    """Fold one answer of `getViberDeliveryList`: who is named once stays named, and nobody goes backwards.

    Args:
        listing: What is known.
        rows: Whom the provider names now.
        cost: What the provider says that it cost; empty keeps what is known.
        words: Status words by their byte.
        word_id: The byte of a word, also of a new one.
    """
    phones = list(unpack_phones(listing.phones))
    statuses = bytearray(listing.statuses)
    details = unpack_details(listing.details, len(statuses))
    positions = {phone: at for at, phone in enumerate(phones)}
    merged = _Merged(words, word_id)
    notes: list[str] = []
    changed = 0
    for row in rows:
        if row.phone is None:
            notes.append("a delivery without a readable phone")
            continue
        at = positions.setdefault(row.phone, len(statuses))
        if at == len(statuses):
            phones.append(row.phone)
            statuses.append(0)
            details.append([])
        statuses[at], step = merged[statuses[at], row.status]
        changed += step
        details[at] = [row.delivery_id, "", row.error_code]
    expected = listing.subscribers if listing.subscribers is not None else len(statuses)
    final = bool(statuses) and len(statuses) >= expected and all(byte and is_final(merged.words.get(byte, "")) for byte in set(statuses))
    after = Listing(
        subscribers=listing.subscribers,
        draft_word=listing.draft_word,
        cost=cost or listing.cost,
        phones=pack_phones(phones),
        statuses=bytes(statuses),
        details=_packed(details),
    )
    return FoldedList(after, changed, final, tuple(dict.fromkeys(notes)))


def _packed(details: list[list[object]]) -> bytes:
    return zlib.compress(json.dumps(details, separators=(",", ":")).encode(), 1)


def unpack_details(details: bytes, count: int) -> list[list[object]]:
    """Per position: delivery id, the provider's time, and the code of a failure if there is one; or nothing yet."""
    if not details:
        return [[] for _ in range(count)]
    found = json.loads(zlib.decompress(details))
    return found if isinstance(found, list) else [[] for _ in range(count)]
