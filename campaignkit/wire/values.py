"""Single values of the provider's objects, read tolerantly: what cannot be read is None or empty, never an exception."""

from __future__ import annotations

import json
import re
from typing import Any

from campaignkit.wire.text import clean

LONGEST_WORD = 64
"""Characters of a status, a time or a code."""

_PHONE = re.compile(r"\+?([0-9]{1,15})")
_DECORATED = re.compile(r"\+?([0-9]{9,15})")
_DECORATION = str.maketrans("", "", " ()-\u00a0")
_LONGEST_PHONE = 40
_DIGITS = re.compile(r"[0-9]{1,18}")


def listed(value: Any) -> list[Any]:
    """What should be a list and may be a single value, or nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def words(value: Any, limit: int) -> str:
    """A text, cleaned and cut; what is none is shown as JSON."""
    if value is None:
        return ""
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), limit)


def digits(value: Any) -> str:
    """An id as the text of digits that it is, be it number or text: 1 to 18 of them, not all zero. Empty for everything else."""
    text = str(value) if type(value) is int else value
    return text if isinstance(text, str) and _DIGITS.fullmatch(text) and text.strip("0") else ""


def number(value: Any) -> int | None:
    """A number or digits: at most 18, so that every store can hold it."""
    text = str(value) if type(value) is int else value
    return int(text) if isinstance(text, str) and _DIGITS.fullmatch(text) else None


def phone(value: Any) -> int | None:
    """A phone as a number or text, also with `+`, blanks, brackets and hyphens, or as `80…` within the country."""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or len(text) > _LONGEST_PHONE:
        return None
    match = _PHONE.fullmatch(text.strip()) or _DECORATED.fullmatch(text.translate(_DECORATION))
    if match is None:
        return None
    found = match[1]
    return int("375" + found[2:] if len(found) == 11 and found.startswith("80") else found)
