"""A scenario document, checked key by key: a misspelt fault that never fires would make a test pass for nothing."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from campaignkit.sandbox.scenario import METHODS, Fault, Scenario, ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_COMMON = ("method", "fault", "nth", "match", "times")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "throttle": ("retry_after", "error"),
    "http_400": ("error",),
    "http_403": ("error",),
    "http_404": ("error",),
    "http_500_before": ("status", "error"),
    "http_500_after": ("status", "error"),
    "error_in_200": ("error",),
    "drop_before": ("reset",),
    "drop_after": ("reset",),
    "slow_before": ("seconds",),
    "slow": ("seconds",),
    "trickle": ("seconds",),
    "garbage": (),
    "truncated": (),
    "flood": ("megabytes",),
    "no_uuid": (),
    "empty_list": (),
    "redirect": (),
}
"""Every kind of fault, with the options that mean something for it."""


def read_scenario(document: object) -> Scenario:
    """The scenario a document describes.

    Raises:
        ScenarioError: It says something that has no meaning.
    """
    known = _object(document, "the scenario", ("seed", "speed", "callbacks", "faults", "phones", "refusals"))
    faults = known.get("faults", [])
    if not isinstance(faults, list):
        raise ScenarioError("faults must be a list")
    return Scenario(
        seed=_whole(known.get("seed", 1), "seed", least=0),
        speed=_positive(known.get("speed", 1.0), "speed"),
        callbacks=_flag(known.get("callbacks", False), "callbacks"),
        faults=tuple(_fault(entry, f"faults[{index}]") for index, entry in enumerate(faults)),
        phones={phone: _words(script, f"phones.{phone}") for phone, script in _members(known, "phones")},
        refusals={part: _text(text, f"refusals.{part}") for part, text in _members(known, "refusals")},
    )


def _fault(entry: object, where: str) -> Fault:
    kind = str(_object(entry, where).get("fault"))
    if kind not in OPTIONS:
        raise ScenarioError(f"{where}.fault must be one of {', '.join(OPTIONS)}")
    known = _object(entry, where, (*_COMMON, *OPTIONS[kind]))
    if known.get("method") not in METHODS:
        raise ScenarioError(f"{where}.method must be one of {', '.join(METHODS)}")
    values = {key: _READERS[key](value, f"{where}.{key}") for key, value in known.items() if key in _READERS}
    return Fault(method=known["method"], kind=kind, **values)


def _nth(value: object, where: str) -> frozenset[int]:
    numbers = value if isinstance(value, list) else [value]
    if not numbers:
        raise ScenarioError(f"{where} must not be empty")
    return frozenset(_whole(number, where) for number in numbers)


def _whole(value: object, where: str, *, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ScenarioError(f"{where} must be a whole number of at least {least}")
    return value


def _positive(value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value) or value <= 0:
        raise ScenarioError(f"{where} must be a number above 0")
    return float(value)


def _status(value: object, where: str) -> int:
    if not isinstance(value, int) or not 500 <= value <= 599:
        raise ScenarioError(f"{where} must be 500 to 599")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ScenarioError(f"{where} must be a text")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ScenarioError(f"{where} must be true or false")
    return value


def _words(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ScenarioError(f"{where} must be a list of statuses")
    return tuple(_text(word, where) for word in value)


def _members(document: Mapping[str, Any], key: str) -> Iterable[tuple[str, Any]]:
    return _object(document.get(key, {}), key).items()


def _object(value: object, where: str, keys: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScenarioError(f"{where} must be an object")
    for key in value:
        if keys is not None and key not in keys:
            raise ScenarioError(f"{where} has an unknown key {key!r}; known: {', '.join(keys)}")
    return value


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "nth": _nth,
    "match": _text,
    "times": _whole,
    "retry_after": lambda value, where: _whole(value, where, least=0),
    "seconds": _positive,
    "error": _text,
    "status": _status,
    "reset": _flag,
    "megabytes": _whole,
}
