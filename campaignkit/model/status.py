"""What is known of everyone who was, or may have been, sent to: the view behind `status` and its reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLine:
    """The provider's words about one mailing, at the place an author can go to; `confirmed` after two polls agreed."""

    message: str
    path: str
    line: int
    recipients: int
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """One request, as far as it concerns one mailing."""

    request: str
    tag: str
    outcome: str
    uuid: str
    recipients: int
    sent_at: datetime | None
    reason: str
    method: str = "bulk"
    step: str = ""


@dataclass(slots=True, kw_only=True)
class MailingStatus:
    """One mailing: `recipients` = sum of `statuses` + rejected + unknown + unreported."""

    mailing: str
    revision: int
    path: str
    line: int
    recipients: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    unknown: int = 0
    unreported: int = 0
    cost: str = ""
    """What the provider says that a mailing to a list of its own cost."""
    classes: dict[str, int] = field(default_factory=dict)
    """The statuses by what they mean: one language for the words of all methods."""
    errors: list[ErrorLine] = field(default_factory=list)
    requests: list[RequestLine] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class CampaignStatus:
    """One campaign."""

    campaign: str
    revision: int
    mailings: list[MailingStatus] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class StatusReport:
    """Everything `status` shows."""

    environment: str
    sandbox: bool
    campaigns: list[CampaignStatus] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """One delivery of one person."""

    campaign: str
    revision: int
    mailing: str
    phone: int
    status: str
    status_time: str
    request: str
    tag: str
    uuid: str
    outcome: str
    sent_at: datetime | None
    method: str = "bulk"
    error_code: str = ""
    status_class: str = ""
