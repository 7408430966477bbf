"""The project that ships with the source: its files fit the schemas and keep the promises of their comments."""

import csv
import json
import re
from collections import Counter
from typing import Any

import phonenumbers
import pytest

from .documents import ROOT, parse, problems

CAMPAIGNS = sorted((ROOT / "campaigns").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema="

# The sample request of the provider's documentation, without token, callback and names.
IMAGE, ACTION = "https://example-site.com/images/image.jpg", "https://example-site.com/some_action"
ONE, TWO = "375291111111", "375292222222"
SAMPLE: list[dict[str, Any]] = [
    {
        "message_type": "personal",
        "content": {"type": "button", "image_url": IMAGE, "caption": "Push me"},
        "delivery_list": [
            {"phone": ONE, "text": "personal message 1.1", "button_link": f"{ACTION}/1"},
            {"phone": TWO, "text": "personal message 1.2", "button_link": f"{ACTION}/2"},
        ],
    },
    {
        "message_type": "personal",
        "content": {"type": "text"},
        "delivery_list": [
            {"phone": ONE, "text": "personal message 2.1"},
            {"phone": TWO, "text": "personal message 2.2"},
        ],
    },
    {
        "message_type": "bulk",
        "content": {
            "type": "button",
            "image_url": IMAGE,
            "button_link": ACTION,
            "caption": "Button",
            "text": "message text 3",
        },
        "delivery_list": [ONE, TWO],
    },
    {"message_type": "bulk", "content": {"type": "text", "text": "message text 4"}, "delivery_list": [ONE, TWO]},
    {"message_type": "bulk", "content": {"type": "image", "image_url": IMAGE}, "delivery_list": [ONE, TWO]},
]


def filled(template: str, row: dict[str, str]) -> str:
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: row[found[1]], template)


def compiled(campaign: dict[str, Any]) -> list[dict[str, Any]]:
    """The little of compiling that the documentation's campaign needs."""
    messages = []
    for number, mailing in enumerate(campaign["mailings"], 1):
        content, audience = dict(mailing["content"]), mailing["audience"]
        delivery: list[Any] = audience.get("phones", [])
        if mailing["message_type"] == "personal":
            own = {key: content.pop(key) for key in ("text", "button_link") if key in content}
            delivery = [{"phone": row["phone"], **{key: filled(value, row) for key, value in own.items()}} for row in audience["rows"]]
        messages.append(
            {
                "alphaname_id": str(campaign["alphaname_id"]),
                "name": f"mailing list {number}",
                "message_type": mailing["message_type"],
                "schedule_time": campaign["schedule_time"],
                "content": content,
                "delivery_list": delivery,
            }
        )
    return messages


def test_the_project_file_fits_its_schema() -> None:
    text = (ROOT / "campaignkit.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"{MODELINE}schemas/project.schema.json\n")
    project = parse(text)
    assert problems("project", project) == []
    assert project["default_environment"] == "sandbox"
    assert project["environments"]["sandbox"]["base_url"] == "sandbox"
    assert all((ROOT / name).is_file() for name in project["suppress"])


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_a_campaign_fits_its_schema_and_its_file(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"{MODELINE}../schemas/campaign.schema.json\n")
    campaign = parse(text)
    assert problems("campaign", campaign) == []
    assert campaign["campaign"] == path.stem
    names = [mailing["name"] for mailing in campaign["mailings"]]
    assert len(names) == len(set(names))


def test_the_examples_are_these() -> None:
    assert [path.stem for path in CAMPAIGNS] == ["documentation", "last-day", "loyal-customers"]


def test_the_documentations_campaign_is_its_sample_request_key_by_key() -> None:
    campaign = parse((ROOT / "campaigns" / "documentation.yaml").read_text(encoding="utf-8"))
    assert [mailing["name"] for mailing in campaign["mailings"]] == [f"list-{number}" for number in range(1, 6)]
    head = {"alphaname_id": "444", "schedule_time": "2024-10-30T22:56:00"}
    expected = [{**head, "name": f"mailing list {number}", **message} for number, message in enumerate(SAMPLE, 1)]
    assert compiled(campaign) == expected
    assert problems("compile", [{"messages": expected, "callback_url": "http://example-site.com/webhook.php"}]) == []


def digits(written: str) -> str:
    """The phone as the provider wants it; it must be a Belarusian mobile one."""
    bare = re.sub(r"\D", "", written)
    number = phonenumbers.parse(f"+{bare}" if bare.startswith("375") else written, "BY")
    assert phonenumbers.is_valid_number(number), written
    assert phonenumbers.region_code_for_number(number) == "BY", written
    assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE, written
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).removeprefix("+")


