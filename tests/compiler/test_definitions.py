"""A campaign file to its mailings: senders, times, content that is one for all, and everything wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from campaignkit.compiler.columns import bind
from campaignkit.compiler.fingerprints import fingerprints_of
from campaignkit.diagnostics import Place

from .rules import FIRST, PICTURE, campaign, defined, listed, mailing, quick, sound

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
        ("sender: idless", 2, "no alphaname_id", "bulk mailings and SMS go by alphaname_id: add it to the sender, or name another one"),
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


IMAGE = "{type: image, image: a.png}"
LINK = "{type: button, text: 'Hi {{ name }}', caption: C, button_link: 'https://a.by/{{ code }}'}"


def test_a_quick_mailing_is_personal_and_has_templates_for_each() -> None:
    found = sound(quick(LINK))
    assert (found.method, found.message_type, found.content_type, found.sender) == ("quick", "personal", "button", "12")
    assert found.once == {"type": "button", "caption": "C"}
    assert found.each == {"text": "Hi {{ name }}", "button_link": "https://a.by/{{ code }}"}
    assert (found.sms, found.list_id, found.expect, found.optouts_handled) == (("", 0), "", (None, None), False)
    assert sound(quick(more="message_type: personal")).definition == sound(quick()).definition


def test_a_list_mailing_has_one_text_for_all_and_no_type() -> None:
    found = sound(
        listed(
            "{type: button, text: 'Hi {{ shop }}', caption: C, button_link: https://a.by}", head="vibername_id: 12\nvariables: {shop: S}"
        )
    )
    assert (found.method, found.message_type, found.sender, found.list_id, found.each) == ("list", "", "12", "77", {})
    assert found.once == {"type": "button", "text": "Hi S", "caption": "C", "button_link": "https://a.by"}
    assert (found.audience, found.optouts_handled) == ({}, False)
    assert sound(listed(more="optouts: handled-by-provider")).optouts_handled


@pytest.mark.parametrize("make", [quick, listed])
@pytest.mark.parametrize(
    ("head", "more", "sender"),
    [
        ("vibername_id: 12", "", "12"),
        ("sender: both", "", "12"),
        ("sender: idless", "", "1"),
        ("sender: shop", "sender: both", "12"),
        ("sender: shop", "vibername_id: '9'", "9"),
        ("vibername_id: 12", "vibername_id: 9", "9"),
        ("vibername_id: 12", "sender: idless", "1"),
        ("alphaname_id: 444\nvibername_id: 12", "", "12"),
        ("alphaname_id: 444", "sender: both", "12"),
    ],
)
def test_a_viber_name_is_found_by_sender_or_number_and_a_mailings_own_wins(make: Any, head: str, more: str, sender: str) -> None:
    assert sound(make(head=head, more=more)).sender == sender


@pytest.mark.parametrize("make", [quick, listed])
@pytest.mark.parametrize(
    ("head", "more", "at", "words"),
    [
        ("revision: 1", "", (4, 5), "neither the mailing nor the campaign"),
        ("alphaname_id: 444", "", (4, 5), "comes from a Viber name, and the campaign's alphaname_id is none"),
        ("sender: shop", "", (2, 9), "the sender 'shop' has no vibername_id"),
        ("vibername_id: 12", "sender: shop", (8, 13), "the sender 'shop' has no vibername_id"),
        ("sender: nobody", "", (2, 9), "no sender is called 'nobody'"),
    ],
)
def test_a_viber_name_that_is_none_is_an_error_at_its_place(make: Any, head: str, more: str, at: tuple[int, int], words: str) -> None:
    (found,) = defined(make(head=head, more=more)).problems
    assert (found.code, (found.place.line, found.place.column)) == ("CK121", at)
    assert words in found.message
    assert found.hint or "nobody" in words
    assert [one.broken for one in defined(make(head=head, more=more)).mailings] == [True]


@pytest.mark.parametrize(
    ("fallback", "sms"),
    [
        ("{alphaname_id: 7, after_minutes: 5}", ("7", 5)),
        ("{alphaname_id: '7', after_minutes: 60}", ("7", 60)),
        ("{sender: shop, after_minutes: 30}", ("444", 30)),
        ("{sender: both, after_minutes: 30}", ("7", 30)),
    ],
)
def test_an_sms_stands_in_by_number_or_by_sender(fallback: str, sms: tuple[str, int]) -> None:
    assert sound(quick(more=f"sms_fallback: {fallback}")).sms == sms


@pytest.mark.parametrize(("name", "words"), [("idless", "the sender 'idless' has no alphaname_id"), ("shp", "no sender is called 'shp'")])
def test_an_sms_sender_that_is_none_is_an_error_at_its_place(name: str, words: str) -> None:
    result = defined(quick(more=f"sms_fallback: {{after_minutes: 30, sender: {name}}}"))
    assert [(one.code, one.place.line, one.place.column) for one in result.problems] == [("CK121", 8, 47)]
    assert words in result.problems[0].message
    assert result.mailings[0].broken


@pytest.mark.parametrize(
    ("bounds", "expect"),
    [("{min: 1, max: 5000}", (1, 5000)), ("{min: 0}", (0, None)), ("{max: 1}", (None, 1)), ("{min: 5, max: 5}", (5, 5))],
)
def test_the_subscribers_of_a_list_may_be_bounded(bounds: str, expect: tuple[int | None, int | None]) -> None:
    assert sound(listed(more=f"expect_subscribers: {bounds}")).expect == expect


def test_bounds_that_no_number_fits_are_an_error() -> None:
    result = defined(listed(more="expect_subscribers: {min: 5001, max: 5000}"))
    assert [(one.code, one.place.line, one.place.column) for one in result.problems] == [("CK124", 8, 25)]
    assert "min 5,001 is above max 5,000" in result.problems[0].message


LATER = "vibername_id: 12\nschedule_time: 2094-12-01T10:00:00"


def test_a_list_mailing_is_scheduled_to_the_minute() -> None:
    for text in (listed(head=LATER), listed(more="schedule_time: 2094-12-01T10:00")):
        when = sound(text).schedule
        assert when is not None
        assert (when.wire, when.utc.isoformat()) == ("2094-12-01 10:00", "2094-12-01T07:00:00+00:00")
    assert codes(listed(more="schedule_time: 2094-12-01T10:00:30")) == [("error", "CK501", 8, 20)]
    assert codes(listed(more="schedule_time: 2094-02-30T10:00")) == [("error", "CK501", 8, 20)]


def test_a_quick_mailing_is_never_scheduled_and_null_says_so() -> None:
    (found,) = defined(quick(head=LATER)).problems
    assert (found.code, found.place.line, found.place.column) == ("CK501", 3, 16)
    assert "'code' can't be scheduled" in found.message
    assert "schedule_time: null" in found.hint
    one = sound(quick(head=LATER, more="schedule_time: null"))
    assert (one.schedule, one.schedule_utc) == (None, "")
    assert codes(quick(more="schedule_time: 2094-12-01T10:00")) == [("error", "CK106", 8, 5)]


def test_a_local_picture_is_known_by_its_hash() -> None:
    for text in (quick(IMAGE), listed(IMAGE)):
        found = sound(text, PICTURE)
        assert (found.image, found.picture, found.broken) == (("campaigns/a.png", "ab" * 32), "sha256:" + "ab" * 32, False)
        assert found.once == {"type": "image"}


def test_a_mailing_whose_picture_was_refused_is_not_sent() -> None:
    result = defined(quick(IMAGE))
    assert (result.problems, result.mailings[0].broken, result.mailings[0].image) == ([], True, ("", ""))


@pytest.mark.parametrize(
    ("text", "at", "words", "hint"),
    [
        (listed('{type: text, text: "Hi {{ name }}"}'), 40, "in a list mailing only variables", "method: quick"),
        (quick('{type: button, caption: "{{ name }}", button_link: https://a.by}'), 42, "in caption, which there is once", "variables"),
        (quick('{type: image, image_url: "https://a.by/{{ name }}"}'), 56, "in image_url, which there is once", "variables"),
    ],
)
def test_what_is_once_for_all_uses_variables_only(text: str, at: int, words: str, hint: str) -> None:
    (found,) = defined(text).problems
    assert (found.code, found.place.line, found.place.column) == ("CK202", 7, at)
    assert words in found.message
    assert hint in found.hint
    assert "make the mailing personal" not in found.hint


def test_undocumented_limits_hold_for_lists_too() -> None:
    assert codes(listed("{type: text, text: " + "t" * 1001 + "}")) == [("warning", "CK402", 7, 33)]
    assert codes(listed('{type: text, text: " "}')) == [("error", "CK401", 7, 33)]


def test_the_definition_of_a_mailing_moves_with_all_that_changes_what_people_get() -> None:
    other = {FIRST: ("campaigns/a.png", "cd" * 32)}
    variants = [
        sound(text, images)
        for text, images in (
            (quick(), None),
            (quick(more="sms_fallback: {alphaname_id: 7, after_minutes: 30}"), None),
            (quick(more="sms_fallback: {alphaname_id: 7, after_minutes: 31}"), None),
            (quick(more="sms_fallback: {alphaname_id: 8, after_minutes: 30}"), None),
            (quick(head="vibername_id: 13"), None),
            (quick(IMAGE), PICTURE),
            (quick(IMAGE), other),
            (quick("{type: image, image_url: https://a.by/a.png}"), None),
            (listed(), None),
            (listed().replace("77", "78"), None),
            (listed(IMAGE), PICTURE),
            (listed(IMAGE), other),
            (listed(head=LATER), None),
        )
    ]
    assert len({one.definition for one in variants}) == len(variants)
    prints = {fingerprints_of(one)(["Hi"], [""])[0] for one in (*variants, mailing(TEXT), mailing(TEXT, kind="bulk", audience=BULK))}
    assert len(prints) == len(variants) + 2


def test_the_path_of_a_picture_is_no_part_of_what_people_get() -> None:
    moved = {FIRST: ("campaigns/images/b.png", "ab" * 32)}
    one, two = sound(quick(IMAGE), PICTURE), sound(quick(IMAGE), moved)
    assert fingerprints_of(one)([""], [""])[0] == fingerprints_of(two)([""], [""])[0]


def test_what_a_state_knows_of_bulk_mailings_goes_on_matching() -> None:
    """Golden: fingerprints and definitions as they were before there were other methods."""
    head = "sender: shop\nschedule_time: 2094-12-01T10:00:00"
    button = "{type: button, text: Hi, image_url: https://a.by/a.png, caption: C, button_link: https://a.by/}"
    one, two = mailing(TEXT), mailing(button, kind="bulk", audience=BULK, head=head)
    assert [fingerprints_of(one)(["Hi"], [""])[0].hex(), fingerprints_of(two)(["Hi"], ["https://a.by/"])[0].hex()] == GOLDEN_PRINTS
    assert [one.definition, two.definition] == GOLDEN_DEFINITIONS


GOLDEN_PRINTS = ["faae7d03779ff709c854aae7373d1fb1", "031f350dfcc506437252745a7f13a465"]
GOLDEN_DEFINITIONS = [
    "aef77de64abb3cf1198db3dd79c50835ce41b4d3982e09b202c3b6d7e5e79d1f",
    "e021f04377aacc2b9b02f49216095d5a039551f94636029adb9508e5cce03c02",
]
