"""The pages of the two formats say everything that the schemas know, and their examples are true."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from campaignkit.audience.phones import BadPhoneError, normal
from campaignkit.rendering.messages import Renderer, RowError
from tests.docs.places import generator, read

generate = generator()
_EXAMPLE = re.compile(r"^\| `(\{\{.+?\}\})` \| `(\w+) = ([^`]*)` \| (`[^`]+`|error: .+) \|$", re.MULTILINE)
EXAMPLES = [tuple(part.replace("\\|", "|") for part in found) for found in _EXAMPLE.findall(read("docs/campaign-format.md"))]


def keys(node: object) -> Iterator[str]:
    """Every name under any `properties` that describes a key, and not a rule about one."""
    if isinstance(node, dict):
        for key, inner in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
            if isinstance(inner, dict) and "title" in inner:
                yield key
        for inner in node.values():
            yield from keys(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from keys(inner)


@pytest.mark.parametrize(("name", "page"), [("campaign", "docs/campaign-format.md"), ("project", "docs/project-file.md")])
def test_every_key_of_the_schema_is_in_its_page(name: str, page: str) -> None:
    text = read(page)
    found = set(keys(generate.schema(name)))
    assert len(found) > 15
    assert [key for key in sorted(found) if f"\n| `{key}` |" not in text] == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == read("docs/campaign-format.md").count("\n| `{{ ") > 12
    assert {"plural", "money", "date", "int", "float"} <= {word for template, *_ in EXAMPLES for word in re.findall(r"\w+", template)}


@pytest.mark.parametrize(("template", "name", "value", "gives"), EXAMPLES)
def test_the_examples_of_filters_are_true(template: str, name: str, value: str, gives: str) -> None:
    renderer = Renderer([template], {})
    renderer.set({name: value.strip()})
    if gives.startswith("error: "):
        with pytest.raises(RowError, match=re.escape(gives.removeprefix("error: "))):
            renderer.render()
    else:
        assert renderer.render()[0].replace("\u00a0", " ") == gives.strip("`")


def test_the_examples_of_phones_are_true() -> None:
    section = read("docs/campaign-format.md").split("## Phones\n")[1].split("## ")[0]
    usual, rest = section.split("Foreign ones")
    written = re.findall(r"`([^`]+)`", usual)
    assert len(written) == 4
    assert {normal(text) for text in written} == {375291111111}
    damaged = [text for text in re.findall(r"`([^`]+)`", rest) if "," in text]
    assert len(damaged) == 2
    for text in damaged:
        with pytest.raises(BadPhoneError):
            normal(text)
