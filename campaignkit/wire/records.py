"""The provider's own records by the v2 methods, read tolerantly: an odd row is noted, never a reason to lose the others.

Documented is `{"status": "OK", "result": …}`. Missing keys, nulls, ids and phones as numbers or texts, a list or an object in
place of the other, and an array instead of the whole are read as well. An `error` in place of a result is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from campaignkit.wire.statuses import LARGEST_ANSWER, LONGEST_ERROR
from campaignkit.wire.strict_json import BadJSONError, parse
from campaignkit.wire.v2 import stated_error
from campaignkit.wire.values import LONGEST_WORD, digits, number, phone, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST_TEXT = 4000
"""Characters of a message, an address or a reply."""

_MOST_NOTES = 50
_REPLY_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_COUNT = re.compile(r"[0-9]{1,9}")
_SURROGATES = re.compile("[\ud800-\udfff]")

Row = TypeVar("Row")


class NotRecordsError(ValueError):
    """The answer is nothing that was asked for; the message may quote the provider, cleaned.

    Attributes:
        stated: Whether the provider itself stated an error in a well-formed object.
    """

    def __init__(self, message: str, *, stated: bool = False) -> None:
        super().__init__(message)
        self.stated = stated


@dataclass(frozen=True, slots=True)
class QuickStatus:
    """What is known of one quick message; `error_code` is empty where it is 0 or absent."""

    phone: int | None
    status: str
    error_code: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One person of a list mailing; a `phone` or id that cannot be read is None."""

    delivery_id: int | None
    phone: int | None
    status: str
    error_code: str


