"""Stored replies, and who is opted out, as people look at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from campaignkit.engine.inbox import needs_a_look
from campaignkit.engine.links import by_request
from campaignkit.model.replies import OptoutLine, ReplyLine
from campaignkit.states.asides import ReplyRow
from campaignkit.states.store import StateReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which replies; empty filters mean all. `since` is a day in the provider's time zone."""

    campaigns: Sequence[str] = ()
    phone: int | None = None
    since: date | None = None
    unread: bool = False


def stored(reader: StateReader, wanted: Wanted, *, zone: str) -> Iterator[ReplyRow]:
    """Stored replies in the order they were pulled; `zone` is the provider's time zone: its times name none."""
    place = ZoneInfo(zone)
    for row in reader.replies(campaigns=wanted.campaigns, phone=wanted.phone, unread=wanted.unread):
        if wanted.since is None or _day(row, place) >= wanted.since:
            yield row


def reply_lines(reader: StateReader, rows: Iterable[ReplyRow], words: Sequence[str]) -> Iterator[ReplyLine]:
    """Replies with what they answer, and whether they ask for an opt-out by one of `words`."""
    links = by_request(reader)
    out = {row.phone for row in reader.optouts()}
    for row in rows:
        yield ReplyLine(
            id=row.id,
            provider_id=row.provider_id,
            message_id=row.message_id,
            phone=row.phone,
            text=row.text,
            received=row.received,
            pulled_at=row.pulled_at,
            acked_at=row.acked_at,
            link=links.get(row.request),
            wish="opted_out" if row.phone in out else "perhaps" if needs_a_look(row, words) else "",
        )


def optout_lines(reader: StateReader) -> list[OptoutLine]:
    """Everybody who wants nothing more, by phone."""
    return [OptoutLine(phone=row.phone, at=row.at, reason=row.reason, by=row.by, reply=row.reply) for row in reader.optouts()]


def _day(row: ReplyRow, zone: ZoneInfo) -> date:
    """The day it came: by the provider's words if they are a time, else when it was pulled, which is later."""
    try:
        return datetime.fromisoformat(row.received.strip()).date()
    except ValueError:
        return row.pulled_at.astimezone(zone).date()
