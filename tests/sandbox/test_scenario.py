"""A scenario file is read strictly: a fault that never fires would make a test pass for nothing."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from campaignkit.sandbox import scenario as scenario_module
from campaignkit.sandbox.fault_book import FaultBook
from campaignkit.sandbox.replies import Reply
from campaignkit.sandbox.routes import ROUTES
from campaignkit.sandbox.scenario import METHODS, Fault, Scenario, ScenarioError, load_scenario
from campaignkit.sandbox.scenario_reading import OPTIONS, read_scenario

if TYPE_CHECKING:
    from pathlib import Path


def test_the_example_in_the_documentation_loads(tmp_path: Path) -> None:
    text = str(scenario_module.__doc__)
    path = tmp_path / "scenario.json"
    path.write_text(text[text.index("    {") : text.index("\n\n| key")])
    scenario = load_scenario(path)
    assert scenario.faults[0] == Fault(method="sendBulkViber", kind="http_500_after", nth=frozenset({2}))
    assert scenario.faults[1] == Fault(method="sendBulkViber", kind="throttle", match="sale", times=3, retry_after=1)
    assert scenario.script("375291111111") == ("NEW", "SENT", "UNDELIVERED")
    assert scenario.script("375291111177") == ()
    assert scenario.script("375292222222") is None
    assert scenario.script("375291111188") == ("NEW", "FAILED:9")
    assert scenario.refusal("spring/last-day 1of1") == "Not enough money"
    assert scenario.replies == (Reply(phone="*1111", text="Is it open on Sunday?", after=5),)
    assert scenario.lists == {77: ("375291111111", "375292222222")}
    assert (scenario.balance, scenario.repeat_confirm) == (Decimal("1.50"), "ok")


def test_every_kind_and_method_is_documented() -> None:
    assert [kind for kind in OPTIONS if f"`{kind}`" not in str(scenario_module.__doc__)] == []
    assert {method.name for method in ROUTES.values()} == set(METHODS)
    keys = re.findall(r"^\| (`.*?) \|", str(scenario_module.__doc__), re.MULTILINE)
    documented = {key.strip("`") for cell in keys for key in cell.split(", ")}
    assert documented >= {field.name for field in fields(Scenario)}
    assert documented - set(OPTIONS) == {field.name for field in fields(Scenario)} | {"method", "fault", "nth", "match", "times"}


def fault(**changes: Any) -> dict[str, Any]:
    return {"faults": [{"method": "sendBulkViber", "fault": "slow"} | changes]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "must be an object"),
        ({"sed": 1}, "unknown key 'sed'"),
        ({"seed": "1"}, "seed must be a whole number"),
        ({"callbacks": "yes"}, "callbacks must be true or false"),
        ({"speed": 0}, "speed must be a number above 0"),
        ({"faults": {}}, "faults must be a list"),
        ({"faults": ["slow"]}, "faults[0] must be an object"),
        (fault(fault="http_600"), "faults[0].fault must be one of throttle"),
        (fault(fault=None), "faults[0].fault must be one of"),
        (fault(fault=["slow"]), "faults[0].fault must be one of"),
        (fault(method="sendBulkSms"), "faults[0].method must be one of sendBulkViber"),
        (fault(retry_after=1), "unknown key 'retry_after'"),
        (fault(nth=0), "faults[0].nth must be a whole number"),
        (fault(nth=[]), "faults[0].nth must not be empty"),
        (fault(times=True), "faults[0].times must be a whole number"),
        (fault(match=""), "faults[0].match must be a text"),
        (fault(seconds=-1), "faults[0].seconds must be a number above 0"),
        (fault(fault="drop_after", reset=1), "faults[0].reset must be true or false"),
        (fault(fault="http_500_after", status=404), "faults[0].status must be 500 to 599"),
        ({"phones": {"375291111111": "NEW"}}, "phones.375291111111 must be a list"),
        ({"phones": {"375291111111": [1]}}, "phones.375291111111 must be a text"),
        ({"refusals": {"a": 1}}, "refusals.a must be a text"),
        (fault(fault="http_400", shape="xml"), "faults[0].shape must be one of error, message"),
        (fault(fault="slow", shape="error"), "unknown key 'shape'"),
        ({"strict": 1}, "strict must be true or false"),
        ({"lists": []}, "lists must be an object"),
        ({"lists": {"shop": []}}, "lists.shop must be a list's number"),
        ({"lists": {"0": []}}, "lists.0 must be a list's number"),
        ({"lists": {"77": "375291111111"}}, "lists.77 must be a list of phones"),
        ({"balance": 100}, 'balance must be an amount as text, such as "0.049"'),
        ({"price": "0,049"}, "price must be an amount as text"),
        ({"repeat_confirm": True}, "repeat_confirm must be one of ok, error"),
        ({"replies": {}}, "replies must be a list"),
        ({"replies": [{"text": "a"}]}, "replies[0].phone must be a text"),
        ({"replies": [{"phone": "*"}]}, "replies[0].text must be a text"),
        ({"replies": [{"phone": "*", "text": "a", "after": 0}]}, "replies[0].after must be a number above 0"),
        ({"replies": [{"phone": "*", "text": "a", "when": 1}]}, "replies[0] has an unknown key 'when'"),
        ({"replies": [{"phone": "*", "text": "a"}] * 101}, "replies must be at most 100 rules"),
        ({"marks_at_most": 0}, "marks_at_most must be a whole number"),
        ({"listed": "quick"}, "listed must be a list"),
        ({"listed": ["sms"]}, "listed must be one of list, quick, bulk"),
        ({"ignore_offset": None}, "ignore_offset must be true or false"),
        ({"ids": "hex"}, "ids must be one of number, text"),
        ({"id_field": "uuid"}, "id_field must be one of message_id, viber_id"),
    ],
)
def test_a_mistake_is_named_with_its_place(document: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_absent_or_no_json_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load_scenario(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ScenarioError, match="not valid JSON"):
        load_scenario(tmp_path / "bad.json")


def test_a_phone_comes_before_an_ending_and_a_longer_ending_before_a_shorter() -> None:
    scenario = Scenario(phones={"*1": ["A"], "*11": ["B"], "375291111111": ["C"]})
    assert scenario.script("375291111111") == ["C"]
    assert scenario.script("375292222211") == ["B"]
    assert scenario.script("375292222221") == ["A"]


def picks(book: FaultBook, *names: str, calls: int = 4, method: str = "sendBulkViber") -> list[str | None]:
    found = [book.pick(method, lambda: names) for _ in range(calls)]
    return [None if one is None else one.kind for one in found]


def test_rules_fire_by_number_name_and_count() -> None:
    send = {"method": "sendBulkViber"}
    by_number = read_scenario({"faults": [send | {"nth": [2, 4], "fault": "slow"}]})
    assert picks(FaultBook(by_number.faults)) == [None, "slow", None, "slow"]
    by_count = read_scenario({"faults": [send | {"times": 2, "fault": "slow"}, send | {"nth": 3, "fault": "garbage"}]})
    assert picks(FaultBook(by_count.faults)) == ["slow", "slow", "garbage", None]
    by_name = read_scenario({"faults": [send | {"match": "sale", "fault": "slow"}]})
    assert picks(FaultBook(by_name.faults), "spring-sale", calls=1) == ["slow"]
    assert picks(FaultBook(by_name.faults), "winter", calls=1) == [None]
    assert picks(FaultBook(by_name.faults), "spring-sale", calls=1, method="statusBulkViber") == [None]


def test_what_is_said_of_absent_keys_is_so() -> None:
    usual = read_scenario({})
    assert usual == Scenario()
    assert {str(number): list(phones) for number, phones in usual.lists.items()} == {
        "77": ["375291111111", "375292222222", "375293333333", "375294444444"],
        "78": [],
    }
    assert (usual.balance, usual.price) == (Decimal(100), Decimal("0.049"))
    assert (usual.strict, usual.repeat_confirm, usual.marks_at_most, usual.listed) == (False, "error", None, frozenset({"list"}))
    assert (usual.ignore_offset, usual.ids, usual.id_field) == (False, "number", "message_id")
    assert [(reply.phone, reply.text) for reply in usual.replies] == [("*1111", "Thank you!"), ("*2222", "стоп")]
