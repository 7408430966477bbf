"""The values of a scenario, each checked: what is wrong is said with its place."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from campaignkit.sandbox.scenario import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable

_MONEY = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


def whole(value: object, where: str, *, least: int = 1) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ScenarioError(f"{where} must be a whole number of at least {least}")
    return value


def wholes(value: object, where: str) -> frozenset[int]:
    """A whole number, or a list of some."""
    numbers = value if isinstance(value, list) else [value]
    if not numbers:
        raise ScenarioError(f"{where} must not be empty")
    return frozenset(whole(number, where) for number in numbers)


def positive(value: object, where: str) -> float:
    """A number above zero."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value) or value <= 0:
        raise ScenarioError(f"{where} must be a number above 0")
    return float(value)


def server_status(value: object, where: str) -> int:
    """A status that blames the server."""
    if not isinstance(value, int) or not 500 <= value <= 599:
        raise ScenarioError(f"{where} must be 500 to 599")
    return value


def text(value: object, where: str) -> str:
    """A text that isn't empty."""
    if not isinstance(value, str) or not value:
        raise ScenarioError(f"{where} must be a text")
    return value


def flag(value: object, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ScenarioError(f"{where} must be true or false")
    return value


def money(value: object, where: str) -> Decimal:
    """An amount: a text, as a number of JSON is no decimal one."""
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise ScenarioError(f'{where} must be an amount as text, such as "0.049"')
    return Decimal(value)


def one_of(*words: str) -> Callable[[object, str], str]:
    """A reader of one of these words."""

    def read(value: object, where: str) -> str:
        if value not in words:
            raise ScenarioError(f"{where} must be one of {', '.join(words)}")
        return str(value)

    return read


def texts(value: object, where: str, what: str) -> tuple[str, ...]:
    """A list of texts; `what` says of which kind."""
    return tuple(text(word, where) for word in entries(value, where, f"a list of {what}"))


def entries(value: object, where: str, what: str = "a list") -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise ScenarioError(f"{where} must be {what}")
    return value


def mapping(value: object, where: str, keys: tuple[str, ...] | None = None) -> dict[str, Any]:
    """An object, with no keys but these."""
    if not isinstance(value, dict):
        raise ScenarioError(f"{where} must be an object")
    for key in value:
        if keys is not None and key not in keys:
            raise ScenarioError(f"{where} has an unknown key {key!r}; known: {', '.join(keys)}")
    return value
