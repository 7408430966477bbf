"""What the operator side knows about one mailing: its identity and what goes once into every request of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


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
