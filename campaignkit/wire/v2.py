"""How the v2 methods that cost money say yes: `wire.outcomes.classify` reads their answers by these rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from campaignkit.wire.outcomes import ID_KEYS, Method, Said, error_text, holds_id
from campaignkit.wire.values import digits, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAMES = ("message_id", "viber_id")
_ID_KEYS = ID_KEYS | {"viber_id"}
_ID_HINT = re.compile(rb'"(?:message_id|viber_id)"\s*:\s*"?(?=0*[1-9])([0-9]{1,18})(?=[^0-9])')
_YES = frozenset({"ok", "success"})
_YES_HINT = re.compile(rb'"status"\s*:\s*"\s*(ok|success)\s*"', re.IGNORECASE)


def stated_error(value: dict[str, Any], blot: Callable[[str], str] = str) -> str:
    """The error that an answer states, as `error` or as `"status": "error"` with a `message`; empty where it states none."""
    stated = error_text(value.get("error"), blot)
    if stated or _envelope(value) != "error":
        return stated
    return error_text(value.get("message"), blot) or "its status is error"


def id_seen(answer: bytes) -> str:
    """A whole id somewhere in an answer, be it cut or no JSON: a hint, never an acceptance. Empty if there is none."""
    seen = _ID_HINT.search(answer)
    return seen[1].decode("ascii") if seen else ""


def _created(value: dict[str, Any], blot: Callable[[str], str]) -> Said:
    """An id says it, whatever stands beside it. Two that differ say nothing: nobody knows which one to ask about."""
    found = {digits(place.get(name)) for place in _places(value) for name in _NAMES} - {""}
    counts = [number(place.get("count_subscribers")) for place in _places(value)]
    return Said(
        accepts=len(found) == 1,
        uuid=found.pop() if len(found) == 1 else "",
        count=next((count for count in counts if count is not None), None),
        doubtful=holds_id(value, _ID_KEYS),
        error=stated_error(value, blot),
    )


def _confirmed(value: dict[str, Any], blot: Callable[[str], str]) -> Said:
    """Nothing is created, so only the status can say it, and only where no error speaks against it."""
    error, yes = stated_error(value, blot), _envelope(value) in _YES
    return Said(accepts=yes and not error, doubtful=yes, error=error)


def _places(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Where an answer may have its id: in its result, be that an object or a list of one, or beside it."""
    result = value.get("result")
    if isinstance(result, list) and len(result) == 1:
        result = result[0]
    if isinstance(result, dict):
        yield result
    yield value


def _envelope(value: dict[str, Any]) -> str:
    status = value.get("status")
    return status.strip().casefold() if isinstance(status, str) else ""


def _yes_seen(answer: bytes) -> str:
    """The word of a yes somewhere in an answer, be it cut or no JSON: then no refusal of it is certain. Empty if there is none."""
    seen = _YES_HINT.search(answer)
    return seen[1].decode("ascii") if seen else ""


CREATE = Method("message_id", _created, id_seen)
"""`sendQuickViberMessage` and `sendViberMessageList`."""

CONFIRM = Method("status OK", _confirmed, _yes_seen)
"""`confirmViberMessage`."""
