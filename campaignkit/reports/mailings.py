"""The provider's own records: text, JSON, CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from campaignkit.model.replies import DeliveryLine, RecordLine
from campaignkit.reports.safe import hidden, line, people
from campaignkit.reports.tables import csv_line, link_keys, link_words, phone_of, words_of

FORMAT_VERSION = "1.0"
_SHOWN = (
    "message_id", "message_type", "message", "button_caption", "button_link", "image_file", "status", "status_class", "created",
    "schedule", "cost",
)  # fmt: skip
_OURS = ("campaign", "revision", "mailing", "request", "method")
_PEOPLE = ("delivery_id", "phone", "status", "status_class", "error_code")


def records_text(found: Iterable[RecordLine]) -> Iterator[str]:
    """One mailing a line."""
    for one in found:
        words = line(hidden(one.message or one.button_caption or one.image_file), 60)
        yield (
            f"{one.message_id or 'no id'}  {line(one.message_type, 20)}  {line(one.status, 40)}  {line(one.schedule or one.created, 40)}  "
            f"{line(one.cost, 40)}  {link_words(one.link)}  {words}\n"
        )


def record_text(one: RecordLine) -> str:
    """One mailing, whole."""
    lines = [f"mailing    {one.message_id}", f"ours       {link_words(one.link)}"]
    for name, words in (
        ("type", one.message_type),
        ("status", f"{one.status} ({one.status_class})"),
        ("created", one.created),
        ("scheduled", one.schedule),
        ("cost", one.cost),
        ("text", one.message),
        ("caption", one.button_caption),
        ("link", one.button_link),
        ("image", one.image_file),
    ):
        lines += [f"{name:<10} {line(hidden(words), 4000)}"] if words else []
    return "\n".join(lines) + "\n"


def record_document(one: RecordLine) -> dict[str, Any]:
    """One mailing for machines: the provider's words, and what of ours it is."""
    values = {name: getattr(one, name) for name in _SHOWN} | {"message": hidden(one.message), "message_id": one.message_id or None}
    return values | dict(link_keys(one.link))


def records_document(
    found: Iterable[RecordLine], *, environment: str, linked: bool, complete: bool, notes: Sequence[str], sandbox: bool
) -> dict[str, Any]:
    """The document of `schemas/mailings-list.schema.json`."""
    document = {
        "format_version": FORMAT_VERSION,
        "environment": environment,
        "linked": linked,
        "complete": complete,
        "notes": [hidden(note) for note in notes],
        "mailings": [record_document(one) for one in found],
    }
    return document | ({"sandbox": True} if sandbox else {})


def records_csv(found: Iterable[RecordLine]) -> Iterator[str]:
    """Mailings as CSV."""
    yield csv_line((*_SHOWN, *_OURS))
    for one in found:
        yield csv_line(record_document(one)[name] for name in (*_SHOWN, *_OURS))


def deliveries_text(found: Sequence[DeliveryLine], *, reveal: bool) -> Iterator[str]:
    """One person a line, and the sums."""
    for one in found:
        error = f", error {line(one.error_code, 64)}" if one.error_code else ""
        number = "no id" if one.delivery_id is None else one.delivery_id
        yield f"{phone_of(one.phone, reveal=reveal) or 'no phone'}  {line(one.status, 64) or 'no status'}{error}  ({number})\n"
    counted = Counter(one.status_class for one in found)
    yield f"{people(len(found))}{': ' if counted else ''}{', '.join(f'{number:,} {name}' for name, number in sorted(counted.items()))}\n"


def deliveries_document(
    found: Sequence[DeliveryLine], *, message_id: str, environment: str, notes: Sequence[str], reveal: bool, sandbox: bool
) -> dict[str, Any]:
    """The document of `schemas/mailings-deliveries.schema.json`."""
    document = {
        "format_version": FORMAT_VERSION,
        "environment": environment,
        "message_id": message_id,
        "classes": dict(sorted(Counter(one.status_class for one in found).items())),
        "notes": list(notes),
        "deliveries": [dict(zip(_PEOPLE, _row(one, reveal=reveal), strict=True)) for one in found],
    }
    return document | ({"sandbox": True} if sandbox else {})


def deliveries_csv(found: Iterable[DeliveryLine], *, reveal: bool) -> Iterator[str]:
    """People as CSV."""
    yield csv_line(_PEOPLE)
    for one in found:
        yield csv_line(_row(one, reveal=reveal))


def _row(one: DeliveryLine, *, reveal: bool) -> tuple[Any, ...]:
    return (one.delivery_id, phone_of(one.phone, reveal=reveal), one.status, one.status_class, words_of(one.error_code, reveal=reveal))
