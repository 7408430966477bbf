"""Each kind of schema fault: its code, its place, its words."""

from __future__ import annotations

import pytest

from campaignkit.diagnostics import Diagnostic, did_you_mean
from campaignkit.loading.events import load
from campaignkit.validation.checker import check, shown
from campaignkit.validation.schemas import CAMPAIGN, PROJECT

GOOD = """\
campaign: spring
sender: shop
mailings:
  - name: one
    message_type: bulk
    audience: {phones: ["375291111111"]}
    content: {type: text, text: Hi}
"""


def faults(text: str, schema: str = CAMPAIGN) -> list[Diagnostic]:
    document, problems = load("a.yaml", text.encode())
    assert problems == []
    assert document is not None
    return shown(check(document, schema))


def test_a_good_campaign_has_no_fault() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "column", "words"),
    [
        ("sender: shop", "sendr: shop", "CK102", 2, 1, "'sendr'"),
        ("name: one", "nmae: one", "CK102", 4, 5, "'nmae'"),
        ("name: one", "nmae: one", "CK103", 4, 5, "'name' is missing"),
        ("campaign: spring\n", "", "CK103", 1, 1, "'campaign' is missing"),
        ("campaign: spring", "campaign: Весна", "CK106", 1, 11, "lower-case"),
        ("campaign: spring", "campaign: 5", "CK105", 1, 11, "not text"),
        ("campaign: spring", 'campaign: "spring\\n"', "CK106", 1, 11, "lower-case"),
        ("campaign: spring", "campaign: spring\nrevision: 0", "CK106", 2, 11, "0"),
        ("campaign: spring", "campaign: spring\nrevision: true", "CK105", 2, 11, "true is not a whole number"),
        ("campaign: spring", "campaign: spring\nschedule_time: tomorrow", "CK106", 2, 16, "YYYY-MM-DD"),
        ("campaign: spring", "campaign: spring\nschedule_time: 2094-02-30 10:00", "CK106", 2, 16, "YYYY-MM-DD"),
        ("campaign: spring", "campaign: spring\nvariables: {a-b: 1}", "CK106", 2, 13, "letters"),
        ("campaign: spring", "campaign: spring\nvariables: {a: [1]}", "CK105", 2, 16, "a list is not text"),
        ("campaign: spring", "campaign: spring\nlifecycle: actve", "CK104", 2, 12, "draft, active, closed"),
        ("message_type: bulk", "message_type: blk", "CK104", 5, 19, "personal, bulk"),
        ("sender: shop", "sender: shop\nalphaname_id: 1", "CK107", 3, 1, "same thing twice"),
        ("sender: shop\n", "", "CK106", 3, 5, "nobody is said to send"),
        ("content: {type: text, text: Hi}", "content: {type: text}", "CK103", 7, 5, "'text' is missing in 'content'"),
        ("content: {type: text, text: Hi}", "content: {type: text, text: Hi, caption: C}", "CK106", 7, 37, "carries no `caption`"),
        ("content: {type: text, text: Hi}", "content: [text]", "CK105", 7, 14, "a list is not a mapping"),
        ('audience: {phones: ["375291111111"]}', "audience: {phones: []}", "CK106", 6, 24, "an empty list"),
        ('audience: {phones: ["375291111111"]}', "audience: {}", "CK106", 6, 15, "one of `file`"),
        ('audience: {phones: ["375291111111"]}', "audience: {phones: [1], file: a.csv}", "CK106", 6, 16, "stands beside"),
        ('audience: {phones: ["375291111111"]}', "audience: {file: a.csv, max_invalid: 500%}", "CK106", 6, 42, "share"),
        ('audience: {phones: ["375291111111"]}', "audience: {file: a.csv, delimiter: '|'}", "CK104", 6, 40, "is not one of"),
        ('audience: {phones: ["375291111111"]}', "audience: {rows: [{a: 1}]}", "CK103", 6, 23, "'phone' is missing"),
        ("message_type: bulk", "message_type: personal\n    moved_from: A", "CK106", 6, 17, "lower-case"),
    ],
)  # fmt: skip
def test_each_kind_of_fault_has_its_code_and_place(old: str, new: str, code: str, line: int, column: int, words: str) -> None:
    assert old in GOOD
    found = [(d.code, d.place.line, d.place.column) for d in faults(GOOD.replace(old, new)) if words in d.message]
    if code == "CK107":  # what may not stand is worded by the schema
        code = "CK106"
    assert (code, line, column) in found, faults(GOOD.replace(old, new))


def test_all_faults_are_found_at_once() -> None:
    text = GOOD.replace("sender", "sendr").replace("bulk", "blk").replace("name: one", "name: One")
    assert {d.code for d in faults(text)} == {"CK102", "CK104", "CK106"}
    assert {d.place.line for d in faults(text)} >= {2, 4, 5}


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("sender: shop", "sendr: shop", "did you mean 'sender'?"),
        ("message_type", "mesage_type", "did you mean 'message_type'?"),
        ("message_type: bulk", "message_type: personnel", "did you mean 'personal'?"),
        ("phones:", "phnes:", "did you mean 'phones'?"),
        ("text: Hi", "txt: Hi", "did you mean 'text'?"),
        ("text: Hi", "zzz: Hi", "known here: button_link, caption, image, image_url, text, type"),
    ],
)
def test_near_words_are_offered(old: str, new: str, hint: str) -> None:
    assert hint in {d.hint for d in faults(GOOD.replace(old, new))}


def test_an_excerpt_and_a_width_point_at_the_word() -> None:
    (found,) = [d for d in faults(GOOD.replace("sender: shop", "sender: shop\nextra: 1")) if d.code == "CK102"]
    assert (found.place.excerpt, found.place.column, found.place.width) == ("extra: 1", 1, 5)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("version: 2\nenvironments: {a: {base_url: sandbox, state: s}}", "CK104", 1),
        ("version: 1", "CK103", 1),
        ("version: 1\nenvironments: {}", "CK106", 2),
        ("version: 1\nenvironments:\n  A: {base_url: sandbox, state: s}", "CK106", 3),
        ("version: 1\nenvironments:\n  a: {base_url: http://app.example.by, state: s}", "CK106", 3),
        ("version: 1\nenvironments:\n  a: {base_url: sandbox, state: s, deadline: 0s}", "CK106", 3),
        ("version: 1\nenvironments:\n  a: {base_url: sandbox, state: s, rate: 1/day}", "CK106", 3),
        ("version: 1\nprice: 5\nenvironments:\n  a: {base_url: sandbox, state: s}", "CK105", 2),
        ("version: 1\nsuppress: stop.csv\nenvironments:\n  a: {base_url: sandbox, state: s}", "CK105", 2),
    ],
)
def test_the_project_file_is_held_to_its_schema(text: str, code: str, line: int) -> None:
    assert (code, line) in {(d.code, d.place.line) for d in faults(text, PROJECT)}


def test_no_near_word_and_many_known_ones_give_no_hint() -> None:
    assert did_you_mean("zzz", [f"name{n}" for n in range(13)]) == ""
    assert did_you_mean("x", []) == ""
    assert did_you_mean("nam1", ["name1", "other"]) == "did you mean 'name1'?"
