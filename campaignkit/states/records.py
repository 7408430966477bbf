"""What goes into a state and comes out of it: plain frozen records, no SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from campaignkit.model.mailings import MailingKey


class RequestState(StrEnum):
    """The life of one request. Only `PLANNED` and `DRAFT` may become `INTENT`, once an attempt."""

    PLANNED = "planned"
    INTENT = "intent"
    DRAFT = "draft"
    """A list mailing that the provider has and that nobody confirmed: it costs nothing and reaches nobody yet."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"
    RELEASED = "released"
    DISSOLVED = "dissolved"


HOLDING = frozenset(
    {
        RequestState.PLANNED,
        RequestState.INTENT,
        RequestState.DRAFT,
        RequestState.ACCEPTED,
        RequestState.UNKNOWN,
        RequestState.ABANDONED,
    }
)
"""The living states: a request in one of them holds its delivery keys."""


class Step(StrEnum):
    """Which call the attempts of a request are of: a list mailing takes two, of which the second costs money."""

    ONLY = ""
    CREATE = "create"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateInfo:
    """Who a state is.

    `releases` rises when a person frees keys by hand, `claims_version` with every change of claims or outcomes,
    `serial` with each run and each decision of a person. `history` is the hash over all lines of the history, hex: two states that
    came from one backup may have the same counters, not this.
    """

    path: str
    environment: str
    origin: str
    lineage: str
    serial: int
    schema_version: int
    releases: int
    claims_version: int
    history: str


class Known(NamedTuple):
    """What the state knows of one delivery key: the request that holds it.

    A tuple and no dataclass: a plan makes one for each of a million people.
    """

    mailing_id: int
    request: str
    state: RequestState
    fingerprint: bytes
    refused: bool
    """The provider refused the batch after accepting the request, and two polls agreed."""
    definition: str
    step: Step = Step.ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMailing:
    """A mailing that the state has seen. `claimed` counts its living claims, `accepted` those of accepted requests."""

    id: int
    key: MailingKey
    path: str
    line: int
    claimed: int
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """One batch about to be claimed. `phones` are little-endian 8-byte integers, `fingerprints` 16 bytes each."""

    key: MailingKey
    path: str
    line: int
    definition: str
    tag: str
    name: str
    phones: bytes
    fingerprints: bytes
    schedule_utc: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """One request about to be claimed; `callback` is SHA-256 of the unguessable part of its callback address, if it has one.

    `method` is bulk, quick or list. `uuid` is the provider's id of it where that is known already: of what another state had sent.
    """

    batches: tuple[PlannedBatch, ...]
    callback: bytes = b""
    method: str = "bulk"
    uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One batch as stored.

    `claimed` of its people still hold their keys by it: those it refused may have passed on to another request.
    `schedule_utc` is when the provider is to send it, None for at once. `statuses` is one byte a recipient: 0 for none yet,
    else an id of `Store.words()`.
    """

    id: int
    key: MailingKey
    path: str
    line: int
    tag: str
    name: str
    count: int
    claimed: int
    schedule_utc: datetime | None
    phones: bytes
    fingerprints: bytes
    statuses: bytes
    details: bytes
    """Zlib-compressed JSON: [[delivery_id, status_time, error_code], …] by position; empty before the first answer."""
    errors: tuple[str, ...]
    """The provider's words about this batch, each once, in the order they came."""
    error_first_at: datetime | None
    refused: bool
    totals: Mapping[int, int] = field(default_factory=dict)
    """How many people have each status byte; there also where the byte columns were not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is known of a mailing to a list of the provider, once it was created.

    `subscribers` is the number that the create's answer gave, None if it gave none; `draft_word` the provider's status word
    of it when it certainly was a draft, read before its confirm; the byte columns are those of a batch, by the provider's order.
    """

    subscribers: int | None
    draft_word: str
    cost: str
    phones: bytes
    statuses: bytes
    details: bytes

    @property
    def listed(self) -> int:
        """People whom the provider named."""
        return len(self.statuses)

    @property
    def recipients(self) -> int:
        """People it goes to; the list itself counts as one while nobody knows more."""
        return max(self.subscribers if self.subscribers is not None else 1, self.listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request as stored, with its batches. `listing` is there once a list mailing was created."""

    ref: str
    method: str = "bulk"
    step: Step = Step.ONLY
    listing: Listing | None = None
    state: RequestState
    run_id: int
    uuid: str
    attempts: int
    planned_at: datetime
    intent_at: datetime | None
    done_at: datetime | None
    http_status: int | None
    phase: str
    reason: str
    bytes_written: int
    answer: bytes
    polled_at: datetime | None
    final: bool
    batches: tuple[BatchRow, ...]
    poll_answer: bytes = b""
    """The newest status answer in which something was not understood."""

    @property
    def recipients(self) -> int:
        """People of all its batches, or of its list."""
        return self.listing.recipients if self.listing else sum(batch.count for batch in self.batches)

    @property
    def names(self) -> tuple[str, ...]:
        """What the provider calls its mailings."""
        return tuple(batch.name for batch in self.batches)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """The totals of one batch, kept beside it so that they cost no people: `statuses` counts each status byte."""

    key: MailingKey
    request: str
    state: RequestState
    batch_id: int
    count: int
    refused: bool
    statuses: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUpdate:
    """What one poll taught about one batch; whole new values, computed by the engine."""

    batch_id: int
    statuses: bytes
    details: bytes
    errors: tuple[str, ...]
    error_first_at: datetime | None
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What the death of earlier runs left: requests now unknown, and planned ones dissolved."""

    unknown_requests: tuple[str, ...] = ()
    unknown_people: int = 0
    dissolved_requests: int = 0
    freed_people: int = 0
    """Of what was dissolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the history."""

    id: int
    at: datetime
    kind: str
    subject: str
    detail: str


class Taken(StrEnum):
    """What became of a callback that came in."""

    STORED = "stored"
    REPEATED = "repeated"
    """The same body came for the same request before."""
    UNKNOWN = "unknown"
    """No request has this callback address."""
    FULL = "full"
    """The request has as many callbacks as are kept."""


class Finding(StrEnum):
    """What the provider's statuses showed under a uuid that somebody, or something, named for a request."""

    VERIFIED = "verified"
    """Batches of this request, and of no other."""
    FOREIGN = "foreign"
    """Batches of others."""
    NOT_SHOWN = "not_shown"
    """Nothing, or not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRow:
    """One callback as it came in; `handled` once nothing more follows from it."""

    id: int
    at: datetime
    body: bytes
    handled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What asking about one uuid showed, the last of so many `tries`."""

    uuid: str
    finding: Finding
    tries: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Evidence about one request: its callbacks, oldest first, and what was asked about the uuids that hints named."""

    ref: str
    callbacks: tuple[CallbackRow, ...]
    verifications: tuple[Verification, ...]
