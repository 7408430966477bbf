"""What the operator side knows about one mailing: its identity and what goes once into every request of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

BULK, QUICK, LIST = "bulk", "quick", "list"
"""How a mailing is sent: many people a call, one person a call, or one list of the provider."""
LIST_PHONE = 0
"""Stands for a list of the provider where a delivery key has a phone: the list is one delivery."""
LONGEST_LINK = 150
"""Characters of `button_link`; documented for sendBulkViber, taken for all methods."""
FINGERPRINT_BYTES = 16
"""Of the hash that tells what somebody got from anything else."""


class MailingKey(NamedTuple):
    """Identity of a mailing; with a phone it is the delivery key."""

    campaign: str
    revision: int
    mailing: str

    def __str__(self) -> str:
        return f"{self.campaign}/{self.mailing}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """One reviewed mailing, ready to be packed.

    Attributes:
        key: Its identity.
        path: Its campaign file, relative to the project.
        line: Where it begins there.
        message_type: `personal` or `bulk`, as in the API.
        content_type: `text`, `image` or `button`, as in the API.
        alphaname_id: The sender, as the API takes it.
        schedule_wire: `schedule_time` as the provider gets it, or empty.
        schedule_utc: The same instant, or None.
        schedule_shown: Author's, provider's and UTC time, for people.
        content: The `content` object of the wire.
        definition: Hash of the definition without row data: a rejected mailing is sent again when it changes.
        method: `bulk`, `quick` or `list`.
        vibername_id: The Viber sender of quick messages and lists, as the API takes it.
        list_id: The provider's list, of a list mailing.
        expect_min: The fewest subscribers that list may have, None for any.
        expect_max: The most.
        sms_alphaname_id: Who sends the SMS that stands in for a quick message.
        sms_after: Minutes after which it does; 0 for never.
        optouts_handled: Whether the author says that the provider's list is rid of those who opted out.
        image: The bytes of a local image, empty where there is none.
        image_name: Its file name.
    """

    key: MailingKey
    path: str
    line: int
    message_type: str
    content_type: str
    alphaname_id: str
    schedule_wire: str
    schedule_utc: datetime | None
    schedule_shown: str
    content: dict[str, str]
    definition: str
    method: str = BULK
    vibername_id: str = ""
    list_id: str = ""
    expect_min: int | None = None
    expect_max: int | None = None
    sms_alphaname_id: str = ""
    sms_after: int = 0
    optouts_handled: bool = False
    image: bytes = field(default=b"", repr=False)
    image_name: str = ""
