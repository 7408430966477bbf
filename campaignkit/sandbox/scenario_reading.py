"""A scenario document, checked key by key: a misspelt fault that never fires would make a test pass for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from campaignkit.sandbox.index import BULK, LIST, QUICK
from campaignkit.sandbox.replies import MOST_RULES, Reply
from campaignkit.sandbox.scenario import METHODS, Fault, Scenario, ScenarioError
from campaignkit.sandbox.scenario_values import (
    entries,
    flag,
    mapping,
    money,
    one_of,
    positive,
    server_status,
    text,
    texts,
    whole,
    wholes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMMON = ("method", "fault", "nth", "match", "times")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "throttle": ("retry_after", "error", "shape"),
    "http_400": ("error", "shape"),
    "http_403": ("error", "shape"),
    "http_404": ("error", "shape"),
    "http_500_before": ("status", "error", "shape"),
    "http_500_after": ("status", "error", "shape"),
    "error_in_200": ("error", "shape"),
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
    known = mapping(document, "the scenario", tuple(_KEYS))
    return Scenario(**{key: read(known[key], key) for key, read in _KEYS.items() if key in known})


def _faults(value: object, where: str) -> tuple[Fault, ...]:
    return tuple(_fault(entry, f"{where}[{index}]") for index, entry in enumerate(entries(value, where)))


def _fault(entry: object, where: str) -> Fault:
    kind = str(mapping(entry, where).get("fault"))
    if kind not in OPTIONS:
        raise ScenarioError(f"{where}.fault must be one of {', '.join(OPTIONS)}")
    known = mapping(entry, where, (*_COMMON, *OPTIONS[kind]))
    if known.get("method") not in METHODS:
        raise ScenarioError(f"{where}.method must be one of {', '.join(METHODS)}")
    values = {key: _FAULT_KEYS[key](value, f"{where}.{key}") for key, value in known.items() if key in _FAULT_KEYS}
    return Fault(method=known["method"], kind=kind, **values)


def _phones(value: object, where: str) -> dict[str, tuple[str, ...]]:
    return {phone: texts(script, f"{where}.{phone}", "statuses") for phone, script in mapping(value, where).items()}


def _refusals(value: object, where: str) -> dict[str, str]:
    return {part: text(words, f"{where}.{part}") for part, words in mapping(value, where).items()}


def _lists(value: object, where: str) -> dict[int, tuple[str, ...]]:
    members = mapping(value, where)
    for key in members:
        if not (key.isascii() and key.isdigit() and len(key) <= 18 and int(key) > 0):
            raise ScenarioError(f"{where}.{key} must be a list's number")
    return {int(key): texts(phones, f"{where}.{key}", "phones") for key, phones in members.items()}


def _replies(value: object, where: str) -> tuple[Reply, ...]:
    rules = entries(value, where)
    if len(rules) > MOST_RULES:
        raise ScenarioError(f"{where} must be at most {MOST_RULES} rules")
    return tuple(_reply(entry, f"{where}[{index}]") for index, entry in enumerate(rules))


def _reply(entry: object, where: str) -> Reply:
    known = mapping(entry, where, tuple(_REPLY_KEYS))
    for key in ("phone", "text"):
        if key not in known:
            raise ScenarioError(f"{where}.{key} must be a text")
    return Reply(**{key: _REPLY_KEYS[key](value, f"{where}.{key}") for key, value in known.items()})


def _listed(value: object, where: str) -> frozenset[str]:
    read = one_of(LIST, QUICK, BULK)
    return frozenset(read(kind, where) for kind in entries(value, where))


_KEYS: Mapping[str, Callable[[object, str], Any]] = {
    "seed": lambda value, where: whole(value, where, least=0),
    "speed": positive,
    "callbacks": flag,
    "faults": _faults,
    "phones": _phones,
    "refusals": _refusals,
    "strict": flag,
    "lists": _lists,
    "balance": money,
    "price": money,
    "repeat_confirm": one_of("ok", "error"),
    "replies": _replies,
    "marks_at_most": whole,
    "listed": _listed,
    "ignore_offset": flag,
    "ids": one_of("number", "text"),
    "id_field": one_of("message_id", "viber_id"),
}
_REPLY_KEYS: Mapping[str, Callable[[object, str], Any]] = {"phone": text, "text": text, "after": positive, "match": text}
_FAULT_KEYS: Mapping[str, Callable[[object, str], Any]] = {
    "nth": wholes,
    "match": text,
    "times": whole,
    "retry_after": lambda value, where: whole(value, where, least=0),
    "seconds": positive,
    "error": text,
    "shape": one_of("error", "message"),
    "status": server_status,
    "reset": flag,
    "megabytes": whole,
}
