"""Replies, opt-outs, the provider's own records and test messages, as reports show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from campaignkit.model.mailings import MailingKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What of ours a record of the provider is: a request, or a test message (which has no revision)."""

    key: MailingKey | None
    request: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLine:
    """A reply; `link` is what it answers, None where that is not known any more.

    `wish` is `opted_out` where the phone is opted out, `perhaps` where the words only come near that; else empty.
    """

    id: int
    provider_id: str
    message_id: str
    phone: int | None
    text: str
    received: str
    pulled_at: datetime
    acked_at: datetime | None
    link: Link | None
    wish: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptoutLine:
    """Somebody who wants nothing more; `reply` is the id of the stored reply that said so."""

    phone: int
    at: datetime
    reason: str
    by: str
    reply: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """A mailing as the provider has it, in its own words; `link` is None where the state does not know it."""

    message_id: str
    message_type: str
    message: str
    button_caption: str
    button_link: str
    image_file: str
    status: str
    status_class: str
    created: str
    schedule: str
    cost: str
    link: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLine:
    """One person of a mailing as the provider has it."""

    delivery_id: int | None
    phone: int | None
    status: str
    status_class: str
    error_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestLine:
    """What became of one test message; `used` of `limit` within a day."""

    __test__ = False  # not one of pytest's

    id: int
    key: MailingKey
    phone: int
    rendered_for: int
    outcome: str
    message_id: str
    reason: str
    used: int
    limit: int
