"""A time an author wrote to the instant it means and the text the provider gets.

The API takes `YYYY-MM-DDTHH:mm:ss` and names no zone (provider-api.txt, sendBulkViber), so the zone is a setting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


class BadTimeError(ValueError):
    """No usable time; the message says why."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One instant: in UTC, as the provider gets it, and as people check it."""

    utc: datetime
    wire: str
    shown: str


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        BadTimeError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadTimeError(f"there is no time zone {name!r}; names look like Europe/Minsk") from None


def schedule(text: str, *, author: str, provider: str) -> Schedule:
    """Read `schedule_time`.

    Args:
        text: `2094-12-01T10:00:00`, with an offset or without.
        author: Zone of a time without an offset.
        provider: Zone that the provider reads times in.

    Raises:
        BadTimeError: It is no time, or the clock skips or repeats it in that zone.
    """
    match = _WRITTEN.fullmatch(text)
    if not match:
        raise BadTimeError("a time is written 2094-12-01T10:00:00, with an offset like +03:00 if it is not local")
    try:
        written = datetime.fromisoformat(match[1] + (match[2] or ":00") + (match[3] or ""))
        there = zone(author)
        instant = _local(written, there, author) if written.tzinfo is None else written
        utc = instant.astimezone(UTC)
        sent = utc.astimezone(zone(provider))
    except OverflowError:
        raise BadTimeError("this time is out of range") from None
    except ValueError as error:
        raise error if isinstance(error, BadTimeError) else BadTimeError(f"there is no such time: {error}") from None
    if sent.replace(fold=1).utcoffset() != sent.replace(fold=0).utcoffset():
        raise BadTimeError(f"at the provider ({provider}) the clock shows this time twice")
    shown = f"{written.isoformat()} {'' if written.tzinfo else author} = {sent:%Y-%m-%d %H:%M} at the provider = {utc:%Y-%m-%d %H:%M} UTC"
    return Schedule(utc, sent.strftime("%Y-%m-%dT%H:%M:%S"), " ".join(shown.split()))


def in_minutes(when: Schedule) -> Schedule:
    """The same time as the provider takes it for a list mailing (`YYYY-MM-DD HH:MM`).

    Raises:
        BadTimeError: It has seconds, which that method can't say.
    """
    if not when.wire.endswith(":00"):
        raise BadTimeError("a list mailing is scheduled to the minute: its seconds must be 00")
    return replace(when, wire=when.wire[:-3].replace("T", " "))


def _local(written: datetime, there: ZoneInfo, name: str) -> datetime:
    early, late = written.replace(tzinfo=there, fold=0), written.replace(tzinfo=there, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    back = early.astimezone(UTC).astimezone(there).replace(tzinfo=None)
    what = "shows this time twice" if back == written else "skips this time"
    raise BadTimeError(f"in {name} the clock {what}; write it with an offset, like {early.isoformat()} or {late.isoformat()}")
