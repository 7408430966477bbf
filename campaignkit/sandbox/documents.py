"""`messages` of sendBulkViber, checked against the documentation.

A fault in the structure refuses the whole request; one in a mailing's content refuses that mailing alone, later.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from campaignkit.sandbox.content import content_errors
from campaignkit.sandbox.exchange import Refusal
from campaignkit.sandbox.records import Mailing, Recipient
from campaignkit.sandbox.times import scheduled

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTENT_FIELDS = ("type", "text", "image_url", "button_link", "caption")
_MESSAGE_FIELDS = ("alphaname_id", "name", "message_type", "schedule_time", "content", "delivery_list")
_PERSON_FIELDS = ("phone", "text", "button_link")
_PHONE = re.compile(r"375\d{9}|(?!375)\d{8,15}", re.ASCII)
_ID = re.compile(r"\d{1,18}", re.ASCII)


def read_mailings(messages: object) -> tuple[Mailing, ...]:
    """The mailings of a request.

    Raises:
        Refusal: The request is malformed as a whole.
    """
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "messages must be a non-empty array")
    return tuple(_mailing(entry, f"messages.{index}") for index, entry in enumerate(messages))


def unknown_keys(messages: object) -> Iterator[str]:
    """The keys in `messages` that the documentation's sample doesn't have: the strict mode refuses them."""
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if not isinstance(message, dict):
            continue
        where = f"messages.{index}"
        yield from _strange(message, _MESSAGE_FIELDS, where)
        yield from _strange(message.get("content"), _CONTENT_FIELDS, f"{where}.content")
        people = message.get("delivery_list")
        for number, person in enumerate(people if isinstance(people, list) else ()):
            yield from _strange(person, _PERSON_FIELDS, f"{where}.delivery_list.{number}")


def _strange(document: object, known: tuple[str, ...], where: str) -> Iterator[str]:
    for key in document if isinstance(document, dict) else ():
        if key not in known:
            yield f"{where} has an unknown key {key}"


def _mailing(entry: object, where: str) -> Mailing:
    if not isinstance(entry, dict):
        raise Refusal(400, f"{where} must be an object")
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip():
        raise Refusal(400, f"{where}.name is required")
    message_type = entry.get("message_type")
    if message_type not in ("bulk", "personal"):
        raise Refusal(400, f"{where}.message_type must be bulk or personal")
    if not isinstance(content := entry.get("content"), dict):
        raise Refusal(400, f"{where}.content must be an object")
    alphaname_id = _id(entry.get("alphaname_id"), f"{where}.alphaname_id")
    recipients = _recipients(entry.get("delivery_list"), message_type, f"{where}.delivery_list")
    texts = {field: content[field] for field in _CONTENT_FIELDS if isinstance(content.get(field), str)}
    errors = content_errors(message_type, texts, recipients)
    scheduled_for = None
    if (schedule := entry.get("schedule_time")) not in (None, ""):
        scheduled_for = scheduled(schedule) if isinstance(schedule, str) else None
        if scheduled_for is None:
            errors.append("Schedule time must have the format YYYY-MM-DDTHH:mm:ss")
    return Mailing(
        name=name,
        alphaname_id=alphaname_id,
        message_type=message_type,
        content=texts,
        scheduled_for=scheduled_for,
        recipients=() if errors else recipients,
        errors=tuple(errors),
    )


def _id(value: object, where: str) -> int:
    # 444.0 is a whole number in JSON.
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    text = str(number) if isinstance(number, int | str) and not isinstance(number, bool) else ""
    if not _ID.fullmatch(text):
        raise Refusal(400, f"{where} is required and must be an integer")
    return int(text)


def _recipients(delivery_list: object, message_type: str, where: str) -> tuple[Recipient, ...]:
    """The people with a valid phone: the others are left out without a word, as the documentation has none for them."""
    if not isinstance(delivery_list, list) or not delivery_list:
        raise Refusal(400, f"{where} must be a non-empty array")
    read = _person if message_type == "personal" else _phone_alone
    everyone = [read(entry, f"{where}.{index}") for index, entry in enumerate(delivery_list)]
    return tuple(recipient for recipient in everyone if _PHONE.fullmatch(recipient.phone))


def _phone_alone(entry: object, where: str) -> Recipient:
    if not isinstance(entry, str | int) or isinstance(entry, bool):
        raise Refusal(400, f"{where} must be a phone")
    return Recipient(str(entry))


def _person(entry: object, where: str) -> Recipient:
    if not isinstance(entry, dict):
        raise Refusal(400, f"{where} must be an object")
    phone = _phone_alone(entry.get("phone"), f"{where}.phone").phone
    return Recipient(phone, _text(entry.get("text")), _text(entry.get("button_link")))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
