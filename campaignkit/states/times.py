"""Moments as stored: ISO 8601 in UTC with microseconds, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(at: datetime) -> str:
    """A moment for the store; ValueError for a time without a zone, which would mean another moment elsewhere."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("a stored time needs a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """A stored moment, in UTC; ValueError if it is none."""
    return datetime.fromisoformat(text)
