"""Replies, opt-outs, test messages and the provider's records, end to end: the command, a provider in another process, real HTTP."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.places import Provider, Ran, Workplace, wait_until
from tests.canary import TOKEN
from tests.schemas.documents import problems

ONE, TWO, THREE, FOUR = "375291111111", "375292222222", "375293333333", "375294444444"
TEAM = "375299999999"
PROJECT = """\
version: 1
default_environment: sandbox
senders:
  shop: {{alphaname_id: 444, vibername_id: 12}}
environments:
  sandbox: {{base_url: sandbox, state: state/sandbox.db}}
  live: {{base_url: "{url}", state: state/live.db, rate: 10000/s, test_phones: ["+375 29 999-99-99"], test_limit: 3}}
"""
CAMPAIGN = """\
campaign: spring
sender: shop
mailings:
  - name: invitation
    message_type: bulk
    audience: {phones: ["375291111111"]}
    content: {type: text, text: Only today}
  - name: code
    method: quick
    audience: {rows: [{phone: "375292222222", who: Ann}, {phone: "375293333333", who: Bob}]}
    content: {type: text, text: "Hi {{ who }}"}
"""
LIST = """\
  - name: news
    method: list
    list_id: 77
    content: {type: text, text: News}
"""
Start = Callable[..., Provider]


@pytest.fixture
def start(place: Workplace, serve: Callable[..., Provider]) -> Start:
    """A project of all three methods before a served sandbox, its state made; nothing is sent yet."""

    def begin(scenario: dict[str, Any] | None = None, *, campaign: str = CAMPAIGN) -> Provider:
        provider = serve({"speed": 1000.0, "replies": []} | (scenario or {}))
        place.env |= {"CAMPAIGNKIT_TOKEN_LIVE": TOKEN, "CAMPAIGNKIT_ENV": "live"}
        place.write("campaignkit.yaml", PROJECT.format(url=provider.url))
        place.write("campaigns/spring.yaml", campaign)
        place.ok("state", "init")
        return provider

    return begin


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The same project before a provider that is not there: nothing of it changes."""
    place = Workplace(tmp_path_factory.mktemp("idle"), {"CAMPAIGNKIT_TOKEN_LIVE": TOKEN, "CAMPAIGNKIT_ENV": "live"})
    place.write("campaignkit.yaml", PROJECT.format(url="http://127.0.0.1:1"))
    place.write("campaigns/spring.yaml", CAMPAIGN)
    place.ok("state", "init")
    return place


def said(phone: str, text: str, **more: Any) -> dict[str, Any]:
    return {"phone": phone, "text": text, "after": 0.1} | more


def pulled(place: Workplace, number: int) -> None:
    """Pull until so many replies are stored: they arrive over time."""

    def all_there() -> bool:
        place.ok("inbox", "pull", "-q")
        return len(replies(place)) >= number

    wait_until(all_there, 60)


def replies(place: Workplace, *words: str) -> list[dict[str, Any]]:
    document = place.ok("inbox", "list", "--reveal", "--format", "json", *words).json
    assert problems("inbox-list", document) == []
    found: list[dict[str, Any]] = document["replies"]
    return found


def table(ran: Ran) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ran.out)))


def last_line(ran: Ran) -> str:
    return ran.err.rstrip().rsplit("\n", 1)[-1]


def test_replies_are_pulled_listed_and_marked(place: Workplace, start: Start) -> None:
    start({"replies": [said(ONE, "=HYPERLINK(1)\x1b[2J"), said(TWO, "Is it open?"), said(FOUR, "Thanks")]}, campaign=CAMPAIGN + LIST)
    place.ok("apply", "--auto-approve")
    pulled(place, 5)  # two of them are reached by the list, too
    stored = replies(place)
    assert sorted((one["phone"], one["mailing"], one["method"]) for one in stored) == [
        (ONE, "invitation", "bulk"),
        (ONE, "news", "list"),
        (TWO, "code", "quick"),
        (TWO, "news", "list"),
        (FOUR, "news", "list"),
    ]
    shown = place.ok("inbox", "list")
    assert "\x1b" not in shown.out
    assert ONE not in shown.out
    rows = table(place.ok("inbox", "list", "--format", "csv", "--phone", "+375 29 111-11-11"))
    assert {row["text"] for row in rows} == {"'=HYPERLINK(1)\\x1b[2J"}
    assert replies(place, "--campaign", "spring") == stored
    assert replies(place, "--since", "2094-01-01") == []
    acked = place.ok("inbox", "ack", str(stored[0]["id"]), "--format", "json").json
    assert problems("inbox-ack", acked) == []
    assert (acked["replies"], acked["acked"]) == (1, 1)
    assert [one["id"] for one in replies(place, "--unread")] == [one["id"] for one in stored[1:]]
    everything = place.ok("inbox", "ack", "--format", "json").json
    assert everything["acked"] == len(stored) - 1
    assert replies(place, "--unread") == []
    again = place.ok("inbox", "pull", "--format", "json").json
    assert problems("inbox-pull", again) == []
    assert (again["new"], again["failures"]) == ([], [])
    nothing = place.ok("inbox", "ack", "--format", "json").json
    assert (nothing["replies"], nothing["acked"]) == (0, 0)


