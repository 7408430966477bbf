"""campaign.schema.json and project.schema.json: what they take, and where they say no."""

import copy
from typing import Any

import pytest

from .documents import parse, problems, validator

CAMPAIGN = """
campaign: spring-sale
sender: shop
mailings:
  - name: invitation
    message_type: personal
    audience: {file: audiences/loyal.csv}
    content: {type: button, text: "{{ first_name }}", caption: Choose, button_link: "{{ url }}"}
  - name: last-day
    message_type: bulk
    audience: {phones: ["375291111111", "+375 29 222-22-22"]}
    content: {type: text, text: Only today}
"""
PROJECT = """
version: 1
environments:
  sandbox: {base_url: sandbox, state: state/sandbox.db}
"""
GONE = object()


def changed(base: str, path: str, value: Any) -> Any:
    """The base document with one place set to another value, or taken away."""
    document = copy.deepcopy(parse(base))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    at = document
    for step in way:
        at = at.setdefault(step, {}) if isinstance(at, dict) and isinstance(step, str) else at[step]
    if value is GONE:
        del at[last]
    else:
        at[last] = parse(value)
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lifecycle", "closed"),
        ("revision", "3"),
        ("schedule_time", "2094-12-01T10:00:00"),
        ("schedule_time", "2094-12-01T10:00"),
        ("schedule_time", "2094-12-01T10:00+03:00"),
        ("schedule_time", "2094-12-01T10:00:00Z"),
        ("schedule_time", "null"),
        ("variables", "{shop_url: https://shop.example.by, points: 5, цена: 1.5, on: true}"),
        ("accept", "{resend: 120}"),
        ("moved_from", "spring"),
        ("vibername_id", GONE),
        ("mailings/0/sender", "outlet"),
        ("mailings/0/alphaname_id", "'444'"),
        ("mailings/0/moved_from", "invite"),
        ("mailings/0/schedule_time", "null"),
        ("mailings/0/audience/sha256", f"'{'9f' * 32}'"),
        ("mailings/0/audience/columns", "{first_name: Имя клиента}"),
        ("mailings/0/audience/where", "tier == 'gold'"),
        ("mailings/0/audience/max_invalid", "20"),
        ("mailings/0/audience/max_invalid", "0.5%"),
        ("mailings/0/audience/max_invalid", "100%"),
        ("mailings/0/audience/delimiter", '"\\t"'),
        ("mailings/0/audience/encoding", "cp1251"),
        ("mailings/0/audience/on_empty", "fail"),
        ("mailings/0/audience/on_conflict", "first"),
        ("mailings/0/audience", "{rows: [{phone: 375291111111, points: 5, first_name: , vip: true}]}"),
        ("mailings/0/audience", "{rows: [{Телефон: '375291111111'}], phone: Телефон}"),
        ("mailings/0/audience", "{phones: [375291111111]}"),
        ("mailings/0/content", "{type: button, caption: Go, button_link: https://example.by}"),
        ("mailings/1/content", "{type: image, image_url: https://example.by/1.jpg}"),
        ("mailings/1/content", "{type: button, image_url: a, text: b, caption: Go, button_link: https://example.by}"),
    ],
)
def test_a_good_campaign_passes(path: str, value: Any) -> None:
    document = parse(CAMPAIGN) if value is GONE else changed(CAMPAIGN, path, value)
    assert problems("campaign", document) == []


