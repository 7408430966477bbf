"""What an answer to a send means: the one table that decides whether people may be messaged again.

Documented are 200 with an id, and for the v1 methods 400, 404, 429 and 500; everything else is read in favour of "no person
twice". What says yes differs by method: here stands how `sendBulkViber` does, in `wire.v2` how the others do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from campaignkit.model.outcomes import Outcome
from campaignkit.wire.strict_json import BadJSONError, parse
from campaignkit.wire.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_ANSWER = 1 << 20
"""Bytes of an answer to a send; the documented one has 65."""

SHOWN = 300
"""Characters of the provider's words that go into a reason."""

_ACCEPTING = frozenset({200, 201, 202, 203})
_HALTING = frozenset({401, 403, 404})
_REFUSING = frozenset({400, 401, 403, 404, 405, 413, 414, 415, 422, 431})
_UUID = re.compile(r"[0-9A-Za-z-]{8,64}")
_UUID_HINT = re.compile(rb'"uuid"\s*:\s*"([0-9A-Za-z-]{8,64})"')
ID_KEYS = frozenset({"id", "uuid", "message_id", "delivery_id"})
"""What ids of something created are called, in small letters."""

_LIMIT_TEXT = "limit excided"  # sic: how an older method of this provider spells a throttle, with status 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """The reading of one answer; `retry_after` is seconds, `halt` stops the whole run."""

    outcome: Outcome
    reason: str
    uuid: str = ""
    count: int | None = None
    retry_after: float | None = None
    halt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a whole answer, an object, says by the rules of its method.

    Attributes:
        accepts: Whether it says yes.
        error: The error that it states, cleaned and cut.
        doubtful: Whether it holds a sign of acceptance: then an error in it is no certain refusal.
        uuid: The id of what was created, if it says yes by one.
        count: How many people that is, if it says so.
    """

    accepts: bool
    error: str
    doubtful: bool
    uuid: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """How the answers of one method are read.

    Attributes:
        sign: What says yes, in words.
        read: Takes a whole answer, an object, and what takes secrets out of the provider's words.
        seen: A whole id somewhere in an answer, be it cut or no JSON; empty if there is none.
    """

    sign: str
    read: Callable[[dict[str, Any], Callable[[str], str]], Said]
    seen: Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class _Body:
    """What a body says, as far as it can be relied on."""

    said: Said
    is_object: bool
    fault: str
    hint: str

    @property
    def refuses(self) -> bool:
        return self.is_object and bool(self.said.error) and not self.said.doubtful

    @property
    def words(self) -> str:
        said = self.said.error or self.fault
        return (f": {said}" if said else "") + self.hint


def classify(
    status: int,
    body: bytes,
    complete: bool,
    retry_after: str | None,
    *,
    method: Method | None = None,
    throttled_is: str = "not_sent",
    error_in_200_is: str = "rejected",
    now: datetime | None = None,
    blot: Callable[[str], str] = str,
) -> Classified:
    """Decide what became of a request whose answer's status line and headers were read to their end.

    Args:
        status: The HTTP status.
        body: What was read of the body.
        complete: Whether that is all of it. An id in half a body is a hint for people, never an acceptance.
        retry_after: The header's value, if any.
        method: How its answers are read; `BULK` if not given.
        throttled_is: Setting `not_sent` or `unknown`: how a 429 is read.
        error_in_200_is: Setting `rejected` or `unknown`: how 200 with an `error` and no id is read.
        now: The present, for a `Retry-After` that is a date (aware); without it dates are ignored.
        blot: Takes secrets out of the provider's words before they are cut and quoted.
    """
    method = method or BULK
    read = _read(body, complete=complete, method=method, blot=blot)
    said = read.said
    if status in _ACCEPTING:
        return _accepting(status, read, method, error_in_200_is)
    if 300 <= status < 400:
        # 303 is a usual answer after success; following any of them would repeat the token and the phones elsewhere.
        return Classified(outcome=Outcome.UNKNOWN, reason=f"HTTP {status}: a redirect, not followed{read.hint}", halt=True)
    if not 400 <= status < 500:
        return Classified(outcome=Outcome.UNKNOWN, reason=f"HTTP {status}{read.words}")
    if said.accepts or read.hint:
        # A refusal that names an accepted request, also in half an answer or deep inside, contradicts itself; nobody is
        # messaged again on its word.
        named = f", yet with {method.sign} {blot(said.uuid)}".rstrip() if said.accepts else ", yet"
        return Classified(
            outcome=Outcome.UNKNOWN,
            reason=f"HTTP {status}{named}{read.words}",
            halt=status in _HALTING,
        )
    if status == 429 or (status == 403 and _LIMIT_TEXT in said.error.casefold()):
        return Classified(
            outcome=Outcome.UNKNOWN if throttled_is == "unknown" else Outcome.THROTTLED,
            reason=f"HTTP {status}, too many requests{read.words}",
            retry_after=parse_retry_after(retry_after, now),
        )
    refused = status in _REFUSING or read.refuses
    return Classified(
        outcome=Outcome.REJECTED if refused else Outcome.UNKNOWN,
        reason=f"HTTP {status}{read.words}",
        halt=status in _HALTING,
    )


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks to wait; None where it says nothing usable.

    Args:
        value: Seconds as digits, or an HTTP date; negative, past and garbled ones are ignored.
        now: The present (aware); without it dates are ignored.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    if now is None or not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        wait = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return wait if wait > 0 else None


def is_uuid(text: str) -> bool:
    """Whether a text has the form of the provider's ids: 8 to 64 letters, digits and hyphens."""
    return _UUID.fullmatch(text) is not None