@dataclass(frozen=True, slots=True)
class MailingRecord:
    """A mailing as the provider has it: its own words, cleaned; times have no zone; an id that cannot be read is empty."""

    message_id: str
    message_type: str
    message: str
    button_caption: str
    button_link: str
    image_file: str
    status: str
    created: str
    schedule: str
    cost: str


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A reply.

    Attributes:
        id: What it is known and acknowledged by; empty where it cannot be read: such a one can't be told from others.
        phone: Whose; None where it cannot be read.
        message: As it was written, cut to 4000 characters: anything at all. Whoever shows it cleans it.
        received: The provider's time, without a zone.
    """

    id: str
    phone: int | None
    message: str
    received: str


class Listing(tuple[Row, ...]):  # noqa: SLOT001 - a tuple has no room for slots
    """The rows of an answer.

    Attributes:
        notes: What could not be read, without personal data, at most 50 notes.
        entries: How many entries the provider gave, those that could not be read included: what a full page is known by.
    """

    notes: tuple[str, ...]
    entries: int

    def __new__(cls, rows: Iterable[Row] = (), notes: Iterable[str] = (), entries: int | None = None) -> Listing[Row]:
        """The rows, what is noted of them, and the number of entries where it is not that of the rows."""
        made = super().__new__(cls, tuple(rows))
        made.notes = tuple(notes)
        made.entries = len(made) if entries is None else entries
        return made


def decode_quick_status(body: bytes) -> QuickStatus:
    """Read an answer of `getViberDeliveryData`.

    Raises:
        NotRecordsError: It states an error, or is no object with a `result` object.
    """
    row = _object(body)
    return QuickStatus(phone(row.get("phone")), words(row.get("status"), LONGEST_WORD), _code(row.get("error_code")))


def decode_mailing(body: bytes) -> MailingRecord:
    """Read an answer of `getViberMessageData`.

    Raises:
        NotRecordsError: It states an error, or is no object with a `result` object.
    """
    return _mailing(_object(body))


def decode_mailings(body: bytes) -> Listing[MailingRecord]:
    """Read a page of `getViberMessages`.

    Raises:
        NotRecordsError: It states an error, or has no list.
    """
    return _rows(body, _mailing, lambda row: "" if row.message_id else "has no readable message_id")


def decode_deliveries(body: bytes) -> Listing[DeliveryRow]:
    """Read an answer of `getViberDeliveryList`.

    Raises:
        NotRecordsError: It states an error, or has no list.
    """
    return _rows(body, _delivery, lambda row: "has no readable phone" if row.phone is None else "")


def decode_incoming(body: bytes) -> Listing[IncomingMessage]:
    """Read an answer of `getNewIncomingMessages`; an empty inbox is one.

    Raises:
        NotRecordsError: It states an error, or has no list.
    """
    return _rows(body, _reply, lambda row: "" if row.id else "has no readable id")


def decode_flagged(body: bytes) -> int | None:
    """How many replies `readResponseStatus` says it has marked: the last figure of its words; None where it says none.

    Raises:
        NotRecordsError: It states an error, or is no JSON.
    """
    result = _result(body)
    figures = _COUNT.findall(words(result, LONGEST_ERROR)) if type(result) in {int, str} else []
    return int(figures[-1]) if figures else None


def is_reply_id(text: str) -> bool:
    """Whether a text can be the id of a reply: 1 to 64 letters, digits, hyphens and underscores."""
    return _REPLY_ID.fullmatch(text) is not None


def _result(body: bytes) -> Any:
    """What an answer has as its result: `result`, or the whole of it where it is an array."""
    try:
        value = parse(body, limit=LARGEST_ANSWER)
    except BadJSONError as error:
        raise NotRecordsError(f"the answer cannot be read, {error}") from None
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise NotRecordsError("the answer is no object")
    if text := stated_error(value):
        raise NotRecordsError(text, stated=True)
    if "result" not in value:
        raise NotRecordsError("the answer has no result")
    return value["result"]


def _object(body: bytes) -> dict[str, Any]:
    result = _result(body)
    if isinstance(result, list) and len(result) == 1:
        result = result[0]
    if not isinstance(result, dict) or not result:
        raise NotRecordsError("the result is no object")
    return result


def _rows(body: bytes, read: Callable[[dict[str, Any]], Row], doubt: Callable[[Row], str]) -> Listing[Row]:
    result = _result(body)
    if result is None:
        result = []
    if isinstance(result, dict):
        # PHP writes an array with gaps in its numbers as an object; and one row may stand without its list.
        whole = bool(result) and all(isinstance(inner, dict) for inner in result.values())
        result = list(result.values()) if whole else [result] if result else []
    if not isinstance(result, list):
        raise NotRecordsError("the result is no list")
    rows, notes = [], []
    for at, item in enumerate(result, 1):
        if not isinstance(item, dict):
            notes.append(f"entry {at} is no object")
            continue
        row = read(item)
        if said := doubt(row):
            notes.append(f"entry {at} {said}")
        rows.append(row)
    return Listing(rows, notes[:_MOST_NOTES], len(result))


def _mailing(row: dict[str, Any]) -> MailingRecord:
    def text(key: str, limit: int = LONGEST_TEXT) -> str:
        return words(row.get(key), limit)

    return MailingRecord(
        message_id=_message_id(row),
        message_type=text("message_type", LONGEST_WORD),
        message=text("message"),
        button_caption=text("button_caption"),
        button_link=text("button_link"),
        image_file=text("image_file"),
        status=text("status", LONGEST_WORD),
        created=text("d_create", LONGEST_WORD),
        schedule=text("d_schedule", LONGEST_WORD),
        cost=text("cost", LONGEST_WORD),
    )


def _message_id(row: dict[str, Any]) -> str:
    return digits(row.get("message_id")) or digits(row.get("viber_id"))


def _delivery(row: dict[str, Any]) -> DeliveryRow:
    return DeliveryRow(
        number(row.get("delivery_id")), phone(row.get("phone")), words(row.get("status"), LONGEST_WORD), _code(row.get("error_code"))
    )


def _reply(row: dict[str, Any]) -> IncomingMessage:
    named = row.get("id")
    identity = str(named) if type(named) is int else named
    message = row.get("message")
    return IncomingMessage(
        id=identity if isinstance(identity, str) and is_reply_id(identity) else "",
        phone=phone(row.get("phone")),
        # Not cleaned: its words are compared and stored. Lone surrogates are text to no store.
        message=_SURROGATES.sub("\ufffd", message)[:LONGEST_TEXT] if isinstance(message, str) else words(message, LONGEST_TEXT),
        received=words(row.get("d_receiver"), LONGEST_WORD),
    )


def _code(value: Any) -> str:
    found = words(value, LONGEST_WORD)
    return "" if value is False or found.strip() in {"0", ""} else found