@pytest.mark.parametrize(
    ("path", "value", "at", "keyword"),
    [
        ("campaign", GONE, "$", "required"),
        ("mailings", GONE, "$", "required"),
        ("mailings", "[]", "$.mailings", "minItems"),
        ("mailings", "{name: x}", "$.mailings", "type"),
        ("mailing", "[]", "$", "additionalProperties"),
        ("campaign", "Spring", "$.campaign", "pattern"),
        ("campaign", "5", "$.campaign", "type"),
        ("campaign", "'" + "a" * 41 + "'", "$.campaign", "pattern"),
        ("campaign", '"spring\\n"', "$.campaign", "pattern"),
        ("campaign", "весна", "$.campaign", "pattern"),
        ("lifecycle", "paused", "$.lifecycle", "enum"),
        ("revision", "0", "$.revision", "minimum"),
        ("revision", "'2'", "$.revision", "type"),
        ("revision", "true", "$.revision", "type"),
        ("schedule_time", "2094-12-01 10:00", "$.schedule_time", "pattern"),
        ("schedule_time", "2094-13-01T10:00", "$.schedule_time", "pattern"),
        ("schedule_time", "2094-12-01T24:00", "$.schedule_time", "pattern"),
        ("schedule_time", "2094-12-01", "$.schedule_time", "pattern"),
        ("schedule_time", "٢٠٩٤-12-01T10:00", "$.schedule_time", "pattern"),
        ("schedule_time", "20941201", "$.schedule_time", "type"),
        ("variables", "{shop-url: x}", "$.variables", "pattern"),
        ("variables", "{x: [1]}", "$.variables.x", "type"),
        ("variables", "{x: null}", "$.variables.x", "type"),
        ("accept", "{resend: '5'}", "$.accept.resend", "type"),
        ("accept", "{recipients: 5}", "$.accept", "additionalProperties"),
        ("sender", GONE, "$.mailings[0]", "anyOf"),
        ("alphaname_id", "444", "$.alphaname_id", "not"),
        ("vibername_id", "12", "$.vibername_id", "not"),
        ("mailings/0/name", "last_day", "$.mailings[0].name", "pattern"),
        ("mailings/0/batch_size", "10", "$.mailings[0]", "additionalProperties"),
        ("mailings/0/message_type", "bulkk", "$.mailings[0].message_type", "enum"),
        ("mailings/0/message_type", GONE, "$.mailings[0]", "required"),
        ("mailings/0/content", GONE, "$.mailings[0]", "required"),
        ("mailings/0/audience", "{}", "$.mailings[0].audience", "anyOf"),
        ("mailings/0/audience", "loyal.csv", "$.mailings[0].audience", "type"),
        ("mailings/0/audience/phones", "['375291111111']", "$.mailings[0].audience.phones", "not"),
        ("mailings/0/audience/rows", "[{phone: '375291111111'}]", "$.mailings[0].audience.rows", "not"),
        ("mailings/1/audience/sha256", f"'{'9f' * 32}'", "$.mailings[1].audience.sha256", "not"),
        ("mailings/1/audience/columns", "{a: b}", "$.mailings[1].audience.columns", "not"),
        ("mailings/1/audience/phones", "[]", "$.mailings[1].audience.phones", "minItems"),
        ("mailings/1/audience/phones", "[3.5]", "$.mailings[1].audience.phones[0]", "type"),
        ("mailings/0/audience", "{rows: [{first_name: Анна}]}", "$.mailings[0].audience.rows[0]", "required"),
        ("mailings/0/audience", "{rows: [{phone: [1]}]}", "$.mailings[0].audience.rows[0].phone", "type"),
        ("mailings/0/audience/sha256", "9f2c", "$.mailings[0].audience.sha256", "pattern"),
        ("mailings/0/audience/columns", "{first name: a}", "$.mailings[0].audience.columns", "pattern"),
        ("mailings/0/audience/on_invalid", "ignore", "$.mailings[0].audience.on_invalid", "enum"),
        ("mailings/0/audience/on_conflict", "last", "$.mailings[0].audience.on_conflict", "enum"),
        ("mailings/0/audience/on_empty", "skip", "$.mailings[0].audience.on_empty", "enum"),
        ("mailings/0/audience/max_invalid", "5 %", "$.mailings[0].audience.max_invalid", "pattern"),
        ("mailings/0/audience/max_invalid", "'20'", "$.mailings[0].audience.max_invalid", "pattern"),
        ("mailings/0/audience/max_invalid", "101%", "$.mailings[0].audience.max_invalid", "pattern"),
        ("mailings/0/audience/max_invalid", "-1", "$.mailings[0].audience.max_invalid", "minimum"),
        ("mailings/0/audience/delimiter", "'|'", "$.mailings[0].audience.delimiter", "enum"),
        ("mailings/0/content/type", "video", "$.mailings[0].content.type", "enum"),
        ("mailings/0/content/type", GONE, "$.mailings[0].content", "required"),
        ("mailings/0/content/caption", GONE, "$.mailings[0].content", "required"),
        ("mailings/0/content/button_link", GONE, "$.mailings[0].content", "required"),
        ("mailings/0/content/colour", "red", "$.mailings[0].content", "additionalProperties"),
        ("mailings/0/content", "{type: image, image_url: a}", "$.mailings[0].message_type", "not"),
        ("mailings/1/content", "{type: image}", "$.mailings[1].content", "anyOf"),
        ("mailings/1/content", "{type: image, image_url: a, text: b}", "$.mailings[1].content.text", "not"),
        ("mailings/1/content", "{type: image, image_url: a, caption: b}", "$.mailings[1].content.caption", "not"),
        ("mailings/1/content", "{type: text}", "$.mailings[1].content", "required"),
        ("mailings/1/content/image_url", "a", "$.mailings[1].content.image_url", "not"),
        ("mailings/1/content/button_link", "a", "$.mailings[1].content.button_link", "not"),
        ("mailings/1/content/text", "''", "$.mailings[1].content.text", "minLength"),
        ("mailings/1/content/text", "5", "$.mailings[1].content.text", "type"),
    ],
)
def test_a_bad_campaign_fails_at_the_right_place(path: str, value: Any, at: str, keyword: str) -> None:
    found = problems("campaign", changed(CAMPAIGN, path, value))
    assert (at, keyword) in found
    expected = 2 if path == "sender" else 1  # each of the two mailings lacks one
    assert len(found) == expected, found