def test_the_audience_is_what_its_campaign_says_of_it() -> None:
    with (ROOT / "campaigns" / "audiences" / "loyal.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    kept = [row for row in rows if row["tier"] != "former"]
    people = {digits(row["phone"]) for row in rows}
    reached = {digits(row["phone"]) for row in kept}
    assert (len(rows), len(rows) - len(kept), len(kept) - len(reached), len(reached)) == (1024, 19, 5, 1000)
    assert len(people) == 1019  # those left out have phones of their own
    exact = [row for row, times in Counter(tuple(row.values()) for row in rows).items() if times > 1]
    assert len(exact) == 3
    content = {(digits(row["phone"]), *list(row.values())[1:]) for row in kept}
    assert len(content) == len(reached)  # no phone has two contents
    assert all(value or column == "note" for row in rows for column, value in row.items())


def test_the_audience_holds_what_makes_audiences_hard() -> None:
    text = (ROOT / "campaigns" / "audiences" / "loyal.csv").read_text(encoding="utf-8")
    for piece in ("\n375", "\n+375 (29) ", "\n8029", "\n8 (033) ", "🌸", 'Мария ""Маша""', "Пётр, младший", "Ўладзімір", "&"):
        assert piece in text, piece


# --- outputs: one bad document each, so that their strictness is no accident

MESSAGE: dict[str, Any] = {
    "alphaname_id": "444",
    "name": "a/b 1of1 ck-0",
    "message_type": "bulk",
    "content": {"type": "text", "text": "x"},
    "delivery_list": [ONE],
}


@pytest.mark.parametrize(
    ("change", "at", "keyword"),
    [
        ({"token": "x"}, "", "additionalProperties"),
        ({"alphaname_id": 444}, ".alphaname_id", "type"),
        ({"name": "a: b"}, ".name", "pattern"),
        ({"name": "я"}, ".name", "pattern"),
        ({"name": "a" * 101}, ".name", "pattern"),
        ({"schedule_time": "2094-12-01T10:00"}, ".schedule_time", "pattern"),
        ({"delivery_list": []}, ".delivery_list", "minItems"),
        ({"delivery_list": ["+375291111111"]}, ".delivery_list[0]", "pattern"),
        ({"delivery_list": [{"phone": ONE}]}, ".delivery_list[0]", "type"),
        ({"message_type": "personal", "content": {"type": "text"}}, ".delivery_list[0]", "type"),
        ({"content": {"type": "image"}}, ".content", "required"),
        ({"content": {"type": "text", "text": "x", "caption": "y"}}, ".content.caption", "not"),
        ({"content": {"type": "button", "caption": "y"}}, ".content", "required"),
        (
            {"content": {"type": "button", "caption": "y", "button_link": "https://a.by/" + "x" * 150}},
            ".content.button_link",
            "maxLength",
        ),
    ],
)
def test_a_body_the_provider_would_refuse_fails(change: dict[str, Any], at: str, keyword: str) -> None:
    assert problems("compile", [{"messages": [MESSAGE]}]) == []
    assert problems("compile", [{"messages": [{**MESSAGE, **change}]}]) == [(f"$[0].messages[0]{at}", keyword)]


def example(name: str) -> dict[str, Any]:
    loaded = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))["examples"][0]
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize(
    ("name", "change", "at", "keyword"),
    [
        ("plan", {"digest": "abc"}, "$.digest", "pattern"),
        ("plan", {"summary": {}}, "$.summary", "required"),
        ("plan", {"extra": 1}, "$", "additionalProperties"),
        ("plan", {"sandbox": False}, "$.sandbox", "const"),
        ("planfile", {"kind": "plan"}, "$.kind", "const"),
        ("planfile", {"selection": ["A"]}, "$.selection[0]", "pattern"),
        ("status", {"campaigns": [{}]}, "$.campaigns[0]", "required"),
        ("refresh", {"statuses": {"NEW": -1}}, "$.statuses.NEW", "minimum"),
        ("diagnostics", {"summary": {"errors": 0, "warnings": 0}}, "$.summary", "required"),
        ("apply-record", {"people": 1}, "$", "additionalProperties"),
        ("apply-record", {"accepted": "1"}, "$.accepted", "type"),
        ("apply-record", {"type": "request"}, "$", "required"),
        ("render", {"messages": [{}]}, "$.messages[0]", "required"),
        ("resolve", {"requests": {}}, "$.requests", "type"),
        ("state-list", {"serial": -1}, "$.serial", "minimum"),
        ("state-show", {"origin": ""}, "$.origin", "minLength"),
        ("state-export", {"phones": []}, "$", "additionalProperties"),
    ],
)
def test_an_output_out_of_shape_fails(name: str, change: dict[str, Any], at: str, keyword: str) -> None:
    assert problems(name, example(name)) == []
    assert (at, keyword) in problems(name, {**example(name), **change})


def test_apply_may_print_records_of_types_added_later() -> None:
    assert problems("apply-record", {"type": "progress", "requests": 3}) == []
