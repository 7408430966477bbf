"""A scenario file is read strictly: a fault that never fires would make a test pass for nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from campaignkit.sandbox import scenario as scenario_module
from campaignkit.sandbox.fault_book import FaultBook
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
    assert scenario.refusal("spring/last-day 1of1") == "Not enough money"


def test_every_kind_and_method_is_documented() -> None:
    assert [kind for kind in OPTIONS if f"`{kind}`" not in str(scenario_module.__doc__)] == []
    assert {method.name for method in ROUTES.values()} == set(METHODS)


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
