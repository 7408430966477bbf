"""What authors write, at random: YAML, tables, templates. Nothing is raised but what is documented, and nothing is endless."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.audience.phones import BadPhoneError, normal
from campaignkit.audience.tables import LONGEST_CELL, MOST_COLUMNS, BrokenTableError, open_table
from campaignkit.compiler.settings import read_project
from campaignkit.front.campaigns import check_campaign, read_campaign
from campaignkit.loading.events import load
from campaignkit.rendering.filters import LONGEST_TEXT
from campaignkit.rendering.guard import examine
from campaignkit.rendering.messages import Renderer, RowError, condition_source
from tests.fuzz.shapes import ANYTHING, HOSTILE, near, spoilt

YAML = st.lists(
    st.one_of(
        HOSTILE,
        st.sampled_from(
            [
                "campaign: ", "mailings:\n", "- ", "name: a", "\n", "  ", "    ", "{", "}", "[", "]", ", ", ": ", "&a ", "*a", "!t ",
                "|\n", ">\n", "'", '"', "? ", "<<: ", "---\n", "#", "audience: {phones: [1]}", "content: {type: text, text: hi}",
                "%YAML 1.2\n", "\t", "\r",
            ]
        ),
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(st.one_of(YAML.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=300)))
def test_yaml(data: bytes) -> None:
    document, problems = load("a.yaml", data)
    assert document is not None or problems
    file = read_campaign("a.yaml", data)
    check_campaign(file)
    assert file.head().path == "a.yaml"
    read_project("campaignkit.yaml", data)


ROWS = st.lists(near({"phone": st.integers()}), max_size=3)
AUDIENCE = near({"phones": st.lists(st.integers(), max_size=3), "rows": ROWS, "file": st.text(max_size=9)})
MAILING = near({"name": st.just("a"), "message_type": st.sampled_from(["bulk", "personal"]), "audience": AUDIENCE,
                "content": near({"type": st.sampled_from(["text", "button"]), "text": st.text(max_size=9)})})  # fmt: skip


CAMPAIGN = near({"campaign": st.just("a"), "sender": st.just("shop"), "mailings": st.lists(MAILING, max_size=3), "variables": ANYTHING})


@given(spoilt(CAMPAIGN))
def test_definitions(data: bytes) -> None:
    """JSON is YAML, nearly: whole definitions reach the schema and what reads on behind it."""
    file = read_campaign("a.yaml", data)
    check_campaign(file)
    file.head()
    list(file.audiences())


MARKS = st.sampled_from([",", ";", "\t", "\n", "\r\n", '"', '""', "phone", "375291111111", "Anna"])
CELLS = st.lists(st.one_of(HOSTILE, MARKS), max_size=40).map("".join)


@pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning")  # the codec of escapes says so of its data
@given(
    st.one_of(CELLS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=200)),
    st.sampled_from([None, "utf-8", "cp1251", "utf-16", "utf-7", "unicode_escape", "idna", "punycode", "rot13", "nonsense\0", ""]),
    st.sampled_from(["a.csv", "a.tsv", "a.xlsx", "a"]),
)
def test_tables(data: bytes, encoding: str | None, name: str) -> None:
    with contextlib.suppress(BrokenTableError):
        table = open_table(name, io.BytesIO(data), encoding=encoding, delimiter=None)
        assert 0 < len(table.columns) <= MOST_COLUMNS
        for line, cells in table.rows():
            assert line > 0
            assert len(cells) == len(table.columns)
            for cell in cells:
                with contextlib.suppress(BadPhoneError):
                    normal(cell)


@given(st.lists(spoilt(near({"phone": st.integers(), "first_name": st.text(max_size=9)})), min_size=1, max_size=4).map(b"\n".join))
def test_json_lines(data: bytes) -> None:
    with contextlib.suppress(BrokenTableError):
        table = open_table("a.jsonl", io.BytesIO(data), encoding=None, delimiter=None)
        for _line, cells in table.rows():
            assert all(len(cell) <= LONGEST_CELL for cell in cells)


PIECES = st.sampled_from(
    [
        "{{ ", " }}", "{% if ", "{% for x in ", "{% set a = ", "{% set b = ", " %}", "{% endif %}", "{% endfor %}",
        "{% else %}", "{# ", " #}", "a", "b", "x", "name", "loop", "loop.index", ".y", "['k']", "range(3)", "range(1000)",
        "[1, 2]", "(a, a)", "{'k': 1}", " ~ ", " + ", " * ", " ** ", " % ", " / ", " == ", " in ", " and ", "not ",
        " is defined", " | replace('x', a)", " | join(a)", " | upper", " | length", " | int", " | sum", " | sort", " | first",
        " | urlencode", " | truncate(3)", " | default('x', true)", " | round(2)", " | money", " | date",
        " | plural('a', 'b', 'c')", "'x'", "1", "1.5", "{% raw %}", "{% endraw %}", "\n", "-", "(", ")", "[", "]",
    ]
)  # fmt: skip
TEMPLATES = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60), st.lists(HOSTILE, max_size=5).map("".join))
VALUES = st.one_of(HOSTILE, st.sampled_from(["Anna", "12,50", "2026-11-23", "1 000", "-1"]))


@given(TEMPLATES, VALUES)
def test_templates(source: str, value: str) -> None:
    _names, faults = examine(source, frozenset({"name"}))
    assert all(0 <= fault.offset <= len(source) for fault in faults)
    if faults:
        return
    renderer = Renderer([source], {})
    renderer.set({"name": value})
    try:
        text = renderer.render()[0]
    except RowError as error:
        assert len(str(error)) <= 200  # noqa: PT017 - either is fine
    else:
        assert len(text) <= max(LONGEST_TEXT, len(source))
        json.dumps(text)


@given(TEMPLATES)
def test_conditions(expression: str) -> None:
    source = condition_source(expression)
    if source is not None:
        examine(source, frozenset({"name"}))
