"""The published schemas, read from the package or the checkout; nothing is ever fetched."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from campaignkit.validation.holds import Check, holding

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

CAMPAIGN = "campaign.schema.json"
PROJECT = "project.schema.json"


def read(name: str) -> dict[str, Any]:
    """One schema by its file name; a wheel carries them as `_schemas`, a checkout beside the package."""
    package = files("campaignkit")
    inside = package / "_schemas" / name
    source = inside if inside.is_file() else package / ".." / "schemas" / name
    return cast("dict[str, Any]", json.loads(source.read_text("utf-8")))


@cache
def holds(name: str) -> Check:
    """Whether a value holds to one schema, made once."""
    return holding(read(name))


@cache
def validator(name: str) -> Validator:
    """A compiled validator for one schema, with no remote references; 444.0 is no whole number: it would be sent as it stands."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it ships no types

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int)
    kind: type[Validator] = extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]  # nor do its stubs say
    return kind(read(name), registry=REGISTRY)
