"""What a state keeps beside its deliveries: replies, who wants nothing more, messages to the team's own phones.

The laws any store keeps: a reply is stored once, by the provider's id of it, with the opt-out that follows from it in the same
transaction; it is marked as read only when it stands here; a test message has its own durable intent before its first byte leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from campaignkit.model.outcomes import SendResult


@dataclass(frozen=True, slots=True, kw_only=True)
class OptoutRow:
    """Somebody who wants nothing more; `reply` is the stored reply that said so, if one did."""

    phone: int
    at: datetime
    reason: str
    by: str
    reply: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply as the provider gave it: `message_id` is of the mailing that was asked about, `request` ours of it.

    `received` is the provider's own time of it, which names no zone; `phone` is None where it was none.
    """

    provider_id: str
    message_id: str
    request: str
    phone: int | None
    text: str
    received: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRow:
    """A reply as stored; `acked_at` says that the provider has marked it as read. `request` is empty where it is not known."""

    id: int
    provider_id: str
    message_id: str
    request: str
    phone: int | None
    text: str
    received: str
    pulled_at: datetime
    acked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of some replies: the new ones, whom they opted out, and the provider's ids of known ones that came otherwise.

    `unread_again` counts those that were marked as read, and that the provider shows as new all the same.
    """

    new: tuple[ReplyRow, ...]
    opted_out: tuple[int, ...]
    altered: tuple[str, ...]
    unread_again: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """A message to one of the team's own phones, in the words of the person it was rendered for."""

    __test__ = False  # not one of pytest's

    id: int
    campaign: str
    mailing: str
    phone: int
    rendered_for: int
    state: str
    message_id: str
    at: datetime
    done_at: datetime | None
    http_status: int | None
    reason: str
    answer: bytes


class AsidesReader(Protocol):
    """Looking; the promises of `StateReader` hold."""

    def opted_out(self, phones: Sequence[int]) -> frozenset[int]:
        """Which of these want nothing more."""
        ...

    def optouts(self) -> Sequence[OptoutRow]:
        """Everybody who wants nothing more, by phone."""
        ...

    def replies(self, *, campaigns: Sequence[str] = (), phone: int | None = None, unread: bool = False) -> Iterator[ReplyRow]:
        """Replies in the order they were stored; no filters mean all. `unread`: those not marked as read at the provider."""
        ...

    def message_ids(self) -> Mapping[str, Sequence[str]]:
        """By reference: the provider's ids of the mailings of bulk requests, as far as they were asked for."""
        ...

    def tests(self) -> Sequence[TestRow]:
        """Every message to the team's own phones, oldest first."""
        ...


class AsidesStore(AsidesReader, Protocol):
    """Changing; the promises of `Store` hold."""

    def opt_out(self, phone: int, *, reason: str, at: datetime, by: str, reply: int | None = None) -> bool:
        """Never message this person again; False, and no change, if that is so already."""
        ...

    def opt_in(self, phone: int, *, reason: str, at: datetime, by: str) -> bool:
        """Take an opt-out back, by hand: releases + 1; False, and no change, if there is none."""
        ...

    def keep_replies(self, replies: Sequence[Reply], *, optouts: Mapping[str, str], at: datetime, by: str) -> Kept:
        """Store replies, each once; the new ones among `optouts` (by the provider's id, with the reason) opt their phones out.

        A known reply that comes again opts nobody out again, and is unread again.
        """
        ...

    def mark_acked(self, ids: Sequence[int], at: datetime) -> int:
        """Note that the provider has marked these as read. Returns how many were not noted so before."""
        ...

    def learn_messages(self, ref: str, message_ids: Sequence[str]) -> None:
        """Keep the provider's ids of the mailings of a bulk request. StateError if the request is gone."""
        ...

    def begin_test(self, *, campaign: str, mailing: str, phone: int, rendered_for: int, at: datetime) -> int:
        """The intent of a test message, durable when this returns. Returns its id."""
        ...

    def end_test(self, test_id: int, result: SendResult, at: datetime) -> None:
        """How a test message ended. StateError if it is not under way."""
        ...

    def recover_tests(self, at: datetime) -> int:
        """After dead runs: test messages under way become unknown. Returns how many."""
        ...
