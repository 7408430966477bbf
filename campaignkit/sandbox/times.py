"""The provider's local time: what it reads in `schedule_time` and `d_schedule`, and writes in its answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MINSK = ZoneInfo("Europe/Minsk")

_SCHEDULE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", re.ASCII)
_D_SCHEDULE = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", re.ASCII)


def scheduled(text: str) -> float | None:
    """The moment a `schedule_time` means, in seconds since the epoch; nothing where it isn't `YYYY-MM-DDTHH:mm:ss`."""
    return _moment(text) if _SCHEDULE.fullmatch(text) else None


def list_scheduled(text: str) -> float | None:
    """The moment a `d_schedule` means; nothing where it isn't `YYYY-MM-DD HH:MM`."""
    return _moment(text) if _D_SCHEDULE.fullmatch(text) else None


def status_time(at: float) -> str:
    """A moment as answers write it: `2024-10-16 22:52:42.497994`, local time without a zone."""
    return datetime.fromtimestamp(at, MINSK).strftime("%Y-%m-%d %H:%M:%S.%f")


def list_time(at: float) -> str:
    """A moment as the methods of v2 write it: `2024-02-01 10:10:35`, local time without a zone."""
    return datetime.fromtimestamp(at, MINSK).strftime("%Y-%m-%d %H:%M:%S")


def iso(at: float) -> str:
    """A moment for people and tests: ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def _moment(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=MINSK).timestamp()
    except (ValueError, OverflowError):
        return None