METHODS = """
campaign: welcome
sender: shop
mailings:
  - name: code
    method: quick
    audience: {file: audiences/new.csv}
    content: {type: button, text: "{{ first_name }}", image: images/hello.png, caption: Open, button_link: "{{ url }}"}
    sms_fallback: {alphaname_id: 7, after_minutes: 30}
  - name: news
    method: list
    list_id: 77
    expect_subscribers: {min: 1, max: 5000}
    optouts: handled-by-provider
    schedule_time: "2094-12-01T10:00:00"
    content: {type: image, image: images/news.jpg}
"""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sender", "shop"),
        ("mailings/0/message_type", "personal"),
        ("mailings/0/schedule_time", "null"),
        ("mailings/0/sms_fallback", "{sender: shop, after_minutes: 5}"),
        ("mailings/0/sms_fallback", "{alphaname_id: '7', after_minutes: 60}"),
        ("mailings/0/sms_fallback", GONE),
        ("mailings/0/content", "{type: text, text: a}"),
        ("mailings/0/content", "{type: image, image: a.png}"),
        ("mailings/0/content", "{type: image, image_url: https://a.by/a.png}"),
        ("mailings/1/list_id", "'77'"),
        ("mailings/1/list_id", "999999999999999999"),
        ("mailings/1/expect_subscribers", "{min: 0}"),
        ("mailings/1/expect_subscribers", "{max: 1}"),
        ("mailings/1/expect_subscribers", GONE),
        ("mailings/1/optouts", GONE),
        ("mailings/1/schedule_time", GONE),
        ("mailings/1/content", "{type: button, text: a, caption: b, button_link: c, image_url: d}"),
    ],
)
def test_good_quick_and_list_mailings_pass(path: str, value: Any) -> None:
    assert problems("campaign", changed(METHODS, path, value)) == []