def test_fewer_marked_than_asked_are_asked_again(place: Workplace, start: Start) -> None:
    start({"replies": [said(TWO, "one"), said(TWO, "two"), said(TWO, "three")], "marks_at_most": 1})
    place.ok("apply", "--auto-approve")
    pulled(place, 3)
    for left in (2, 1):
        ran = place.run("inbox", "ack")
        assert ran.code == 10
        assert "the provider says that it marked 1" in ran.err
        assert f"{left} the provider still shows as new" in ran.err
        assert last_line(ran) == "campaignkit inbox ack --env live"
        assert len(replies(place, "--unread")) == left
    place.ok("inbox", "ack")
    assert replies(place, "--unread") == []


def test_a_mark_whose_answer_is_lost_is_found_out(place: Workplace, start: Start) -> None:
    lost = {"method": "readResponseStatus", "fault": "drop_after", "nth": [1, 2, 3]}
    start({"replies": [said(TWO, "one")], "faults": [lost]})
    place.ok("apply", "--auto-approve")
    pulled(place, 1)
    ran = place.run("inbox", "ack")
    assert (ran.code, last_line(ran)) == (10, "campaignkit inbox ack --env live")
    assert len(replies(place, "--unread")) == 1
    place.ok("inbox", "ack")  # the provider marks nobody twice; what it does not show as new any more is marked
    assert replies(place, "--unread") == []


