"""A document against its schema: every fault with its place, in words for the author."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from campaignkit.diagnostics import Diagnostic, Place, Severity, did_you_mean
from campaignkit.loading.nodes import Document, Pointer
from campaignkit.validation.schemas import holds, validator

if TYPE_CHECKING:
    from jsonschema import ValidationError

MOST_SHOWN = 50
"""Faults of one file that are told in full."""

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A fault and the value it concerns; no diagnostic where enough were shown."""

    pointer: Pointer
    diagnostic: Diagnostic | None


def check(document: Document, schema: str) -> list[Found]:
    """All faults of one document; the first of them in full, then how many more there are.

    Args:
        document: What was parsed.
        schema: File name of the schema.
    """
    if holds(schema)(document.root):
        return []
    found: list[Found] = []
    hidden = 0
    for error in validator(schema).iter_errors(cast("Any", document.root)):
        pointer = tuple(error.absolute_path)
        room = max(MOST_SHOWN - len(found), 0)
        shown = [Found(pointer, diagnostic) for diagnostic in islice(_diagnostics(document, error), room)]
        hidden += _weight(error) - len(shown)
        found += shown or [Found(pointer, None)]
    if hidden:
        message = f"{hidden:,} more problems like these are in this file"
        found.append(Found((), Diagnostic(Severity.ERROR, "CK199", message, Place(document.path))))
    return found


def shown(found: Iterable[Found]) -> list[Diagnostic]:
    """The diagnostics among faults."""
    return [fault.diagnostic for fault in found if fault.diagnostic is not None]


def _weight(error: ValidationError) -> int:
    """How many diagnostics an error is worth."""
    if error.validator == "additionalProperties" and isinstance(error.instance, dict) and isinstance(error.schema, dict):
        return len(set(error.instance) - set(error.schema.get("properties", {})))
    return 1


def _diagnostics(document: Document, error: ValidationError) -> Iterator[Diagnostic]:
    pointer: Pointer = tuple(error.absolute_path)
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    kind, wanted = str(error.validator), cast("Any", error.validator_value)
    if kind == "additionalProperties" and isinstance(error.instance, dict):
        known = schema.get("properties", {})
        for key in sorted(set(error.instance) - set(known)):
            place = document.place((*pointer, key), key=True)
            yield Diagnostic(Severity.ERROR, "CK102", f"unknown key {key!r}", place, did_you_mean(key, known))
        return
    if kind == "required" and isinstance(error.instance, dict):
        # One error a missing key; jsonschema reports each apart, and names it first in its message.
        missing = next((key for key in wanted if f"{key!r} is a required" in error.message), "?")
        place = document.place(pointer, key=True)
        yield Diagnostic(Severity.ERROR, "CK103", f"the key {missing!r} is missing{_inside(pointer)}", place, _said(schema))
        return
    own = _said(schema) if kind not in {"type", "enum", "const"} else ""
    code, message, hint = _worded(kind, error, wanted, own)
    at_key = kind in {"None", "not", "dependentRequired"}
    if "propertyNames" in error.absolute_schema_path:
        pointer, at_key = (*pointer, str(error.instance)), True
    yield Diagnostic(Severity.ERROR, code, message, document.place(pointer, key=at_key), hint)


def _said(schema: dict[str, Any]) -> str:
    said = schema.get("x-message", "")
    return said if isinstance(said, str) else ""


def _inside(pointer: Pointer) -> str:
    names = [str(step) for step in pointer if isinstance(step, str)]
    return f" in {names[-1]!r}" if names else ""


def _worded(kind: str, error: ValidationError, wanted: Any, own: str) -> tuple[str, str, str]:
    value = _short(error.instance)
    if kind == "enum":
        options = [str(option) for option in wanted]
        near = did_you_mean(str(error.instance), options) if len(options) > 1 else ""
        return "CK104", f"{value} is not one of {', '.join(options)}", near if near.startswith("did") else ""
    if kind == "type":
        names = [_TYPES.get(name, name) for name in ([wanted] if isinstance(wanted, str) else wanted)]
        return "CK105", f"{value} is not {' or '.join(names)}", ""
    if own:
        return "CK106", own if kind in {"None", "not", "oneOf", "anyOf"} else f"{value}: {own}", ""
    if kind in {"None", "not"}:
        key = error.absolute_path[-1] if error.absolute_path else "this"
        return "CK107", f"the key {key!r} may not stand here", ""
    if kind == "const":
        return "CK104", f"{value} must be {wanted}", ""
    return "CK106", f"{value}: {error.message[:200]}", ""


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"
