"""Messages as JSON, read strictly by the types of their dataclass: what does not fit is refused, not guessed."""

from __future__ import annotations

import dataclasses
import json
import types
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

LONGEST_TEXT = 1_000_000
MOST_ITEMS = 500_000

T = TypeVar("T")


class MessageError(Exception):
    """A message does not have the shape it must have."""


def encode(message: object) -> bytes:
    """One message as UTF-8 JSON."""
    assert dataclasses.is_dataclass(message)
    assert not isinstance(message, type)
    return json.dumps(dataclasses.asdict(message), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decode(kind: type[T], data: bytes) -> T:
    """One message of a known type.

    Raises:
        MessageError: It is not exactly that.
    """
    try:
        raw = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise MessageError(f"no JSON where {kind.__name__} was due") from None
    return _value(kind, raw, kind.__name__)  # type: ignore[no-any-return]  # `_value` checks what no type can say


def _no_number(word: str) -> float:
    raise ValueError(word)


@cache
def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _value(kind: Any, raw: Any, where: str) -> Any:  # noqa: C901 - one case for each kind of type
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        fields = _fields(kind)
        if not isinstance(raw, dict) or raw.keys() != fields.keys():
            raise MessageError(f"{where} has other keys than it must")
        return kind(**{name: _value(hint, raw[name], f"{where}.{name}") for name, hint in fields.items()})
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        if raw is None:
            return None
        return _value(next(part for part in get_args(kind) if part is not types.NoneType), raw, where)
    if origin in {tuple, list}:
        if not isinstance(raw, list) or len(raw) > MOST_ITEMS:
            raise MessageError(f"{where} is no list, or too long")
        return origin(_value(get_args(kind)[0], item, where) for item in raw)
    if origin is dict:
        if not isinstance(raw, dict) or len(raw) > MOST_ITEMS:
            raise MessageError(f"{where} is no mapping, or too large")
        return {_value(str, key, where): _value(get_args(kind)[1], value, where) for key, value in raw.items()}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if raw not in list(kind):
            raise MessageError(f"{where} is no {kind.__name__}")
        return kind(raw)
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if type(raw) is not kind or (kind is str and len(raw) > LONGEST_TEXT):
        raise MessageError(f"{where} is not {getattr(kind, '__name__', kind)}, or too long")
    return raw
