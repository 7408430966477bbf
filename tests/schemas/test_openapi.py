"""The OpenAPI document itself: sound, closed, explained, and the same as the documentation's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from campaignkit.sandbox.content import LONGEST_LINK
from campaignkit.sandbox.message_form import LINK, TYPES
from campaignkit.sandbox.parameters import TABLES
from campaignkit.sandbox.quick_send import LEAST_MINUTES, MOST_MINUTES, PHONE
from campaignkit.sandbox.routes import ROUTES

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "schemas" / "sms-by-viber.openapi.json").read_text("utf-8"))
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS = {path: DOCUMENT["paths"][path]["post"] for path in ROUTES}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(member)


def body_properties(operation: dict[str, Any], kind: str) -> dict[str, Any]:
    """The fields of a body, over all its variants."""
    schema = operation["requestBody"]["content"][kind]["schema"]
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    variants = [SCHEMAS[one["$ref"].rpartition("/")[2]] for one in schema.get("anyOf", [])] or [schema]
    return {name: value for variant in variants for name, value in variant["properties"].items()}


def test_it_describes_the_eleven_methods_and_no_other() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert set(DOCUMENT["paths"]) == set(ROUTES)
    assert all(set(item) == {"post"} for item in DOCUMENT["paths"].values())
    assert {operation["operationId"] for operation in OPERATIONS.values()} == {method.name for method in ROUTES.values()}


def test_its_schemas_are_sound_and_all_used() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)
    used = {node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node}
    assert used == {f"#/components/schemas/{name}" for name in SCHEMAS}


def test_everything_says_what_it_is_and_what_else_it_may_hold() -> None:
    assert [name for name, schema in SCHEMAS.items() if not schema["description"].endswith((".", "text."))] == []
    assert [node for node in nodes(DOCUMENT) if "properties" in node and node.get("additionalProperties") is not False] == []
    assert [path for path, operation in OPERATIONS.items() if not operation["summary"].endswith(".")] == []


def test_examples_and_defaults_are_valid_where_they_stand() -> None:
    for name, schema in SCHEMAS.items():
        validator = Draft202012Validator({"components": DOCUMENT["components"]} | schema)
        for value in [*schema.get("examples", []), *([schema["default"]] if "default" in schema else [])]:
            assert validator.is_valid(value), (name, value)


def test_patterns_mean_the_same_to_every_engine() -> None:
    patterns = [node["pattern"] for node in nodes(DOCUMENT) if isinstance(node.get("pattern"), str)]
    assert [one for one in patterns if any(part in one for part in (r"\d", r"\w", r"\s", r"\S", r"\Z"))] == []
    assert [one for one in patterns if one != r"[^ \t\r\n]" and not (one.startswith("^") and one.endswith(r"$(?!\n)"))] == []


BULK = "/api/v1/sendBulkViber"


@pytest.mark.parametrize("path", ROUTES)
def test_parameters_stand_where_the_tables_of_the_strict_mode_have_them(path: str) -> None:
    operation, table = OPERATIONS[path], TABLES[ROUTES[path].name]
    in_query = {one["name"]: one["required"] for one in operation.get("parameters", [])}
    if path == BULK:
        # The table has all three in the query, the sample in the body; what a client would truly put there is the token.
        assert in_query == {"token": False}
    else:
        assert in_query == {name: line.required for name, line in table.items() if line.places == ("query",)}
    places = {"application/json": "json", "application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart"}
    named = {kind: {name for name, line in table.items() if place in line.places} for kind, place in places.items()}
    content = operation.get("requestBody", {"content": {}})["content"]
    assert {kind: set(body_properties(operation, kind)) for kind in content} == {kind: names for kind, names in named.items() if names}


@pytest.mark.parametrize("path", ROUTES)
def test_what_is_required_is_so_in_every_variant(path: str) -> None:
    table = TABLES[ROUTES[path].name]
    for content in OPERATIONS[path].get("requestBody", {"content": {}})["content"].values():
        schema = content["schema"]
        variants = schema.get("anyOf", [schema])
        for variant in (SCHEMAS[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in variants):
            required = {name for name, line in table.items() if line.required and line.places != ("query",)}
            if path == BULK:
                required.discard("token")
            assert required <= set(variant["required"])
            assert set(variant["required"]) - required <= {"type_message", "message", "image_url", "image", "button", "button_link"}


def test_limits_are_those_of_the_sandbox() -> None:
    assert SCHEMAS["phone"]["pattern"] == PHONE
    assert SCHEMAS["link"]["pattern"] == SCHEMAS["button_link"]["pattern"] == LINK
    assert SCHEMAS["button_link"]["maxLength"] == LONGEST_LINK
    forwarding = SCHEMAS["forwarding_time"]
    assert (forwarding["minimum"], forwarding["maximum"]) == (LEAST_MINUTES, MOST_MINUTES)
    line = TABLES["sendQuickViberMessage"]["forwarding_time"]
    assert (line.least, line.most) == (LEAST_MINUTES, MOST_MINUTES)
    kinds = [
        schema["properties"]["type_message"]["const"]
        for name, schema in SCHEMAS.items()
        if name.startswith(("Quick", "List")) and "type_message" in schema["properties"]
    ]
    assert set(kinds) == set(TYPES)
    assert len(kinds) == 12