@pytest.mark.parametrize(
    ("path", "value", "at", "keyword"),
    [
        ("mailings/0/method", "single", ".method", "enum"),
        ("mailings/0/message_type", "bulk", ".message_type", "not"),
        ("mailings/0/schedule_time", "'2094-12-01T10:00'", ".schedule_time", "not"),
        ("mailings/0/alphaname_id", "4", ".alphaname_id", "not"),
        ("mailings/0/list_id", "77", ".list_id", "not"),
        ("mailings/0/expect_subscribers", "{min: 1}", ".expect_subscribers", "not"),
        ("mailings/0/optouts", "handled-by-provider", ".optouts", "not"),
        ("mailings/0/audience", GONE, "", "required"),
        ("mailings/0/sms_fallback/after_minutes", "4", ".sms_fallback.after_minutes", "minimum"),
        ("mailings/0/sms_fallback/after_minutes", "61", ".sms_fallback.after_minutes", "maximum"),
        ("mailings/0/sms_fallback/after_minutes", "30m", ".sms_fallback.after_minutes", "type"),
        ("mailings/0/sms_fallback/after_minutes", GONE, ".sms_fallback", "required"),
        ("mailings/0/sms_fallback/alphaname_id", GONE, ".sms_fallback", "anyOf"),
        ("mailings/0/sms_fallback/sender", "shop", ".sms_fallback.alphaname_id", "not"),
        ("mailings/0/sms_fallback/vibername_id", "3", ".sms_fallback", "additionalProperties"),
        ("mailings/0/content/image_url", "https://a.by/a.png", ".content.image", "not"),
        ("mailings/0/content", "{type: text, text: a, image: a.png}", ".content.image", "not"),
        ("mailings/0/content/image", "''", ".content.image", "minLength"),
        ("mailings/0/content", "{type: image}", ".content", "anyOf"),
        ("mailings/1/audience", "{phones: ['375291111111']}", ".audience", "not"),
        ("mailings/1/message_type", "bulk", ".message_type", "not"),
        ("mailings/1/alphaname_id", "4", ".alphaname_id", "not"),
        ("mailings/1/sms_fallback", "{sender: shop, after_minutes: 5}", ".sms_fallback", "not"),
        ("mailings/1/list_id", GONE, "", "required"),
        ("mailings/1/list_id", "0", ".list_id", "minimum"),
        ("mailings/1/list_id", "-1", ".list_id", "minimum"),
        ("mailings/1/list_id", "1000000000000000000", ".list_id", "maximum"),
        ("mailings/1/list_id", "news", ".list_id", "pattern"),
        ("mailings/1/list_id", "'0'", ".list_id", "pattern"),
        ("mailings/1/list_id", "7.5", ".list_id", "type"),
        ("mailings/1/expect_subscribers", "{}", ".expect_subscribers", "anyOf"),
        ("mailings/1/expect_subscribers", "5", ".expect_subscribers", "type"),
        ("mailings/1/expect_subscribers", "{min: -1}", ".expect_subscribers.min", "minimum"),
        ("mailings/1/expect_subscribers", "{max: 0}", ".expect_subscribers.max", "minimum"),
        ("mailings/1/optouts", "ignored", ".optouts", "const"),
    ],
)
def test_a_bad_quick_or_list_mailing_fails_at_the_right_place(path: str, value: Any, at: str, keyword: str) -> None:
    mailing = f"$.mailings[{path.split('/')[1]}]"
    assert problems("campaign", changed(METHODS, path, value)) == [(f"{mailing}{at}", keyword)]


@pytest.mark.parametrize(
    ("path", "value", "at"),
    [
        ("list_id", "77", "list_id"),
        ("expect_subscribers", "{min: 1}", "expect_subscribers"),
        ("optouts", "handled-by-provider", "optouts"),
        ("sms_fallback", "{sender: shop, after_minutes: 5}", "sms_fallback"),
        ("content/image", "a.png", "content.image"),
    ],
)
@pytest.mark.parametrize("method", ["", "bulk"])
def test_what_belongs_to_other_methods_is_refused_in_a_bulk_mailing(path: str, value: str, at: str, method: str) -> None:
    base = CAMPAIGN.replace(
        "message_type: personal", f"message_type: personal\n    method: {method}" if method else "message_type: personal"
    )
    assert problems("campaign", changed(base, f"mailings/0/{path}", value)) == [(f"$.mailings[0].{at}", "not")]


