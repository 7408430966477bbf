"""A request whose outcome nobody knows, as a person sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HintLine:
    """One piece of evidence that proves nothing by itself.

    `source` is `callback` or `answer` (the one that was kept); `at` is when it came, where that is known. `uuid` is what
    it names, `error` the provider's words where it says that it refused. `finding` is what asking about the uuid
    showed: `verified`, `foreign`, `not_shown`, or empty where nobody asked yet.
    """

    source: str
    at: datetime | None
    uuid: str = ""
    error: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRequest:
    """What is known of it; `answer` is the kept answer as text, `first_phones` a few of its people.

    `step` is the call of a list mailing (create or confirm), `message_id` the provider's id where it is known.

    `scheduled_at` is when the provider was to send the last of it, None for at once; from `not_sent_from` on a person may
    say that it was not sent.
    """

    ref: str
    tags: tuple[str, ...]
    campaign: str
    mailings: tuple[str, ...]
    recipients: int
    first_phones: tuple[int, ...]
    sent_at: datetime | None
    scheduled_at: datetime | None
    not_sent_from: datetime
    phase: str
    bytes_written: int
    http_status: int | None
    reason: str
    answer: str
    hints: tuple[HintLine, ...] = ()
    method: str = "bulk"
    step: str = ""
    message_id: str = ""
