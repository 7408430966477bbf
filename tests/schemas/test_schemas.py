"""The schemas themselves: sound, strict, explained, and true of their own examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = {path.name: path for path in sorted((Path(__file__).parents[2] / "schemas").glob("*.schema.json"))}
INPUTS = ("campaign.schema.json", "project.schema.json")
DRAFT = "https://json-schema.org/draft/2020-12/schema"

MAPS_OF_SCHEMAS = {"properties", "$defs", "dependentSchemas"}
LISTS_OF_SCHEMAS = {"allOf", "anyOf", "oneOf"}
SCHEMA_VALUED = {"additionalProperties", "propertyNames", "items", "not", "if", "then", "else"}
ASSERTIONS = {
    *("type", "enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum"),
    *("minItems", "maxItems", "minProperties", "required"),
}
ANNOTATIONS = {"$schema", "$ref", "title", "description", "default", "examples"}
KNOWN = MAPS_OF_SCHEMAS | LISTS_OF_SCHEMAS | SCHEMA_VALUED | ASSERTIONS | ANNOTATIONS


def load(name: str) -> dict[str, Any]:
    loaded = json.loads(SCHEMAS[name].read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def walk(schema: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with its pointer; values that are data (examples, default, const, enum) are not entered."""
    if isinstance(schema, bool):
        return
    assert isinstance(schema, dict), where
    yield where, schema
    for key, value in schema.items():
        if key in MAPS_OF_SCHEMAS:
            for name, sub in value.items():
                yield from walk(sub, f"{where}/{key}/{name}")
        elif key in LISTS_OF_SCHEMAS:
            for index, sub in enumerate(value):
                yield from walk(sub, f"{where}/{key}/{index}")
        elif key in SCHEMA_VALUED:
            yield from walk(value, f"{where}/{key}")