def uuid_seen(answer: bytes) -> str:
    """A whole uuid somewhere in an answer, be it cut or no JSON: a hint, never an acceptance. Empty if there is none."""
    seen = _UUID_HINT.search(answer)
    return seen[1].decode("ascii") if seen else ""


def error_text(value: Any, blot: Callable[[str], str] = str) -> str:
    """The words of an `error` of any JSON type, fit for a reason.

    Empty where it states no error: null, an empty text, list or object, 0, false.
    """
    if not value:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clean(blot(text), SHOWN)


def holds_id(value: Any, keys: frozenset[str] = ID_KEYS) -> bool:
    """Whether an id of something created stands anywhere in an answer: then a refusal is not certain."""
    if isinstance(value, dict):
        return any((key.lower() in keys and bool(inner)) or holds_id(inner, keys) for key, inner in value.items())
    return isinstance(value, list) and any(holds_id(inner, keys) for inner in value)


def _bulk(value: dict[str, Any], blot: Callable[[str], str]) -> Said:
    uuid = value.get("uuid")
    valid = uuid if isinstance(uuid, str) and is_uuid(uuid) else ""
    return Said(accepts=bool(valid), uuid=valid, doubtful=holds_id(value), error=error_text(value.get("error"), blot))


BULK = Method("uuid", _bulk, uuid_seen)
"""`sendBulkViber`."""


def _accepting(status: int, read: _Body, method: Method, error_in_200_is: str) -> Classified:
    said = read.said
    if said.accepts:
        # Acceptance is the side on which nobody is messaged twice: an error beside the id is a warning only.
        warning = f", with a warning: {said.error}" if said.error else ""
        return Classified(outcome=Outcome.ACCEPTED, reason=f"HTTP {status}, accepted{warning}", uuid=said.uuid, count=said.count)
    if status == 200 and read.refuses and error_in_200_is != "unknown":
        return Classified(outcome=Outcome.REJECTED, reason=f"HTTP {status} with an error{read.words}")
    return Classified(outcome=Outcome.UNKNOWN, reason=f"HTTP {status} without a valid {method.sign}{read.words}")


def _read(body: bytes, *, complete: bool, method: Method, blot: Callable[[str], str]) -> _Body:
    seen = method.seen(body)
    hint = f" (a {method.sign} was seen: {blot(seen)})" if seen else ""
    nothing = Said(accepts=False, error="", doubtful=False)
    if not complete:
        return _Body(nothing, is_object=False, fault="the answer is cut", hint=hint)
    try:
        value = parse(body, limit=LARGEST_ANSWER)
    except BadJSONError as bad:
        fault = f"the answer cannot be read, {bad}" if body else "the answer is empty"
        return _Body(nothing, is_object=False, fault=fault, hint=hint)
    if not isinstance(value, dict):
        return _Body(nothing, is_object=False, fault="the answer is no JSON object", hint=hint)
    said = method.read(value, blot)
    return _Body(said, is_object=True, fault="", hint="" if said.accepts else hint)