def test_opt_outs_come_from_replies_and_from_people(place: Workplace, start: Start) -> None:
    start({"replies": [said(TWO, " СТОП! "), said(THREE, "please stop it")]})
    place.ok("apply", "--auto-approve")
    pulled(place, 2)
    document = place.ok("optouts", "list", "--format", "json", "--reveal").json
    assert problems("optouts-list", document) == []
    [out] = document["optouts"]
    assert (out["phone"], out["reason"]) == (TWO, "replied with the word 'стоп'")
    listed = place.ok("inbox", "list")
    assert "may want to opt out: please stop it" in listed.out
    command = last_line(listed)
    assert re.fullmatch(r"campaignkit optouts add --reply \d+ --reason TEXT --env live", command)
    added = place.ok(*command.split()[1:])
    assert "37529•••3333 is opted out" in added.err
    assert "was opted out already" in place.ok("optouts", "add", "8 (029) 333-33-33", "--reason", "again").err
    assert [row["phone"] for row in table(place.ok("optouts", "list", "--format", "csv"))] == ["37529•••2222", "37529•••3333"]
    assert THREE not in place.ok("optouts", "list").out
    place.ok("optouts", "remove", "29 333 33 33", "--reason", "it was a joke")
    assert [row["phone"] for row in table(place.ok("optouts", "list", "--format", "csv"))] == ["37529•••2222"]
    history = place.ok("state", "show").out
    assert THREE not in history
    assert "opt_in" in history
    place.ok("state", "verify")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("optouts", "remove", THREE, "--reason", "x"), 64, "37529•••3333 is not opted out here"),
        (("optouts", "add", "12", "--reason", "x"), 64, "PHONE takes a number like 375291111111"),
        (("optouts", "add", THREE), 64, "--reason"),
        (("optouts", "add", THREE, "--reason", " "), 64, "and a reason"),
        (("optouts", "add", "--reason", "x"), 64, "either a PHONE or --reply ID"),
        (("optouts", "add", "--reply", "7", "--reason", "x"), 64, "the state has no reply 7"),
        (("inbox", "ack", "7"), 64, "the state has no reply 7"),
        (("inbox", "list", "--since", "soon"), 64, "'soon' does not match"),
        (("inbox", "list", "--campaign", "nothing"), 64, "there is no campaign 'nothing'"),
        (("mailings", "show", "r1"), 64, "ID is the provider's number of a mailing"),
        (("mailings", "show", "000"), 64, "ID is the provider's number of a mailing"),
        (("send-test", "spring", "--to", TEAM), 64, "send-test takes CAMPAIGN/MAILING"),
        (("send-test", "spring/nothing", "--to", TEAM), 64, "spring has no mailing 'nothing'"),
        (("send-test", "spring/code", "--to", "x"), 64, "--to takes a number"),
        (("send-test", "spring/code", "--to", ONE), 5, "--to names no phone of test_phones of live"),
        (("send-test", "spring/code", "--to", TEAM, "--as", ONE), 5, "--as names nobody who gets a message of spring/code"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_makes_no_sense_is_said(idle: Workplace, words: tuple[str, ...], code: int, message: str) -> None:
    ran = idle.run(*words)
    assert (ran.code, message in ran.err) == (code, True), ran.err
    assert last_line(ran).startswith("campaignkit ")


def test_the_providers_records_are_listed_and_linked(place: Workplace, start: Start) -> None:
    start({"listed": ["list", "quick", "bulk"]}, campaign=CAMPAIGN + LIST)
    place.ok("apply", "--auto-approve")
    place.ok("inbox", "pull")  # learns the ids of bulk mailings
    place.ok("send-test", "spring/code", "--to", TEAM)
    document = place.ok("mailings", "list", "--format", "json").json
    assert problems("mailings-list", document) == []
    assert sorted((one["mailing"], one["method"]) for one in document["mailings"]) == [
        ("code", "quick"), ("code", "quick"), ("code", "test"), ("invitation", "bulk"), ("news", "list"),
    ]  # fmt: skip
    assert (document["linked"], document["complete"]) == (True, True)
    assert place.ok("mailings", "list", "--unknown-here", "--format", "json").json["mailings"] == []
    assert len(table(place.ok("mailings", "list", "--format", "csv"))) == 5
    [news] = [one for one in document["mailings"] if one["method"] == "list"]
    shown = place.ok("mailings", "show", news["message_id"], "--format", "json").json
    assert problems("mailings-show", shown) == []
    assert {key: shown[key] for key in news} == news
    assert "spring/news (list r" in place.ok("mailings", "show", news["message_id"]).out
    people = place.ok("mailings", "deliveries", news["message_id"], "--format", "json", "--reveal").json
    assert problems("mailings-deliveries", people) == []
    assert [one["phone"] for one in people["deliveries"]] == [ONE, TWO, THREE, FOUR]
    assert ONE not in place.ok("mailings", "deliveries", news["message_id"]).out
    assert len(table(place.ok("mailings", "deliveries", news["message_id"], "--format", "csv"))) == 4


def test_without_a_state_nothing_is_linked_and_that_is_said(place: Workplace, start: Start) -> None:
    start({"listed": ["list", "quick"]})
    place.ok("apply", "--auto-approve")
    for path in Path(place.root, "state").iterdir():
        path.unlink()
    ran = place.ok("mailings", "list", "--unknown-here", "--format", "json")
    assert "live has no state here: nothing is linked" in ran.err
    assert (len(ran.json["mailings"]), ran.json["linked"]) == (2, False)


@pytest.mark.parametrize("what", ["show", "deliveries"])
def test_an_id_that_the_provider_does_not_know(place: Workplace, start: Start, what: str) -> None:
    start()
    ran = place.run("mailings", what, "4905")
    assert (ran.code, last_line(ran)) == (10, "campaignkit mailings list")
    assert "Mailing 4905: the provider does not know this mailing" in ran.err
    assert "Nothing was sent or changed." in ran.err


def test_a_list_of_many_pages_and_one_that_repeats(place: Workplace, start: Start) -> None:
    rows = ", ".join(f'"37529{1_000_000 + number}"' for number in range(120))
    many = CAMPAIGN.replace('[{phone: "375292222222", who: Ann}, {phone: "375293333333", who: Bob}]', "[]")
    many = many.replace("rows: []", f"phones: [{rows}]").replace("Hi {{ who }}", "Hi")
    provider = start({"listed": ["quick"]}, campaign=many)
    place.ok("apply", "--auto-approve")
    whole = place.ok("mailings", "list", "--format", "json")
    assert (len(whole.json["mailings"]), whole.json["complete"], whole.json["notes"]) == (120, True, [])
    assert "100 mailings listed" in whole.err
    provider.stop()


def test_a_provider_that_repeats_its_first_page(place: Workplace, start: Start) -> None:
    rows = ", ".join(f'"37529{1_000_000 + number}"' for number in range(100))
    many = CAMPAIGN.split("  - name: code", maxsplit=1)[0].replace("message_type: bulk", "method: quick").replace('"375291111111"', rows)
    start({"listed": ["quick"], "ignore_offset": True}, campaign=many)
    place.ok("apply", "--auto-approve")
    ran = place.run("mailings", "list", "--format", "json")
    assert (ran.code, len(ran.json["mailings"]), ran.json["complete"]) == (10, 100, False)
    assert ran.json["notes"] == ["rows 101 to 200 repeat earlier ones: the provider's list does not end, and may not be whole here"]
    assert "The list is not whole." in ran.err


def test_a_test_message_is_real_counted_and_no_delivery(place: Workplace, start: Start) -> None:
    provider = start({"listed": ["quick"]})
    ran = place.ok("send-test", "spring/code", "--to", TEAM, "--as", "80293333333", "--format", "json")
    assert problems("send-test", ran.json) == []
    assert (ran.json["outcome"], ran.json["to"], ran.json["as"], ran.json["used"]) == ("accepted", "37529•••9999", "37529•••3333", 1)
    record = place.ok("mailings", "show", ran.json["message_id"], "--format", "json").json
    assert (record["message"], record["method"]) == ("Hi Bob", "test")
    place.ok("send-test", "spring/invitation", "--to", TEAM)  # a bulk mailing, under its sender's Viber name
    plan = place.ok("plan", "--format", "json").json
    assert plan["summary"]["send"] == 3
    place.ok("send-test", "spring/code", "--to", TEAM)
    beyond = place.run("send-test", "spring/code", "--to", TEAM)
    assert (beyond.code, "3 test messages went out within the last 24 hours" in beyond.err) == (5, True)
    assert place.ok("status", "--format", "json").json["campaigns"] == []
    exported = place.ok("state", "export").records
    assert [record["state"] for record in exported if record["type"] == "test"] == ["accepted"] * 3
    assert [problem for record in exported for problem in problems("state-export", record)] == []
    assert provider.process.poll() is None


@pytest.mark.parametrize(
    ("fault", "code", "outcome"),
    [
        ({"fault": "drop_after"}, 7, "unknown"),
        ({"fault": "drop_before"}, 7, "unknown"),
        ({"fault": "http_400", "error": "bad phone"}, 6, "rejected"),
        ({"fault": "throttle"}, 10, "throttled"),
        ({"fault": "garbage"}, 7, "unknown"),
    ],
    ids=lambda value: value["fault"] if isinstance(value, dict) else None,
)
def test_how_a_test_message_may_end(place: Workplace, start: Start, fault: dict[str, Any], code: int, outcome: str) -> None:
    start({"faults": [{"method": "sendQuickViberMessage", "nth": 1} | fault]})
    ran = place.run("send-test", "spring/code", "--to", TEAM, "--format", "json")
    assert (ran.code, ran.json["outcome"]) == (code, outcome), ran.err
    assert ran.json["used"] == int(outcome == "unknown")
    assert ran.err.splitlines()[-1] == "campaignkit send-test spring/code --to PHONE --env live"
    place.ok("send-test", "spring/code", "--to", TEAM)  # nothing is held back by it
    place.ok("apply", "--auto-approve")


def test_a_sender_without_a_viber_name_sends_no_test(place: Workplace, start: Start) -> None:
    start(campaign=CAMPAIGN.split("  - name: code", maxsplit=1)[0])
    text = (place.root / "campaignkit.yaml").read_text("utf-8").replace(", vibername_id: 12", "")
    place.write("campaignkit.yaml", text)
    ran = place.run("send-test", "spring/invitation", "--to", TEAM)
    assert (ran.code, "spring/invitation has no vibername_id" in ran.err) == (5, True)


def test_a_held_lock_holds_back_tests_and_opt_outs_but_no_pull(place: Workplace, start: Start) -> None:
    slow = {"method": "sendQuickViberMessage", "fault": "slow", "seconds": 8, "nth": 1}
    start({"faults": [slow]})
    with place.start("apply", "--auto-approve") as running:
        wait_until(lambda: Path(place.root, "state", "live.db.lock").exists())
        assert place.run("send-test", "spring/code", "--to", TEAM).code == 8
        assert place.run("optouts", "add", ONE, "--reason", "asked").code == 8
        place.ok("inbox", "pull")
        running.communicate(timeout=60)
    assert running.returncode == 0
