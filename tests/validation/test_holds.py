"""The quick yes or no against jsonschema: whatever the schema, whatever the value, both say the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.loading.events import load
from campaignkit.validation.holds import UnknownKeywordError, holding
from campaignkit.validation.schemas import CAMPAIGN, PROJECT, holds, read, validator

NAMES = ["a", "b", "campaign", "1x"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([0.0, 1.0, 1.5, float("inf"), float("nan")]),
    st.sampled_from([*NAMES, ""]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3), max_leaves=8
)
types = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
constants = scalars.filter(lambda value: value == value)  # noqa: PLR0124 - a NaN is not equal to itself, and stands in no schema


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    parts, named = st.lists(inner, min_size=1, max_size=2), st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
    known: dict[str, st.SearchStrategy[Any]] = {
        "type": types | st.lists(types, min_size=1, max_size=2, unique=True),
        "const": constants,
        "enum": st.lists(constants, min_size=1, max_size=3),
        "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        **dict.fromkeys(("minimum", "maximum", "minItems", "minProperties", "minLength"), st.integers(-1, 2)),
        "pattern": st.sampled_from(["^[a-z]+$", "1"]),
        **dict.fromkeys(("allOf", "anyOf"), parts),
        **dict.fromkeys(("not", "if", "then", "else", "items", "additionalProperties", "propertyNames"), inner),
        **dict.fromkeys(("properties", "dependentSchemas"), named),
        "title": st.just("said, and asks nothing"),
    }
    return st.lists(st.one_of([st.tuples(st.just(name), wanted) for name, wanted in known.items()]), max_size=4).map(dict)


schemas = st.booleans() | _keywords(st.booleans() | _keywords(st.booleans()))


@settings(max_examples=400, deadline=None)
@given(_keywords(schemas), values)
def test_any_schema_of_our_keywords_says_the_same_of_any_value(schema: dict[str, Any], value: Any) -> None:
    assert holding(schema)(value) == validator(CAMPAIGN).evolve(schema=schema).is_valid(value)


@pytest.mark.parametrize("wanted", [True, False, None, 0, 1, 1.0, "1", ""])
@pytest.mark.parametrize("value", [True, False, None, 0, 1, 1.0, "1", "", [], {}])
def test_a_constant_equals_what_jsonschema_says_it_equals(wanted: Any, value: Any) -> None:
    for schema in ({"const": wanted}, {"enum": ["x", wanted]}):
        assert holding(schema)(value) == validator(CAMPAIGN).evolve(schema=schema).is_valid(value)


def _examples() -> list[tuple[str, Any]]:
    found = [(CAMPAIGN, example) for example in read(CAMPAIGN)["examples"]] + [(PROJECT, example) for example in read(PROJECT)["examples"]]
    for path in sorted(Path("campaigns").glob("*.yaml")):
        document, _ = load(path.name, path.read_bytes())
        assert document is not None
        found.append((CAMPAIGN, document.root))
    document, _ = load("campaignkit.yaml", Path("campaignkit.yaml").read_bytes())
    assert document is not None
    return [*found, (PROJECT, document.root)]


EXAMPLES = _examples()


def _properties(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_properties, schema))
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties", {})
    return (set(own) if isinstance(own, dict) else set()).union(*map(_properties, schema.values()))


KEYS = sorted(_properties(read(CAMPAIGN)) | _properties(read(PROJECT)) | {"nobody"})
PIECES: list[Any] = [
    *(None, True, False, 0, 1, 1.0, -1, 2_000_000, "", "x", "12", "x\n", [], {}, ["375291111111"], {"phone": "375291111111"}),
    *("bulk", "personal", "quick", "list", "text", "button", "image", "draft", "10s", "2094-12-01T10:00", "5%", "a.csv"),
]


def _containers(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(one for item in value.values() for one in _containers(item))]
    return [value, *(one for item in value for one in _containers(item))] if isinstance(value, list) else []


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(EXAMPLES),
    st.lists(
        st.tuples(
            st.integers(0, 99), st.integers(0, 99), st.sampled_from(["put", "drop", "add"]), st.sampled_from(KEYS), st.sampled_from(PIECES)
        ),
        max_size=3,
    ),
)
def test_both_say_the_same_of_our_documents_with_anything_changed(
    example: tuple[str, Any], edits: list[tuple[int, int, str, str, Any]]
) -> None:
    schema, root = example[0], copy.deepcopy(example[1])
    for where, which, what, key, piece in edits:
        places = _containers(root)
        place = places[where % len(places)]
        at = list(place) if isinstance(place, dict) else list(range(len(place)))
        if what == "add" and isinstance(place, dict):
            place[key] = copy.deepcopy(piece)
        elif what == "add":
            place.append(copy.deepcopy(piece))
        elif at and what == "put":
            place[at[which % len(at)]] = copy.deepcopy(piece)
        elif at:
            del place[at[which % len(at)]]
    assert holds(schema)(root) == validator(schema).is_valid(root), json.dumps(root, ensure_ascii=False)


@pytest.mark.parametrize("schema", [CAMPAIGN, PROJECT])
def test_every_example_of_a_schema_holds_and_nothing_does_not(schema: str) -> None:
    assert all(holds(name)(root) for name, root in EXAMPLES if name == schema)
    assert not holds(schema)(None)
    assert not holds(schema)({})


def test_a_name_may_name_itself() -> None:
    check = holding({"$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "$ref": "#/$defs/tree"})
    assert check([[], [[]]])
    assert not check([[], [1]])


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [True]},
        {"properties": {"a": {"uniqueItems": True}}},
        {"$ref": "https://example.by/other.json"},
        {"const": [1]},
        {"not": 1},
    ],
)
def test_what_is_not_known_is_refused_and_not_waved_through(schema: dict[str, Any]) -> None:
    with pytest.raises(UnknownKeywordError):
        holding(schema)
