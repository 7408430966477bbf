"""Replies and opt-outs: text, JSON, CSV. Whatever people wrote is harmless here, wherever it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from campaignkit.model.phones import shown
from campaignkit.model.replies import OptoutLine, ReplyLine
from campaignkit.reports.safe import line
from campaignkit.reports.tables import csv_line, link_keys, link_words, phone_of, words_of

FORMAT_VERSION = "1.0"
_REPLY = (
    "id", "provider_id", "message_id", "phone", "text", "received", "pulled_at", "acked_at", "wish", "campaign", "revision", "mailing",
    "request", "method",
)  # fmt: skip
_OPTOUT = ("phone", "at", "reason", "by", "reply")
_WISHES = {"opted_out": ", opted out", "perhaps": ", may want to opt out", "": ""}


def replies_text(found: Iterable[ReplyLine], *, reveal: bool) -> Iterator[str]:
    """One reply a line."""
    for one in found:
        read = "read" if one.acked_at else "unread"
        yield (
            f"{one.id}  {line(one.received, 40) or 'no time'}  {phone_of(one.phone, reveal=reveal) or 'no phone'}  "
            f"{link_words(one.link)}  {read}{_WISHES[one.wish]}: {line(words_of(one.text, reveal=reveal))}\n"
        )


def reply_document(one: ReplyLine, *, reveal: bool) -> dict[str, Any]:
    """One reply for machines."""
    return {
        "id": one.id,
        "provider_id": one.provider_id,
        "message_id": one.message_id,
        "phone": phone_of(one.phone, reveal=reveal),
        "text": words_of(one.text, reveal=reveal),
        "received": one.received,
        "pulled_at": one.pulled_at.isoformat(),
        "acked_at": one.acked_at.isoformat() if one.acked_at else None,
        "wish": one.wish or None,
        **link_keys(one.link),
    }


def replies_document(found: Iterable[ReplyLine], *, environment: str, reveal: bool, sandbox: bool) -> dict[str, Any]:
    """The document of `schemas/inbox-list.schema.json`."""
    document = {
        "format_version": FORMAT_VERSION,
        "environment": environment,
        "replies": [reply_document(one, reveal=reveal) for one in found],
    }
    return document | ({"sandbox": True} if sandbox else {})


def replies_csv(found: Iterable[ReplyLine], *, reveal: bool) -> Iterator[str]:
    """Replies as CSV that no spreadsheet takes for formulas."""
    yield csv_line(_REPLY)
    for one in found:
        values = reply_document(one, reveal=reveal)
        yield csv_line(values[name] for name in _REPLY)


def optouts_text(found: Iterable[OptoutLine], *, reveal: bool) -> Iterator[str]:
    """One person a line."""
    for one in found:
        reply = f", reply {one.reply}" if one.reply is not None else ""
        reason = line(words_of(one.reason, reveal=reveal))
        yield f"{shown(one.phone, reveal=reveal)}  since {one.at:%Y-%m-%d %H:%M:%S} UTC: {reason} (by {line(one.by, 80)}{reply})\n"


def optouts_document(found: Iterable[OptoutLine], *, environment: str, reveal: bool, sandbox: bool) -> dict[str, Any]:
    """The document of `schemas/optouts-list.schema.json`."""
    document = {
        "format_version": FORMAT_VERSION,
        "environment": environment,
        "optouts": [dict(zip(_OPTOUT, _row(one, reveal=reveal), strict=True)) for one in found],
    }
    return document | ({"sandbox": True} if sandbox else {})


def optouts_csv(found: Iterable[OptoutLine], *, reveal: bool) -> Iterator[str]:
    """Opt-outs as CSV."""
    yield csv_line(_OPTOUT)
    for one in found:
        yield csv_line(_row(one, reveal=reveal))


def _row(one: OptoutLine, *, reveal: bool) -> tuple[Any, ...]:
    return (shown(one.phone, reveal=reveal), one.at.isoformat(), words_of(one.reason, reveal=reveal), one.by, one.reply)
