"""What the sandbox remembers of quick messages and list mailings, and how that is written down."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a message shows. `image_file` is the URL that was given, or the name under which an upload is kept."""

    type: str
    message: str = ""
    button: str = ""
    button_link: str = ""
    image_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """One accepted call of sendQuickViberMessage. `forward_after` is in minutes, where an SMS shall follow."""

    at: float
    token_place: str
    vibername_id: int
    phone: str
    body: Body
    forward_after: int | None = None
    alphaname_id: int | None = None
    message_id: int = 0
    delivery_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One accepted call of sendViberMessageList: nobody is sent to before it is confirmed.

    `phones` are the subscribers as they were then; `scheduled_for` is in seconds since the epoch.
    """

    at: float
    token_place: str
    name: str
    vibername_id: int
    list_id: int
    body: Body
    phones: tuple[str, ...]
    scheduled_for: float | None = None
    message_id: int = 0
    first_delivery_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The one call of confirmViberMessage that counted for a draft; `cost` is what was debited, as a decimal number."""

    message_id: int
    at: float
    token_place: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The incoming messages that one call of readResponseStatus flagged."""

    at: float
    ids: tuple[str, ...]


def encode(record: Quick | Draft | Confirmation | Marks) -> bytes:
    """A record as one line of ASCII JSON."""
    return json.dumps(asdict(record), separators=(",", ":")).encode("ascii")


def decode_quick(line: bytes) -> Quick:
    """The quick message that `encode` wrote."""
    document: dict[str, Any] = json.loads(line)
    return Quick(**document | {"body": Body(**document["body"])})


def decode_draft(line: bytes) -> Draft:
    """The list mailing that `encode` wrote."""
    document: dict[str, Any] = json.loads(line)
    return Draft(**document | {"body": Body(**document["body"]), "phones": tuple(document["phones"])})


def decode_confirmation(line: bytes) -> Confirmation:
    """The confirmation that `encode` wrote."""
    return Confirmation(**json.loads(line))


def decode_marks(line: bytes) -> Marks:
    """The marks that `encode` wrote."""
    document: dict[str, Any] = json.loads(line)
    return Marks(at=document["at"], ids=tuple(document["ids"]))
