"""The provider's status words: their order, their classes, and how two observations of one person are merged.

The API documents NEW, DELIVERED and READ by example, SENT for mailings. The failed words beyond UNDELIVERED were never
seen there. Words are compared without case and kept as they came.
"""

from __future__ import annotations

FAILED_WORDS = frozenset({"UNDELIVERED", "EXPIRED", "REJECTED", "FAILED", "ERROR", "BLOCKED"})
"""Final by presumption; a later DELIVERED or READ corrects them."""

_CLASSES = {
    "NEW": "queued",
    "MODERATED": "queued",
    "SENT": "sent",
    "DELIVERED": "delivered",
    "READ": "read",
    **dict.fromkeys(FAILED_WORDS, "failed"),
}
_RANKS = {"queued": 0, "sent": 1, "unknown": 1, "failed": 2, "delivered": 3, "read": 4}


def status_class(word: str) -> str:
    """`queued`, `sent`, `delivered`, `read`, `failed`, or `unknown` for every other word."""
    return _CLASSES.get(word.strip().upper(), "unknown")


def rank(word: str) -> int:
    """How far a word is along a delivery; no word at all is before every word."""
    return _RANKS[status_class(word)] if word.strip() else -1


def merge(old_word: str, new_word: str) -> str:
    """The word to keep of two, seen in this order: never backwards, and the newer one of equals."""
    return new_word if rank(new_word) >= rank(old_word) else old_word


def is_final(word: str) -> bool:
    """Whether nothing better can follow: read, or failed."""
    return status_class(word) in {"read", "failed"}


def has_gone_out(word: str) -> bool:
    """Whether somebody was messaged: sent, delivered or read."""
    return status_class(word) in {"sent", "delivered", "read"}


def is_settled(word: str) -> bool:
    """Whether a person's delivery is decided well enough to stop watching: delivered, read or failed."""
    return status_class(word) in {"delivered", "read", "failed"}
