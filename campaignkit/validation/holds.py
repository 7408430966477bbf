"""Whether a value holds to a schema, yes or no: functions made once of the keywords that our schemas use.

jsonschema makes new objects for every part of every document, and loading it takes longer than checking a project. It is asked
only about documents that don't hold, for every fault of them. That both always agree is what `tests/validation` proves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_SAID = frozenset({"$schema", "$defs", "title", "description", "examples", "default", "x-message", "then", "else"})
"""Keywords that ask nothing of a value; `then` and `else` are read with their `if`."""
_TYPES: dict[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


class UnknownKeywordError(Exception):
    """A schema says what these functions don't know; they would wave through what it forbids."""


def holding(schema: Mapping[str, Any]) -> Check:
    """A function that says whether a value holds to this schema.

    Raises:
        UnknownKeywordError: It can't be made.
    """
    return _Maker(schema).check(schema)


class _Maker:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._named: dict[str, Check] = {}

    def check(self, schema: object) -> Check:
        if isinstance(schema, bool):
            return lambda _value: schema
        if not isinstance(schema, Mapping):
            raise UnknownKeywordError(f"{schema!r} is no schema")
        checks = [self._keyword(keyword, wanted, schema) for keyword, wanted in schema.items() if keyword not in _SAID]
        return checks[0] if len(checks) == 1 else _every(tuple(checks))

    def _keyword(self, keyword: str, wanted: Any, schema: Mapping[str, Any]) -> Check:  # noqa: C901, PLR0912 - one case for each keyword
        match keyword:
            case "$ref":
                return self._reference(wanted)
            case "type":
                return _any_of(tuple(_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)))
            case "const":
                return _equal(wanted)
            case "enum":
                return _any_of(tuple(_equal(one) for one in wanted))
            case "allOf":
                return _every(tuple(self.check(one) for one in wanted))
            case "anyOf":
                return _any_of(tuple(self.check(one) for one in wanted))
            case "not":
                forbidden = self.check(wanted)
                return lambda value: not forbidden(value)
            case "if":
                asked, then, other = self.check(wanted), self.check(schema.get("then", True)), self.check(schema.get("else", True))
                return lambda value: then(value) if asked(value) else other(value)
            case "items":
                return _items(self.check(wanted))
            case "properties":
                return _properties({name: self.check(one) for name, one in wanted.items()})
            case "additionalProperties":
                return _others(frozenset(schema.get("properties", ())), self.check(wanted))
            case "propertyNames":
                name = self.check(wanted)
                return lambda value: not isinstance(value, dict) or all(map(name, value))
            case "dependentSchemas":
                return _dependent({key: self.check(one) for key, one in wanted.items()})
            case _:
                return _bound(keyword, wanted)

    def _reference(self, name: str) -> Check:
        """What a name of `$defs` asks for; made when first asked, since it may name itself."""
        if not name.startswith("#/$defs/") or name.count("/") != 2:
            raise UnknownKeywordError(f"the reference {name!r}")
        if name not in self._named:
            self._named[name] = self._later(name)
            self._named[name] = self.check(self._root["$defs"][name.removeprefix("#/$defs/")])
        return self._named[name]

    def _later(self, name: str) -> Check:
        def later(value: Any) -> bool:
            return self._named[name](value)

        return later


def _every(checks: tuple[Check, ...]) -> Check:
    def every(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - a generator for every value is what takes long
            if not check(value):
                return False
        return True

    return every


def _any_of(checks: tuple[Check, ...]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def any_of(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - as above
            if check(value):
                return True
        return False

    return any_of


def _equal(wanted: object) -> Check:
    """Equality of JSON: `true` is not 1, 1.0 is 1."""
    if isinstance(wanted, list | dict):
        raise UnknownKeywordError(f"the constant {wanted!r}")
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    return lambda value: value == wanted and not isinstance(value, bool)


def _items(check: Check) -> Check:
    return lambda value: not isinstance(value, list) or all(map(check, value))


def _properties(checks: Mapping[str, Check]) -> Check:
    def properties(value: Any) -> bool:
        if isinstance(value, dict):
            for name, item in value.items():
                if name in checks and not checks[name](item):
                    return False
        return True

    return properties


def _others(known: frozenset[str], check: Check) -> Check:
    def others(value: Any) -> bool:
        return not isinstance(value, dict) or value.keys() <= known or all(check(value[name]) for name in value if name not in known)

    return others


def _dependent(checks: Mapping[str, Check]) -> Check:
    def dependent(value: Any) -> bool:
        return not isinstance(value, dict) or all(check(value) for name, check in checks.items() if name in value)

    return dependent


def _bound(keyword: str, wanted: Any) -> Check:
    number = _TYPES["number"]
    match keyword:
        case "required":
            names = frozenset(wanted)
            return lambda value: not isinstance(value, dict) or names <= value.keys()
        case "minimum":
            return lambda value: not number(value) or not value < wanted
        case "maximum":
            return lambda value: not number(value) or not value > wanted
        case "minItems":
            return lambda value: not isinstance(value, list) or len(value) >= wanted
        case "minProperties":
            return lambda value: not isinstance(value, dict) or len(value) >= wanted
        case "minLength":
            return lambda value: not isinstance(value, str) or len(value) >= wanted
        case "pattern":
            search = re.compile(wanted).search
            return lambda value: not isinstance(value, str) or search(value) is not None
        case _:
            raise UnknownKeywordError(keyword)
