"""What the sandbox remembers of a request, and how that is written down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Recipient:
    """One phone of a mailing, with what is its own in a personal one."""

    phone: str
    text: str = ""
    button_link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """One element of `messages`.

    One with `errors` was refused: it has no recipients and no ids. `scheduled_for` is in seconds since the epoch.
    """

    name: str
    alphaname_id: int
    message_type: str
    content: Mapping[str, str]
    scheduled_for: float | None = None
    recipients: tuple[Recipient, ...] = ()
    errors: tuple[str, ...] = ()
    message_id: int = 0
    first_delivery_id: int = 0

    @property
    def phones(self) -> list[str]:
        """Every accepted phone, in the order it came, repeated ones repeated."""
        return [recipient.phone for recipient in self.recipients]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One accepted call of sendBulkViber. `token_place` says where its token stood: `json`, `form` or `query`."""

    uuid: str
    at: float
    token_place: str
    callback_url: str
    mailings: tuple[Mailing, ...]


def encode(request: Request) -> bytes:
    """A request as one line of ASCII JSON."""
    document = {
        "uuid": request.uuid,
        "at": request.at,
        "token_place": request.token_place,
        "callback_url": request.callback_url,
        "mailings": [_mailing_document(mailing) for mailing in request.mailings],
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def decode(line: bytes) -> Request:
    """The request that `encode` wrote."""
    document: dict[str, Any] = json.loads(line)
    mailings = tuple(_mailing(mailing) for mailing in document.pop("mailings"))
    return Request(mailings=mailings, **document)


def _mailing_document(mailing: Mailing) -> dict[str, Any]:
    # Lists instead of objects for people: their field names would be most of the file.
    personal = mailing.message_type == "personal"
    return {
        "name": mailing.name,
        "alphaname_id": mailing.alphaname_id,
        "message_type": mailing.message_type,
        "content": dict(mailing.content),
        "scheduled_for": mailing.scheduled_for,
        "recipients": [[r.phone, r.text, r.button_link] if personal else [r.phone] for r in mailing.recipients],
        "errors": mailing.errors,
        "message_id": mailing.message_id,
        "first_delivery_id": mailing.first_delivery_id,
    }


def _mailing(document: dict[str, Any]) -> Mailing:
    recipients = tuple(Recipient(*fields) for fields in document.pop("recipients"))
    errors = tuple(document.pop("errors"))
    return Mailing(recipients=recipients, errors=errors, **document)
