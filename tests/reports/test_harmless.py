"""Words of providers, contacts and authors in every output: they stay words, whoever reads them."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.model.status import PersonLine
from campaignkit.reports import diagnostics
from campaignkit.reports.safe import cell, json_text, line, markdown, punycode
from campaignkit.reports.status import people_csv
from campaignkit.wire.text import clean

HOSTILE = [
    "\x1b[2J\x1b[31mred", "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07", "\x1b]52;c;ZWNobw==\x07", "\x9b2J", "good\rbad",
    "a\x08\x08b", "\u202edlrow", "\u2066a\u2069", "zero\u200bwidth", "line\u2028end", "tag\U000e0041", "\ud800", "::error::x",
    "  ::add-mask::x", "a\n::set-output name=x::y", "##[add-mask]x", "a ##[error]b", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "</td></table><h1>x", "[x](javascript:alert(1))", "![x](https://evil.example/a.png)",
    "<https://evil.example>", "[x]: https://evil.example", "`code`", "```\ncode", "**bold**", "__bold__", "~~gone~~", "# head",
    "a\n# head", "a\n---", "> quote", "- item", "1. item", "| a | b |", "a|b", "\\", "\\`", "\\[x](y)", "&lt;b&gt;",
    "&#60;script&#62;", "@everyone", "#123", "<!-- -->", "<b", "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\n=1", "\r=1", "＝1+1",
    '=HYPERLINK("https://evil.example")', '"', "a,b", "a;b", 'a"b', "{{ x }}",
]  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3).map("".join), st.text(max_size=30))
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PLAIN = {"text", "softbreak", "hardbreak", "text_special"}
COMMAND = re.compile(r"^\s*::|##\[")


def active(text: str) -> list[str]:
    return [character for character in text if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(TEXTS)
def test_a_line_is_one_line_without_escapes_and_commands(text: str) -> None:
    shown = line(text)
    assert active(shown) == []
    assert not COMMAND.search(shown)
    assert line(shown) == shown


@given(TEXTS)
def test_markdown_stays_text_wherever_it_stands(text: str) -> None:
    """A real parser finds what the report itself marks up, and nothing else."""
    shown = markdown(text)
    page = f"- **{shown}**: {shown}\n  at {shown}\n\n| mailing | send |\n|---|---:|\n| {shown} | 1 |\n| **total** | 1 |\n"
    tokens = PARSER.parse(page)
    kinds = [token.type for token in tokens]
    inline = {child.type for token in tokens for child in token.children or ()}
    assert inline <= PLAIN | {"strong_open", "strong_close"}
    assert (kinds.count("bullet_list_open"), kinds.count("list_item_open"), kinds.count("table_open")) == (1, 1, 1)
    assert (kinds.count("tr_open"), kinds.count("td_open"), kinds.count("th_open")) == (3, 4, 2)
    assert not {"html_block", "fence", "code_block", "heading_open", "blockquote_open", "hr", "ordered_list_open"} & set(kinds)
    assert not re.search(r"@\w", shown)


def test_the_parser_would_find_markup() -> None:
    found = {child.type for token in PARSER.parse("<b> [x](https://a.by) `c`") for child in token.children or ()}
    assert {"html_inline", "link_open", "code_inline"} <= found


@given(TEXTS)
def test_json_reads_back_as_it_was_and_shows_nothing_active(text: str) -> None:
    shown = json_text({"a": text, text: [text]}, indent=2)
    assert active(shown.replace("\n", "")) == []
    assert "##[" not in shown
    assert json.loads(shown) == {"a": text, text: [text]}


def test_json_escapes_every_character_that_is_active() -> None:
    every = "".join(map(chr, range(0x7F, sys.maxunicode + 1)))
    assert active(json_text(active(every))) == []
    assert json.loads(json_text(active(every))) == active(every)


@given(TEXTS, TEXTS)
def test_no_cell_of_an_export_is_a_formula_or_breaks_its_row(status: str, when: str) -> None:
    person = PersonLine(
        campaign="spring", revision=1, mailing="invitation", phone=375291111111, status=status, status_time=when, outcome="accepted",
        request="r1", tag="ck-a", uuid="u", sent_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    rows = list(csv.reader(io.StringIO("".join(people_csv([person], reveal=False))), strict=True))
    assert len(rows) == 2
    assert len(rows[1]) == len(rows[0])
    assert all(not value.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")) for row in rows for value in row)
    assert rows[1][4] in {clean(status, 1000), "'" + clean(status, 1000)}
    assert [value for row in rows for value in row if active(value)] == []


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert cell(text) == "'" + clean(text, 9)
    assert cell("a" + text) == "a" + clean(text, 9)


@given(TEXTS, TEXTS, TEXTS)
def test_a_diagnostic_is_harmless_in_every_format(path: str, message: str, excerpt: str) -> None:
    found = [Diagnostic(Severity.ERROR, "CK100", message, Place(path, 1, 2, 0, excerpt, 3), message)]
    text = diagnostics.text(found)
    assert active(text.replace("\n", "")) == []
    assert not any(COMMAND.search(shown) for shown in text.splitlines())
    annotations = diagnostics.github(found)
    assert active(annotations.replace("\n", "")) == []
    assert annotations.count("\n") == 1
    head, _, said = annotations.removeprefix("::").partition("::")
    assert re.fullmatch(r"error file=[^,:]*,line=1,col=2,title=CK100", head)
    assert "##[" not in said
    sarif = diagnostics.sarif(found, "1")
    assert active(sarif.replace("\n", "")) == []
    uri = json.loads(sarif)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9_.~/%-]*", uri)
    json.loads(json_text(diagnostics.as_json(found, 1, sandbox=False)))


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("shop.example.by", "shop.example.by"), ("shop.ex\u0430mple.by", "shop.ex\u0430mple.by = shop.xn--exmple-4nf.by"),
        ("я" * 80, "я" * 80 + " = no host's name"),
    ],
)  # fmt: skip
def test_a_host_of_other_letters_is_shown_as_it_goes_over_the_wire(host: str, shown: str) -> None:
    assert punycode(host) == shown


@pytest.mark.parametrize(
    "written",
    ["token: abcdef-123", 'api_token: "abcdef-123"', "password = abcdef-123", "{secret: abcdef-123, x: 1}", "TOKEN=abcdef-123"],
)
def test_what_somebody_wrote_down_as_a_secret_is_not_quoted(written: str) -> None:
    found = Diagnostic(Severity.ERROR, "CK102", "unknown key", Place("a.yaml", 1, 1, 0, written, 3))
    assert "abcdef-123" not in diagnostics.text([found])
    assert len(diagnostics.text([found]).splitlines()[1]) == len(f"    1 | {written}")
    documented = Diagnostic(Severity.ERROR, "CK102", "unknown key", Place("a.yaml", 1, 1, 0, "token_in: documented", 3))
    assert "documented" in diagnostics.text([documented])
