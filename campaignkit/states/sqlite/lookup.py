"""What is known of many phones at once: the question that a plan asks a million times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from campaignkit.model.mailings import FINGERPRINT_BYTES
from campaignkit.states.packing import PHONE_BYTES
from campaignkit.states.records import Known, RequestState, Step
from campaignkit.states.sqlite.connection import Database
from campaignkit.states.sqlite.rows import ref_of
from campaignkit.states.sqlite.sums import damaged, demand_claims, holds

_AT_ONCE = 500
_MARKS = ", ".join("?" * _AT_ONCE)
_CLAIMS = f"SELECT phone, batch_id, position FROM claim WHERE mailing_id = ? AND phone IN ({_MARKS})"  # noqa: S608 - marks
_ALL_CLAIMS = "SELECT phone, batch_id, position FROM claim WHERE mailing_id = ? LIMIT ?"
_FEW = 50_000
"""So many claims of a mailing are read once and for all, instead of a million phones being looked for among them."""
_KEPT_BYTES = 24_000_000
"""Phones and fingerprints kept from one question to the next: those of a million people."""
_MAY_HAVE_REACHED = frozenset({RequestState.ACCEPTED, RequestState.INTENT, RequestState.UNKNOWN, RequestState.ABANDONED})


@dataclass(frozen=True, slots=True)
class _Batch:
    mailing_id: int
    request: str
    phones: bytes
    state: RequestState
    fingerprints: bytes
    refused: bool
    definition: str
    statuses: bytes
    step: Step


_Claims = dict[int, tuple[int, int]]
"""By phone: the batch, and the position in it."""


class Lookup:
    """Answers from the claims; batches are kept from one question to the next while nobody changes the state."""

    def __init__(self, database: Database, *, most_bytes: int = _KEPT_BYTES, few: int = _FEW) -> None:
        self._db = database
        self._few = few
        self._read: dict[int, _Claims | None] = {}
        self._most_bytes = most_bytes
        self._moment = database.moment()
        self._kept: dict[int, _Batch] = {}
        self._kept_bytes = 0
        self._trusted: set[int] = set()

    def known(self, mailing_ids: Sequence[int], phones: Sequence[int]) -> dict[int, Known]:
        """By phone: what the first of these mailings that holds it knows."""
        found: dict[int, Known] = {}
        for mailing_id in mailing_ids:
            wanted = [phone for phone in phones if phone not in found] if found else phones
            for phone, batch, print_, refused in self._claims(mailing_id, wanted):
                found[phone] = Known(mailing_id, batch.request, batch.state, print_, refused, batch.definition, batch.step)
        return found

    def fingerprints(self, mailing_ids: Sequence[int], phones: Sequence[int]) -> dict[int, frozenset[bytes]]:
        """By phone: what reached it, or may have."""
        found: dict[int, set[bytes]] = {}
        for mailing_id in mailing_ids:
            for phone, batch, print_, _refused in self._claims(mailing_id, phones):
                if batch.state in _MAY_HAVE_REACHED:
                    found.setdefault(phone, set()).add(print_)
        return {phone: frozenset(prints) for phone, prints in found.items()}

    def _claims(self, mailing_id: int, phones: Sequence[int]) -> Iterator[tuple[int, _Batch, bytes, bool]]:
        if not phones or self._db.row("SELECT 1 FROM claim WHERE mailing_id = ? LIMIT 1", (mailing_id,)) is None:
            return
        batches, read = self._current()
        if mailing_id not in self._trusted:
            self._db.check(demand_claims, mailing_id)
            self._trusted.add(mailing_id)
        for phone, batch_id, position in self._among(mailing_id, phones, read):
            batch = batches.get(batch_id) or self._load(batch_id, batches)
            held = batch.phones[position * PHONE_BYTES :][:PHONE_BYTES]
            if batch.mailing_id != mailing_id or held != phone.to_bytes(PHONE_BYTES, "little"):
                raise damaged(f"a claim of batch {batch_id}")
            place = position * FINGERPRINT_BYTES
            # Whoever has a status was reached, whatever became of the others of the batch.
            refused = batch.refused and not batch.statuses[position]
            yield phone, batch, batch.fingerprints[place : place + FINGERPRINT_BYTES], refused

    def _among(self, mailing_id: int, phones: Sequence[int], read: dict[int, _Claims | None]) -> Iterator[tuple[int, int, int]]:
        """The claims of these phones: each with its batch and its position there."""
        if mailing_id not in read:
            rows = self._db.rows(_ALL_CLAIMS, (mailing_id, self._few + 1))
            read[mailing_id] = {phone: (batch_id, position) for phone, batch_id, position in rows} if len(rows) <= self._few else None
        few = read[mailing_id]
        if few is not None:
            for phone in few.keys() & set(phones):
                yield (phone, *few[phone])
            return
        for start in range(0, len(phones), _AT_ONCE):
            part = list(phones[start : start + _AT_ONCE])
            # One statement for every length: a phone named twice is still found once.
            part += part[:1] * (_AT_ONCE - len(part))
            yield from self._db.rows(_CLAIMS, (mailing_id, *part))

    def _load(self, batch_id: int, batches: dict[int, _Batch]) -> _Batch:
        """One batch; StateError if it is damaged, or gone: passing its people over would plan them as new."""
        row = self._db.row(
            f"SELECT b.request_id, r.state, b.fingerprints, b.refused, b.definition, b.statuses, b.mailing_id, b.phones,"  # noqa: S608 - our own names
            f" {holds('batch', 'b')} AND {holds('request', 'r')}, r.step"
            " FROM batch b JOIN request r ON r.id = b.request_id WHERE b.id = ?",
            (batch_id,),
        )
        if row is None:
            raise damaged(f"a claim of batch {batch_id}, which is gone")
        if not row[8]:
            raise damaged(f"batch {batch_id} of {ref_of(row[0])}")
        size = len(row[2]) + len(row[7])
        self._kept_bytes += size
        if self._kept_bytes > self._most_bytes:
            batches.clear()
            self._kept_bytes = size
        state, step = RequestState(row[1]), Step(row[9])
        batch = batches[batch_id] = _Batch(row[6], ref_of(row[0]), row[7], state, row[2], bool(row[3]), row[4], row[5], step)
        return batch

    def _current(self) -> tuple[dict[int, _Batch], dict[int, _Claims | None]]:
        """The batches kept, and the claims of small mailings; none once this or another process has written."""
        moment = self._db.moment()
        if moment != self._moment:
            # Another thread may be filling the old ones with what it read before: it keeps them, we begin anew.
            self._moment, self._kept, self._kept_bytes, self._trusted, self._read = moment, {}, 0, set(), {}
        return self._kept, self._read
