"""Single fields of a call, read the way a lenient server does: numbers as text or number, empty for absent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from campaignkit.sandbox.exchange import Refusal, Upload

if TYPE_CHECKING:
    from campaignkit.sandbox.exchange import Call

_WHOLE = re.compile(r"\d{1,18}", re.ASCII)


def text(call: Call, name: str) -> str:
    """A text; empty where it is absent.

    Raises:
        Refusal: It is something else.
    """
    value = call.fields.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Refusal(400, f"{name} must be a string")
    return value


def whole(call: Call, name: str, least: int = 0) -> int | None:
    """A whole number; nothing where it is absent.

    Raises:
        Refusal: It is something else, or below the least.
    """
    found = text(call, name)
    if not found:
        return None
    if not _WHOLE.fullmatch(found):
        raise Refusal(400, f"{name} must be an integer")
    if int(found) < least:
        raise Refusal(400, f"{name} must be at least {least}")
    return int(found)


def required_id(call: Call, name: str) -> int:
    """An id that has to be there.

    Raises:
        Refusal: It is absent, or none.
    """
    found = whole(call, name, 1)
    if found is None:
        raise Refusal(400, f"{name} is required")
    return found


def upload(call: Call, name: str) -> bytes | None:
    """The bytes of a file; nothing where it is absent.

    Raises:
        Refusal: It stands there as a text.
    """
    value = call.fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, Upload):
        raise Refusal(400, f"{name} must be a file")
    return value.content
