"""A campaign file to its mailings: senders, times, content that is one for all, and everything wrong with them."""

from __future__ import annotations

import pytest

from campaignkit.compiler.columns import bind
from campaignkit.diagnostics import Place

from .rules import campaign, defined, mailing

TEXT = '{type: text, text: "Hi"}'
BULK = "{phones: [375291111111]}"
BUTTON = "{type: button, caption: C, button_link: https://a.by/}"


def codes(text: str, /, **limits: object) -> list[tuple[str, str, int, int]]:
    return [(str(p.severity), p.code, p.place.line, p.place.column) for p in defined(text, **limits).problems]


def test_a_sender_is_found_by_its_name_and_a_mailings_own_wins() -> None:
    assert mailing(TEXT).sender == "444"
    text = campaign(TEXT).replace("    audience", "    sender: other\n    audience")
    assert [found.sender for found in defined(text).mailings] == ["555"]
    assert mailing(TEXT, head="alphaname_id: 7").sender == "7"
    text = campaign(TEXT).replace("    audience", "    alphaname_id: 9\n    audience")
    assert [found.sender for found in defined(text).mailings] == ["9"]


@pytest.mark.parametrize(
    ("head", "line", "words", "hint"),
    [
        ("sender: shp", 2, "no sender is called 'shp'", "did you mean 'shop'?"),
        ("sender: idless", 2, "no alphaname_id", ""),
    ],
)
def test_a_sender_that_is_none_is_an_error_at_its_place(head: str, line: int, words: str, hint: str) -> None:
    (found,) = defined(campaign(TEXT, head=head)).problems
    assert (found.code, found.place.line, found.place.column, found.hint) == ("CK121", line, 9, hint)
    assert words in found.message


def test_a_campaign_without_any_sender_is_an_error() -> None:
    assert {code for _, code, _, _ in codes(campaign(TEXT, head="revision: 1"))} >= {"CK106"}


def test_two_mailings_of_one_name_are_an_error_at_the_second() -> None:
    text = campaign(TEXT, kind="bulk", audience=BULK)
    text += text[text.index("  - name") :]
    (found,) = defined(text).problems
    assert (found.code, found.place.line) == ("CK120", 8)
    assert "line 4" in found.message


def test_a_mailings_time_overrides_and_null_sends_at_once() -> None:
    head = "sender: shop\nschedule_time: 2094-12-01T10:00"
    when = mailing(TEXT, head=head).schedule
    assert when is not None
    assert when.wire == "2094-12-01T10:00:00"
    text = campaign(TEXT, head=head).replace("    audience", "    schedule_time: 2095-12-01T10:00\n    audience")
    (own,) = defined(text).mailings
    assert own.schedule is not None
    assert own.schedule.wire == "2095-12-01T10:00:00"


def test_a_mailings_own_null_time_means_at_once() -> None:
    text = campaign(TEXT, head="sender: shop\nschedule_time: 2094-12-01T10:00").replace(
        "    audience", "    schedule_time: null\n    audience"
    )
    (found,) = defined(text).mailings
    assert found.schedule is None


def test_a_bad_time_stands_at_its_place() -> None:
    assert codes(campaign(TEXT, head="sender: shop\nschedule_time: 2094-02-30T10:00")) == [("error", "CK501", 3, 16)]


def test_variables_are_used_as_written() -> None:
    head = "sender: shop\nvariables: {price: 1.10, code: 007, big: 1e3, yes_: true, plus: +5}"
    found = mailing('{type: text, text: "{{ price }} {{ code }} {{ big }} {{ yes_ }} {{ plus }}"}', kind="bulk", audience=BULK, head=head)
    assert found.once["text"] == "1.10 007 1e3 true +5"


@pytest.mark.parametrize(
    ("kind", "content", "code", "at", "words"),
    [
        ("bulk", '{type: text, text: "Hi {{ name }}"}', "CK202", "name }}", "only variables"),
        ("personal", BUTTON.replace("caption: C", 'caption: "{{ name }}"'), "CK202", "name }}", "once for all"),
        ("bulk", '{type: text, text: "Hi {{ shop.x }}"}', "CK203", "{{ shop", "have no parts"),
        ("bulk", '{type: text, text: "{{ shop | int }}"}', "CK206", '"{{ shop', "can't be rendered"),
        ("bulk", '{type: text, text: " "}', "CK401", '" "', "empty"),
        ("bulk", '{type: text, text: "a\\a"}', "CK401", '"a', "U+0007"),
        ("bulk", "{type: image, image_url: ftp://a.by/x.jpg}", "CK401", "ftp:", "begins with"),
        ("bulk", '{type: image, image_url: "javascript:' + "x" * 200 + '"}', "CK401", '"java', "begins with"),
        ("bulk", BUTTON.replace("a.by/", "user@a.by/"), "CK401", "https:", "no @"),
        ("bulk", BUTTON.replace("a.by/", "a.by/" + "x" * 138), "CK401", "https:", "151 characters"),
        ("bulk", BUTTON.replace("a.by/", "a.by/" + "x" * 137), "", "", ""),
        ("bulk", "{type: image, image_url: https://a.by/" + "x" * 500 + "}", "", "", ""),
    ],
)
def test_content_for_all_is_rendered_and_checked_here(kind: str, content: str, code: str, at: str, words: str) -> None:
    text = campaign(content, kind=kind, audience=BULK) + "variables: {shop: S}\n"
    column = text.split("\n")[6].find(at) + 1
    assert codes(text) == ([("error", code, 7, column)] if code else [])
    assert words in "".join(found.message for found in defined(text).problems)


