"""What the engine asks of a state: one protocol, so that SQLite today and PostgreSQL later pass the same tests.

The laws any store keeps: a delivery key is claimed by at most one living request; a request goes from planned to intent
at most once an attempt, by compare-and-set, durable before the call returns; nothing leaves `intent` or `unknown`
towards `planned` but by the very attempt that saw a throttle or wrote no byte, or by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import SendResult
from campaignkit.states.asides import AsidesReader, AsidesStore
from campaignkit.states.records import (
    BatchCounts,
    BatchUpdate,
    Event,
    Finding,
    Hints,
    Known,
    KnownMailing,
    Listing,
    PlannedRequest,
    Recovered,
    RequestRow,
    RequestState,
    StateInfo,
    Taken,
)


class ClaimConflictError(Exception):
    """A delivery key of the plan is claimed by somebody else; nothing of the plan was written."""


class StateReader(AsidesReader, Protocol):
    """Looking: takes no lock, changes nothing.

    A reader that was opened as one sees the state of the moment it was opened, until it is closed. Every method raises
    `StateError` where the store cannot be read.
    """

    def info(self) -> StateInfo:
        """Who this state is."""
        ...

    def mailings(self) -> Sequence[KnownMailing]:
        """Every mailing ever claimed here, by id."""
        ...

    def known(self, mailing_ids: Sequence[int], phones: Sequence[int]) -> Mapping[int, Known]:
        """What is known of these phones in these mailings; a phone held in several is given for the first of them."""
        ...

    def fingerprints_elsewhere(self, mailing_ids: Sequence[int], phones: Sequence[int]) -> Mapping[int, frozenset[bytes]]:
        """The fingerprints these phones were, or may have been, sent in these mailings.

        That is: those of claims of accepted, intent, unknown and abandoned requests.
        """
        ...

    def requests(
        self, *, campaigns: Sequence[str] = (), states: Sequence[RequestState] = (), with_people: bool = True
    ) -> Iterator[RequestRow]:
        """Requests in the order they were planned; empty filters mean all.

        A request of a campaign comes with all its batches. Without people the byte columns of its batches are empty,
        `count` stays.
        """
        ...

    def request(self, ref_or_tag: str) -> RequestRow | None:
        """One request by its reference, or by the tag (or whole name) of one of its batches."""
        ...

    def holders(self, phone: int) -> Sequence[tuple[RequestRow, int, int]]:
        """Every batch that ever held this phone: its request, the index of the batch in it, the position in that batch."""
        ...

    def words(self) -> Mapping[int, str]:
        """The provider's status words by the byte that stands for each."""
        ...

    def events(self, *, limit: int = 0) -> Iterator[Event]:
        """The history, oldest first; the newest `limit` if given."""
        ...

    def status_counts(self, campaigns: Sequence[str] = ()) -> Iterator[BatchCounts]:
        """The totals of every batch of these campaigns (none named: of all), in the order they were planned.

        Loads nobody: the counts are stored beside each batch. Byte 0 counts those without a status.
        """
        ...

    def knows_callback(self, secret_hash: bytes) -> bool:
        """Whether a request has the callback address whose unguessable part has this SHA-256."""
        ...

    def hints(self, ref: str = "") -> Iterator[Hints]:
        """What came in about one request, or about every request with a callback that nobody handled yet.

        Either way with all its callbacks, handled or not; the latter come oldest request first.
        """
        ...

    def problems(self) -> Sequence[str]:
        """What is wrong inside: broken pages, claims without requests, sums that do not add up. Empty when sound."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Store(StateReader, AsidesStore, Protocol):
    """Changing: only while the lock of the state is held. Each method is one transaction, durable when it returns.

    What it could not write for certain (a full disk, an update that met another number of rows than it must) raises
    `StateError`, and nothing of that call was stored. Times must be timezone-aware, else ValueError.
    """

    def begin_run(self, *, command: str, digest: str, at: datetime) -> int:
        """Open a run: serial + 1, an entry in the history. Returns its id."""
        ...

    def recover(self, at: datetime) -> Recovered:
        """After dead runs: intent becomes unknown; planned is dissolved and its claims are freed."""
        ...

    def carry_over(self, old: MailingKey, new: MailingKey, at: datetime) -> int:
        """`moved_from`: give the deliveries of `old` the name `new`, if `new` holds no claims yet. Returns people moved."""
        ...

    def write_plan(self, run_id: int, requests: Iterable[PlannedRequest], at: datetime) -> Sequence[str]:
        """Claim everyone of the plan in ONE transaction; returns the requests' references in order.

        A key held by an accepted batch that the provider refused afterwards passes to the new request; any other living
        claim raises `ClaimConflictError`, and nothing is written.
        """
        ...

    def mark_intent(self, ref: str, at: datetime) -> int | None:
        """Planned → intent, or draft → intent of its confirm, by compare-and-set.

        Returns the attempt's number, or None if the request was neither: then it must not be sent.
        """
        ...

    def record(self, ref: str, attempt: int, result: SendResult, at: datetime, *, again: bool = False) -> RequestState:
        """Store how the attempt ended. Accepted and unknown keep the claims, the rest frees them.

        A create that was accepted is a draft; a confirm that was refused or not sent leaves it one, and keeps the claim.

        With `again`, a throttled or unsent attempt goes back to planned instead and keeps its claims, unless another
        run has meanwhile declared it unknown. An accepted uuid that another request already has becomes unknown.
        Returns the state the request has now.

        Raises:
            StateError: The request is not in this attempt, or a person has decided about it.
        """
        ...

    def dissolve(self, run_id: int, at: datetime) -> int:
        """Free what this run planned and never sent. Returns people freed."""
        ...

    def end_run(self, run_id: int, *, summary: str, at: datetime) -> None:
        """Close a run with its JSON summary in the history."""
        ...

    def record_poll(
        self,
        ref: str,
        updates: Sequence[BatchUpdate],
        *,
        final: bool,
        at: datetime,
        seen: datetime | None,
        answer: bytes = b"",
        listing: Listing | None = None,
        message_ids: Sequence[str] = (),
    ) -> bool:
        """Store what a status answer taught; `answer` only where something in it was not understood.

        `listing` is the whole new knowledge about a mailing to a list of the provider, `message_ids` what `learn_messages` takes.

        `seen` is the `polled_at` of the row that the updates were folded from: if another poll was stored since,
        nothing is written and the answer is False: fold it anew then.
        """
        ...

    def word_id(self, word: str) -> int:
        """The byte for a status word of the provider; a new word gets the next free one.

        254 words get a byte of their own; 255 stands for all others, as the word `OTHER`.
        """
        ...

    def resolve(self, ref: str, to: RequestState, *, uuid: str = "", reason: str, at: datetime, by: str = "") -> int:
        """A person's answer to an unknown request, or to a draft: accepted, abandoned or released (frees the keys, releases + 1).

        An unknown call of a list mailing may also turn out to have left a draft; one whose confirm is unknown is not released
        while the provider's id of it is known.

        `by` is who says so, for the history. Returns people concerned. An accepted request needs no uuid; it is then never polled.

        Raises:
            ValueError: The request is not unknown, or `to` is no such answer.
            StateError: The uuid belongs to another request.
        """
        ...

    def take_callback(self, secret_hash: bytes, body: bytes, at: datetime) -> Taken:
        """Keep what came for the callback address of a request: once for the same body, and only so many.

        A request in any state keeps them: a callback may be faster than the answer. Changes nothing else.

        Raises:
            ValueError: The body has more than 64 KiB.
        """
        ...

    def handle_callbacks(self, ids: Sequence[int]) -> None:
        """Mark callbacks of which nothing more follows; they stay readable."""
        ...

    def record_verification(self, ref: str, uuid: str, finding: Finding, at: datetime) -> None:
        """Remember what asking about a uuid showed, and count how often it was asked. StateError if the request is gone."""
        ...

    def note_draft(self, ref: str, word: str) -> None:
        """Keep the provider's status word of what certainly is a draft: if it reads otherwise after a lost confirm, that counted.

        Raises:
            StateError: The request is no draft.
        """
        ...

    def discard_drafts(self, at: datetime) -> Sequence[str]:
        """Release the creates of list mailings whose answer was lost, where drafts are known to be inert; returns their references."""
        ...

    def forget(self, key: MailingKey, *, reason: str, at: datetime, by: str = "") -> int:
        """Drop all claims and batches of a mailing, leaving a tombstone event; releases + 1. Returns people forgotten."""
        ...

    def lose_history(self, requests: Iterable[PlannedRequest], *, since: int, at_least: int, at: datetime) -> int:
        """After a backup was put back: claim these people, and make them and all that was planned or under way unknown.

        Args:
            requests: Whoever may have been sent to since the backup; nobody of them is claimed yet.
            since: The serial of the backup.
            at_least: The serial that the lost state is known to have reached; the new one is higher.
            at: Now.

        Returns:
            People now unknown.
        """
        ...

    def note(self, *, kind: str, subject: str, detail: str, at: datetime) -> None:
        """Add a line to the history."""
        ...
