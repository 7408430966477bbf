"""The provider's answers as JSON: bounded and strict, because a lenient parser guesses and a guess here costs money."""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 64
"""Levels of nesting; the documented answers have four."""

LONGEST_NUMBER = 30
"""Digits of a number; Python's own conversion is quadratic, and refuses thousands with a foreign error."""

_BOM = b"\xef\xbb\xbf"
_STRUCTURE = b'[]{}":'
_ALL_BUT_STRUCTURE = bytes(set(range(256)) - set(_STRUCTURE))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_DIGITS_ALIKE = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
_TOO_MANY_DIGITS = b"0" * LONGEST_NUMBER


class BadJSONError(ValueError):
    """The bytes are no JSON that we read; the message says why and holds none of them."""


def parse(data: bytes, *, limit: int, deepest: int = DEEPEST) -> Any:
    """The value of a JSON text in UTF-8; a leading byte order mark is allowed.

    Args:
        data: The whole text.
        limit: Most bytes it may have.
        deepest: Most levels of nesting.

    Raises:
        BadJSONError: It is too large, nested deeper than `deepest`, not UTF-8, not JSON; an object has a key twice; a
            number is NaN, infinite or longer than 30 digits. Nothing else is ever raised.
    """
    if len(data) > limit:
        raise BadJSONError(f"it has {len(data)} bytes, more than {limit}")
    outside = _outside_strings(data)
    if data.count(b"[") + data.count(b"{") > deepest and _is_too_deep(outside, deepest):
        raise BadJSONError(f"its brackets do not close, or nest deeper than {deepest}")
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise BadJSONError("it is not UTF-8") from None
    try:
        return _quickly(data, text, keys=outside.count(b":"))
    except (ValueError, _InDoubtError):
        return _carefully(text)


class _InDoubtError(Exception):
    """The quick way cannot tell whether a text is as strict as it must be."""


def _quickly(data: bytes, text: str, *, keys: int) -> Any:
    """The value of a text that is certainly strict, mostly by the parser in C; ValueError or `_InDoubtError` for every other.

    An object with a key twice has fewer keys than the text has colons outside strings.
    """
    if _TOO_MANY_DIGITS in data.translate(_DIGITS_ALIKE):
        raise _InDoubtError
    found = 0

    def count(made: dict[str, Any]) -> dict[str, Any]:
        nonlocal found
        found += len(made)
        return made

    value = json.loads(text, object_hook=count, parse_constant=_constant, parse_float=_fraction)
    if found != keys:
        raise _InDoubtError
    return value


def _carefully(text: str) -> Any:
    """The value of a text, every object and number of it looked at; BadJSONError names the first fault."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_fraction)
    except json.JSONDecodeError as error:
        raise BadJSONError(f"it is not JSON: {error.msg} at character {error.pos}") from None


def _outside_strings(data: bytes) -> bytes:
    """The brackets and colons outside strings, in their order; found without a loop over bytes in Python."""
    # Escaped quotes and the quotes of strings without either taken out, every second piece stands outside a string.
    # Backslashes outside strings are no JSON: the parser stops at them, before what they could hide here.
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    bare = data.translate(None, _ALL_BUT_STRUCTURE).replace(b'""', b"")
    return b"".join(bare.split(b'"')[::2])


def _is_too_deep(outside: bytes, deepest: int) -> bool:
    """Whether the brackets nest too deep or do not close."""
    brackets = outside.translate(_ONE_KIND, b":")
    for _ in range(deepest):  # each pass takes the innermost level away
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadJSONError("an object has a key twice")
    return made


def _constant(_: str) -> Any:
    raise BadJSONError("a number is NaN or infinite")


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise BadJSONError(f"a number has more than {LONGEST_NUMBER} digits")
    return int(text)


def _fraction(text: str) -> float:
    if len(text) > LONGEST_NUMBER:
        raise BadJSONError(f"a number has more than {LONGEST_NUMBER} digits")
    number = float(text)
    if not math.isfinite(number):
        raise BadJSONError("a number is NaN or infinite")
    return number