@pytest.mark.parametrize(
    ("limits", "severities"),
    [
        ({}, ["warning", "warning"]),
        ({"text": "error"}, ["warning", "error"]),
        ({"text": "off", "caption": "error"}, ["error"]),
        ({"text": "off", "caption": "off"}, []),
        ({"max_text": 5000, "max_caption": 500}, []),
    ],
)
def test_undocumented_limits_warn_fail_or_are_silent(limits: dict[str, object], severities: list[str]) -> None:
    content = "{type: button, caption: " + "c" * 31 + ", text: " + "t" * 1001 + ", button_link: https://a.by}"
    text = campaign(content, kind="bulk", audience=BULK)
    assert sorted(severity for severity, code, _, _ in codes(text, **limits) if code == "CK402") == sorted(severities)
    exact = text.replace("c" * 31, "c" * 30).replace("t" * 1001, "t" * 1000)
    assert codes(exact) == []


def test_a_broken_mailing_hides_no_problem_of_another() -> None:
    text = (
        campaign('{type: txt, text: "a"}')
        + campaign('{type: text, text: "{{ nope }}"}', kind="bulk", audience=BULK).split("mailings:\n")[1]
    )
    text = text.replace("name: one", "name: two", 1)
    assert {code for _, code, _, _ in codes(text)} >= {"CK104", "CK202"}


def test_the_definition_moves_with_what_is_defined_and_not_with_the_audience() -> None:
    base = mailing(TEXT).definition
    assert mailing(TEXT, audience="{file: b.csv}").definition == base
    for other in (
        mailing('{type: text, text: "Ho"}'),
        mailing(TEXT, head="sender: other"),
        mailing(TEXT, head="sender: shop\nschedule_time: 2094-12-01T10:00"),
        mailing(TEXT, head="sender: shop\nvariables: {a: 1}"),
        mailing(TEXT, kind="bulk", audience=BULK),
    ):
        assert other.definition != base


def bound(content: str, header: list[str], audience: str = "{file: a.csv}", head: str = "sender: shop") -> list[tuple[str, int, str, str]]:
    _, problems = bind(mailing(content, audience=audience, head=head), header, Place("a.csv", 1))
    return [(p.code, p.place.line, p.message, p.hint) for p in problems]


NAMED = '{type: text, text: "Hi {{ name }}"}'


@pytest.mark.parametrize(
    ("header", "audience", "head", "code", "line", "words"),
    [
        (["phone", "nmae"], "{file: a.csv}", "sender: shop", "CK202", 7, "did you mean 'name'|nmae"),
        (["fone", "name"], "{file: a.csv}", "sender: shop", "CK308", 6, "no column 'phone' for phones"),
        (["phone", "name"], "{file: a.csv, phone: tel}", "sender: shop", "CK308", 6, "no column 'tel' for phones"),
        (["phone"], '{file: a.csv, columns: {name: "Имя"}}', "sender: shop", "CK308", 6, "no column 'Имя'"),
        (["phone", "name", "name"], "{file: a.csv}", "sender: shop", "CK307", 1, "two columns are called 'name'"),
        (["phone", "Имя к", "Имя к"], '{file: a.csv, columns: {name: "Имя к"}}', "sender: shop", "CK307", 1, "two columns"),
        (["phone", "name"], "{file: a.csv}", "sender: shop\nvariables: {name: x}", "CK205", 3, "both a column"),
        (["phone", "name"], "{file: a.csv, where: tier == 1}", "sender: shop", "CK202", 6, "'tier'"),
        (["phone", "name"], '{file: a.csv, where: "name) %}1{% endif %}{% if (name"}', "sender: shop", "CK207", 6, "no single condition"),
        (["phone", "name"], '{file: a.csv, where: "name, phone"}', "sender: shop", "CK207", 6, "no single condition"),
        (["phone", "name"], "{file: a.csv, where: name.upper()}", "sender: shop", "CK203", 6, "upper()"),
    ],
)  # fmt: skip
def test_names_that_do_not_fit_the_audience_are_errors(
    header: list[str], audience: str, head: str, code: str, line: int, words: str
) -> None:
    shift = head.count("\n")
    found = bound(NAMED, header, audience, head)
    wanted = line if code in {"CK307", "CK205"} else line + shift
    assert (code, wanted) in [(one, at) for one, at, _, _ in found]
    assert any(part in message + hint for part in words.split("|") for _, _, message, hint in found)


def test_headers_that_are_no_names_are_reached_by_an_alias() -> None:
    one = mailing(NAMED, audience='{file: a.csv, phone: tel, columns: {name: "Имя клиента", tel: "№ телефона"}}')
    columns, problems = bind(one, ["Имя клиента", "№ телефона", "№ телефона 2"], Place("a.csv", 1))
    assert problems == []
    assert columns is not None
    assert (columns.phone, columns.at["name"], columns.used) == (1, 0, ("name",))


def test_a_template_fault_is_found_in_a_block_scalar() -> None:
    text = campaign("\n      type: text\n      text: |\n        Hi\n        dear {{ nmae }},\n        bye {{ name }}\n")
    (one,) = defined(text).mailings
    _, problems = bind(one, ["phone", "name"], Place("a.csv", 1))
    assert [(p.code, p.place.line, p.place.column, p.place.width) for p in problems] == [("CK202", 11, 17, 4)]