def test_only_bulk_mailings_need_an_alphaname() -> None:
    document = changed(METHODS, "sender", GONE)
    assert problems("campaign", document) == []
    document["mailings"] += parse(CAMPAIGN)["mailings"]
    assert problems("campaign", document) == [("$.mailings[2]", "anyOf"), ("$.mailings[3]", "anyOf")]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("campaigns", "mailings"),
        ("timezone", "UTC"),
        ("timezone", "America/Argentina/Buenos_Aires"),
        ("senders", "{shop: {alphaname_id: 444, vibername_id: '12'}}"),
        ("suppress", "[stoplist.csv]"),
        ("price", "0.049 EUR"),
        ("price", "1 BYN"),
        ("defaults", "{batch_size: 1000, first_batch: 1, batches_per_request: 7}"),
        ("limits", "{text: error, caption: off, max_text: 900, max_caption: 25}"),
        *(
            ("environments/sandbox/base_url", url)
            for url in ("https://app.sms.by", "https://a.by:8443/x/", "http://127.0.0.1:8080", "http://localhost", "'http://[::1]:80/'")
        ),
        ("environments/sandbox/rate", "30/min"),
        ("environments/sandbox/rate", "0.5/s"),
        ("environments/sandbox/deadline", "500ms"),
        ("environments/sandbox/plan_max_age", "24h"),
        ("environments/sandbox/max_cost", "50 EUR"),
        ("environments/sandbox/max_recipients", "0"),
        ("environments/sandbox/callback_url", "https://hooks.example.by/ck?x=1"),
        ("environments/sandbox/stop_rules", "{unknown_in_first: 3, unknowns: 3, throttles: 5, refusals: 0}"),
        ("environments/sandbox/provider", "{throttled_is: unknown, error_in_200_is: unknown}"),
        ("environments/sandbox/provider", "{drafts_are_inert: true}"),
        ("environments/sandbox/test_phones", "[375291111111, '+375 29 222-22-22']"),
        ("environments/sandbox/test_limit", "0"),
        ("environments/sandbox/inbox_age", "720h"),
        ("optout_words", "[]"),
        ("optout_words", "[a, не пиши мне, " + "b" * 40 + "]"),
        ("senders", "{shop: {vibername_id: 12}}"),
        ("environments/staging-2", "{base_url: sandbox, state: state/s.db, token_in: body, in_flight: 4}"),
    ],
)
def test_a_good_project_passes(path: str, value: str) -> None:
    assert problems("project", changed(PROJECT, path, value)) == []


ENV = "$.environments.sandbox"