def resolved(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with what it refers to beneath its own keys."""
    target = schema.get("$ref")
    return {**root["$defs"][target.removeprefix("#/$defs/")], **schema} if target else schema


def states_things(where: str) -> bool:
    """Whether the subschema describes data, rather than being a condition or a further constraint on it."""
    parts = set(where.split("/"))
    return not parts & {"if", "then", "else", "not", "dependentSchemas", "propertyNames", "allOf"}


def test_the_schemas_of_the_contract_are_there() -> None:
    assert set(SCHEMAS) == {
        f"{name}.schema.json"
        for name in (
            *("apply-record", "callbacks-ingest", "campaign", "compile", "diagnostics", "plan", "planfile", "project", "refresh"),
            *("render", "resolve", "state-export", "state-list", "state-show", "status"),
            *("inbox-ack", "inbox-list", "inbox-pull", "optouts-list", "send-test"),
            *("mailings-deliveries", "mailings-list", "mailings-show"),
        )
    }


@pytest.mark.parametrize("name", SCHEMAS)
class TestEverySchema:
    def test_it_passes_its_metaschema(self, name: str) -> None:
        schema = load(name)
        assert schema["$schema"] == DRAFT
        Draft202012Validator.check_schema(schema)

    def test_it_uses_no_keyword_we_do_not_know(self, name: str) -> None:
        unknown = [(where, key) for where, sub in walk(load(name)) for key in sub if key not in KNOWN and not key.startswith("x-")]
        assert unknown == []

    def test_its_references_stay_in_the_file_and_every_definition_is_used(self, name: str) -> None:
        schema = load(name)
        targets = {sub["$ref"] for _, sub in walk(schema) if "$ref" in sub}
        assert targets == {f"#/$defs/{key}" for key in schema.get("$defs", {})}

    def test_it_and_every_property_say_what_they_are(self, name: str) -> None:
        schema = load(name)
        assert {"title", "description"} <= set(schema)
        mute = [
            f"{where}/{key}"
            for where, sub in walk(schema)
            if states_things(where)
            for key, prop in sub.get("properties", {}).items()
            if not {"title", "description"} <= set(resolved(schema, prop)) or not prop.get("description", "x").endswith(".")
        ]
        assert mute == []

    def test_its_objects_say_what_else_they_may_hold(self, name: str) -> None:
        loose = [
            where
            for where, sub in walk(load(name))
            if states_things(where) and "properties" in sub and sub.get("additionalProperties") is not False
        ]
        by_kind = {"apply-record.schema.json", "state-export.schema.json"}  # each kind of line closes itself
        assert loose == (["#"] if name in by_kind else [])

    def test_every_example_and_default_is_valid_where_it_stands(self, name: str) -> None:
        schema = load(name)
        for where, sub in walk(schema):
            validator = Draft202012Validator({**sub, "$defs": schema.get("$defs", {})})
            for value in [*sub.get("examples", []), *([sub["default"]] if "default" in sub else [])]:
                assert [error.message for error in validator.iter_errors(value)] == [], (where, value)

    def test_a_pattern_does_not_let_a_last_newline_through(self, name: str) -> None:
        """Python's `$` also matches before a last newline; `(?!\\n)` behind it means nothing in an editor."""
        lax = [where for where, sub in walk(load(name)) if not sub.get("pattern", r"$(?!\n)").endswith(r"$(?!\n)")]
        assert lax == []

    def test_patterns_mean_the_same_in_editors(self, name: str) -> None:
        """No Unicode-dependent or Python-only escapes."""
        odd = [
            where
            for where, sub in walk(load(name))
            if any(escape in sub.get("pattern", "") for escape in (r"\d", r"\w", r"\Z", r"\A", "(?P", "(?i"))
        ]
        assert odd == []

    def test_formats_are_not_used_because_nothing_checks_them(self, name: str) -> None:
        assert [where for where, sub in walk(load(name)) if "format" in sub] == []


ONE_KIND = ({"not"}, {"anyOf"}, {"const"}, {"pattern"}, {"pattern", "minimum"}, {"minimum", "maximum"}, {"pattern", "minimum", "maximum"})
"""Assertions that one sentence may speak for."""


@pytest.mark.parametrize("name", INPUTS)
class TestWhatPeopleWrite:
    def test_every_property_gives_an_example(self, name: str) -> None:
        schema = load(name)
        without = [
            f"{where}/{key}"
            for where, sub in walk(schema)
            if states_things(where)
            for key, prop in sub.get("properties", {}).items()
            if "examples" not in resolved(schema, prop) and key != "mailings"
        ]
        assert without == []

    def test_what_is_hard_to_read_has_a_plain_sentence(self, name: str) -> None:
        """`not`, `pattern` and alternatives fail with words nobody understands."""
        bare = [
            where
            for where, sub in walk(load(name))
            if {"not", "pattern", "anyOf", "oneOf"} & set(sub) and "if" not in where.split("/") and "x-message" not in sub
        ]
        assert bare == []

    def test_a_plain_sentence_stands_for_one_thing(self, name: str) -> None:
        """It replaces the message of every assertion beside it but `type`; so those are of one kind."""
        for where, sub in walk(load(name)):
            if "x-message" in sub:
                assert isinstance(sub["x-message"], str), where
                beside = set(sub) - ANNOTATIONS - {"x-message", "type"}
                assert beside in ONE_KIND, (where, beside)

    def test_conditions_are_used_in_place_of_alternatives(self, name: str) -> None:
        assert [where for where, sub in walk(load(name)) if "oneOf" in sub] == []


def test_what_two_schemas_define_they_define_alike() -> None:
    plan, saved = load("plan.schema.json"), load("planfile.schema.json")
    for key in ("summary", "campaign", "mailing", "count", "digest"):
        assert plan["$defs"][key] == saved["$defs"][key]
    assert load("apply-record.schema.json")["$defs"]["summary"] == plan["$defs"]["summary"]
    assert load("status.schema.json")["$defs"]["error"] == load("refresh.schema.json")["$defs"]["error"]
    campaign, project = load("campaign.schema.json"), load("project.schema.json")
    for key in ("id", "provider_id"):
        assert campaign["$defs"][key] == project["$defs"][key]
    assert campaign["$defs"]["sender_name"]["pattern"] == project["properties"]["senders"]["propertyNames"]["pattern"]


def test_a_plan_counts_a_mailing_as_it_counts_the_whole() -> None:
    definitions = load("plan.schema.json")["$defs"]
    counts = set(definitions["summary"]["required"])
    assert counts == {
        *("rows", "filtered", "invalid", "duplicate", "suppressed", "sent", "edited", "rejected", "unknown"),
        *("abandoned", "late", "resend", "send", "requests"),
    }
    assert counts <= set(definitions["mailing"]["required"])


def test_default_time_zones_exist() -> None:
    schema = load("project.schema.json")
    ZoneInfo(schema["properties"]["timezone"]["default"])
    ZoneInfo(schema["$defs"]["environment"]["properties"]["provider_timezone"]["default"])
