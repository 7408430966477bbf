"""Recipients to batches to requests: a small first batch as a canary, then full ones, in the audience's order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol, TypeVar

from campaignkit.engine.spool import Spool, Stretch
from campaignkit.model.mailings import BULK, FINGERPRINT_BYTES, Mailing
from campaignkit.protocol.messages import Chunk
from campaignkit.states.packing import pack_phones
from campaignkit.wire.bulk import check_elements


def sizes(people: int, *, batch_size: int, first: int) -> int:
    """How many batches a mailing takes."""
    if people <= 0:
        return 0
    first = min(first, batch_size)
    return 1 + max(0, -(-(people - first) // batch_size))


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBatch:
    """One batch in the spool; `number` counts from 1 within its mailing."""

    mailing: Mailing
    number: int
    count: int
    phones: Stretch
    fingerprints: Stretch
    elements: Stretch
    canary: bool

    @property
    def campaign(self) -> str:
        """Its campaign's id."""
        return self.mailing.key.campaign

    @property
    def alone(self) -> bool:
        """Whether it takes a request of its own: only the bulk method carries several mailings."""
        return self.mailing.method != BULK


def most(mailing: Mailing, batch_size: int) -> int:
    """People of a full batch of this mailing: the other methods take one delivery a call."""
    return batch_size if mailing.method == BULK else 1


@dataclass(slots=True, kw_only=True)
class Packer:
    """Fills the batches of one mailing.

    Args:
        mailing: Whose batches.
        spool: Where their bytes go.
        batch_size: People of a full batch.
        first: People of the first one.
        canary: Whether the rest of the mailing depends on the first request.
    """

    mailing: Mailing
    spool: Spool
    batch_size: int
    first: int
    canary: bool
    batches: list[PackedBatch] = field(default_factory=list)
    _phones: array[int] = field(default_factory=lambda: array("q"))
    _fingerprints: list[bytes] = field(default_factory=list)
    _elements: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.batch_size = most(self.mailing, self.batch_size)

    def add(self, chunk: Chunk, chosen: Sequence[int] | None) -> None:
        """Take people of a chunk, by position; None means all of them."""
        starts = list(accumulate(chunk.lengths, initial=0))
        positions: Sequence[int] = range(len(chunk.phones)) if chosen is None else chosen
        width, elements, at = FINGERPRINT_BYTES, chunk.elements, 0
        while at < len(positions):
            part = positions[at : at + self._limit() - len(self._phones)]
            if isinstance(part, range):
                self._phones.extend(chunk.phones[part.start : part.stop])
                self._fingerprints.append(chunk.fingerprints[part.start * width : part.stop * width])
            else:
                self._phones.extend([chunk.phones[one] for one in part])
                self._fingerprints += [chunk.fingerprints[one * width : one * width + width] for one in part]
            self._elements += [elements[starts[one] : starts[one + 1]] for one in part]
            at += len(part)
            if len(self._phones) >= self._limit():
                self._close()

    def finish(self) -> list[PackedBatch]:
        """Close the last batch and give back all."""
        if self._phones:
            self._close()
        return self.batches

    def _limit(self) -> int:
        return min(self.first, self.batch_size) if not self.batches else self.batch_size

    def _close(self) -> None:
        joined = b",".join(self._elements)
        # The child that rendered is not trusted: what it calls the element of a phone must be just that.
        check_elements(joined, self._phones, self.mailing.message_type if self.mailing.method == BULK else self.mailing.method)
        spool = self.spool
        self.batches.append(
            PackedBatch(
                mailing=self.mailing,
                number=len(self.batches) + 1,
                count=len(self._phones),
                phones=spool.append(pack_phones(self._phones)),
                fingerprints=spool.append(b"".join(self._fingerprints)),
                elements=spool.append(joined),
                canary=self.canary and not self.batches,
            )
        )
        self._phones, self._fingerprints, self._elements = array("q"), [], []


class Batch(Protocol):
    """What decides which batches travel together."""

    @property
    def campaign(self) -> str:
        """Its campaign's id."""
        ...

    @property
    def canary(self) -> bool:
        """Whether the rest of its mailing waits for it."""
        ...

    @property
    def alone(self) -> bool:
        """Whether it takes a request of its own."""
        ...


B = TypeVar("B", bound=Batch)


def requests(batches: Sequence[B], per_request: int) -> Iterator[tuple[B, ...]]:
    """Batches to requests of at most `per_request`: never of two campaigns, and a canary travels alone."""
    held: list[B] = []
    for batch in batches:
        crowded = len(held) >= per_request or (held and held[0].campaign != batch.campaign)
        if held and (crowded or batch.canary or held[-1].canary or batch.alone or held[-1].alone):
            yield tuple(held)
            held = []
        held.append(batch)
    if held:
        yield tuple(held)