@pytest.mark.parametrize(
    ("path", "value", "at", "keyword"),
    [
        ("version", GONE, "$", "required"),
        ("version", "2", "$.version", "const"),
        ("version", "'1'", "$.version", "const"),
        ("environments", GONE, "$", "required"),
        ("environments", "{}", "$.environments", "minProperties"),
        ("environment", "{}", "$", "additionalProperties"),
        ("timezone", "Minsk time", "$.timezone", "pattern"),
        ("timezone", "../../etc/passwd", "$.timezone", "pattern"),
        ("timezone", "'+03:00'", "$.timezone", "pattern"),
        ("senders", "{shop: {}}", "$.senders.shop", "anyOf"),
        ("senders", "{shop: {vibername_id: 1000000000000000000}}", "$.senders.shop.vibername_id", "maximum"),
        ("optout_words", "['']", "$.optout_words[0]", "pattern"),
        ("optout_words", "[' стоп']", "$.optout_words[0]", "pattern"),
        ("optout_words", "['стоп ']", "$.optout_words[0]", "pattern"),
        ("optout_words", '["a\\nb"]', "$.optout_words[0]", "pattern"),
        ("optout_words", "['" + "a" * 41 + "']", "$.optout_words[0]", "pattern"),
        ("optout_words", "стоп", "$.optout_words", "type"),
        ("environments/sandbox/test_phones", "375291111111", f"{ENV}.test_phones", "type"),
        ("environments/sandbox/test_phones", "[-1]", f"{ENV}.test_phones[0]", "minimum"),
        ("environments/sandbox/test_limit", "-1", f"{ENV}.test_limit", "minimum"),
        ("environments/sandbox/inbox_age", "14", f"{ENV}.inbox_age", "type"),
        ("environments/sandbox/provider", "{drafts_are_inert: sure}", f"{ENV}.provider.drafts_are_inert", "type"),
        ("senders", "{shop: 444}", "$.senders.shop", "type"),
        ("senders", "{shop: {alphaname_id: 0}}", "$.senders.shop.alphaname_id", "minimum"),
        ("senders", "{shop: {alphaname_id: SHOP}}", "$.senders.shop.alphaname_id", "pattern"),
        ("senders", "{my shop: {alphaname_id: 4}}", "$.senders", "pattern"),
        ("suppress", "stoplist.csv", "$.suppress", "type"),
        ("price", "0.049", "$.price", "type"),
        ("price", "0,049 EUR", "$.price", "pattern"),
        ("price", "0.049 euro", "$.price", "pattern"),
        ("defaults", "{batch_size: 0}", "$.defaults.batch_size", "minimum"),
        ("defaults", "{batch_size: 1001}", "$.defaults.batch_size", "maximum"),
        ("defaults", "{batchsize: 10}", "$.defaults", "additionalProperties"),
        ("limits", "{text: fail}", "$.limits.text", "enum"),
        ("environments/Production", "{base_url: sandbox, state: s.db}", "$.environments", "pattern"),
        ("environments/sandbox/base_url", GONE, ENV, "required"),
        ("environments/sandbox/state", GONE, ENV, "required"),
        ("environments/sandbox/base_url", "http://app.sms.by", f"{ENV}.base_url", "pattern"),
        ("environments/sandbox/base_url", "http://localhost.evil.example", f"{ENV}.base_url", "pattern"),
        ("environments/sandbox/base_url", "https://user:pass@app.sms.by", f"{ENV}.base_url", "pattern"),
        ("environments/sandbox/base_url", "https://app.sms.by?token=x", f"{ENV}.base_url", "pattern"),
        ("environments/sandbox/base_url", "app.sms.by", f"{ENV}.base_url", "pattern"),
        ("environments/sandbox/limits", "{text: error}", ENV, "additionalProperties"),
        ("environments/sandbox/token", "abc", ENV, "additionalProperties"),
        ("environments/sandbox/rate", "1", f"{ENV}.rate", "type"),
        ("environments/sandbox/rate", "0/s", f"{ENV}.rate", "pattern"),
        ("environments/sandbox/rate", "1 / s", f"{ENV}.rate", "pattern"),
        ("environments/sandbox/deadline", "60", f"{ENV}.deadline", "type"),
        ("environments/sandbox/deadline", "1 minute", f"{ENV}.deadline", "pattern"),
        ("environments/sandbox/deadline", "0s", f"{ENV}.deadline", "pattern"),
        ("environments/sandbox/in_flight", "0", f"{ENV}.in_flight", "minimum"),
        ("environments/sandbox/token_in", "header", f"{ENV}.token_in", "enum"),
        ("environments/sandbox/max_recipients", "-1", f"{ENV}.max_recipients", "minimum"),
        ("environments/sandbox/max_cost", "50", f"{ENV}.max_cost", "type"),
        ("environments/sandbox/callback_url", "hooks.example.by", f"{ENV}.callback_url", "pattern"),
        ("environments/sandbox/stop_rules", "{unknowns: -1}", f"{ENV}.stop_rules.unknowns", "minimum"),
        ("environments/sandbox/provider", "{throttled_is: sent}", f"{ENV}.provider.throttled_is", "enum"),
    ],
)
def test_a_bad_project_fails_at_the_right_place(path: str, value: Any, at: str, keyword: str) -> None:
    assert problems("project", changed(PROJECT, path, value)) == [(at, keyword)]


def test_a_failure_carries_the_plain_sentence_beside_its_keyword() -> None:
    """What the checker relies on: `error.schema` is the object whose keyword failed."""
    document = changed(CAMPAIGN, "mailings/0/content", "{type: image, image_url: a}")
    (error,) = validator("campaign").iter_errors(document)
    assert isinstance(error.schema, dict)
    assert "bulk" in error.schema["x-message"]


def test_all_problems_are_found_at_once() -> None:
    document = changed(CAMPAIGN, "mailings/0/content", "{type: text, caption: x, typo: y}")
    document["lifecycle"] = "paused"
    content = "$.mailings[0].content"
    assert problems("campaign", document) == [
        ("$.lifecycle", "enum"),
        (content, "additionalProperties"),
        (content, "required"),
        (f"{content}.caption", "not"),
    ]
