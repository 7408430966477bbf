"""SIGKILL in the midst of what is no delivery: replies are pulled once and marked only once stored; tests are counted, not repeated."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.places import Provider, Workplace, phones, wait_until
from tests.acceptance.test_kills_of_methods import ONE, QUICK, killed
from tests.canary import TOKEN

Live = Callable[..., Provider]
Before = Callable[..., Provider]
TEAM = "375299999999"
SECONDS = 3
EVERYTHING = [(phone, f"reply {number}") for number, phone in enumerate(phones(3))]
INCOMING, MARK = "getNewIncomingMessages", "readResponseStatus"


@pytest.fixture
def before(place: Workplace, live: Live) -> Before:
    """Three people with a quick message each, who write back at once."""

    def start(*faults: dict[str, Any], applied: bool = True) -> Provider:
        replies = [{"phone": phone, "text": text, "after": 0.001} for phone, text in EVERYTHING]
        scenario = {"speed": 1000.0, "replies": replies, "faults": list(faults)}
        provider = live(people=3, scenario=scenario, extra=f', test_phones: ["{TEAM}"], test_limit: 2')
        (place.root / "campaigns/spring.yaml").unlink()
        place.write("campaigns/welcome.yaml", QUICK)
        if applied:
            place.ok("apply", "--auto-approve")
        return provider

    return start


def slow(method: str, nth: int | list[int]) -> dict[str, Any]:
    return {"method": method, "fault": "slow", "seconds": SECONDS, "nth": nth}


def stored(place: Workplace, *words: str) -> list[tuple[str, str]]:
    """The replies that the state holds, with their phones."""
    document = place.ok("inbox", "list", "--reveal", "--format", "json", *words).json
    return sorted((one["phone"], one["text"]) for one in document["replies"])


def new_at(provider: Provider) -> list[str]:
    """The texts of the replies that the provider shows as new, asked past the program."""
    found = []
    for message in provider.ledger()["quick"]:
        form = urllib.parse.urlencode({"token": TOKEN, "message_id": message["message_id"]}).encode()
        with urllib.request.urlopen(f"{provider.url}/api/v2/{INCOMING}", form, timeout=10) as answer:
            found += [one["message"] for one in json.load(answer)["result"]]
    return sorted(found)


def pull_killed(place: Workplace, after: int) -> None:
    """A pull that dies in the call after so many replies were stored."""
    process = place.start("inbox", "pull")
    wait_until(lambda: len(stored(place)) == after)
    killed(process)


@pytest.mark.parametrize("done", [1, 2])
def test_a_killed_pull_loses_no_reply_and_doubles_none(place: Workplace, before: Before, done: int) -> None:
    provider = before(slow(INCOMING, done + 1))
    pull_killed(place, done)
    assert stored(place) == EVERYTHING[:done]
    assert len(new_at(provider)) == 3  # a pull marks nothing
    again = place.ok("inbox", "pull", "--format", "json").json
    assert (len(again["new"]), again["failures"]) == (3 - done, [])
    assert stored(place) == stored(place, "--unread") == EVERYTHING
    assert place.ok("inbox", "pull", "--format", "json").json["new"] == []
    assert len(new_at(provider)) == 3


def test_a_killed_ack_marks_only_what_is_stored_and_is_found_out(place: Workplace, before: Before) -> None:
    """The provider has marked them, and the state does not know yet; the reply that no pull has stored stays new."""
    provider = before(slow(INCOMING, 3), slow(MARK, 1))
    pull_killed(place, 2)
    process = place.start("inbox", "ack")
    wait_until(lambda: new_at(provider) == ["reply 2"])
    killed(process)
    assert stored(place, "--unread") == EVERYTHING[:2]
    again = place.ok("inbox", "ack", "--format", "json").json
    assert (again["replies"], again["acked"], again["short"]) == (2, 2, 0)
    assert (stored(place, "--unread"), new_at(provider)) == ([], ["reply 2"])
    place.ok("inbox", "pull")
    assert (stored(place), stored(place, "--unread")) == (EVERYTHING, EVERYTHING[2:])
    place.ok("inbox", "ack")
    assert (stored(place, "--unread"), new_at(provider)) == ([], [])


def test_a_killed_pull_holds_up_no_apply(place: Workplace, before: Before) -> None:
    provider = before(slow(INCOMING, 2))
    pull_killed(place, 1)
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(4)) + "\n")
    place.ok("apply", "--auto-approve")
    assert sorted(provider.accepted().elements()) == phones(4)
    place.ok("state", "verify")


def test_a_killed_test_message_counts_and_is_repeated_by_nobody(place: Workplace, before: Before) -> None:
    """It is money that may be spent: it takes its part of test_limit, whatever is run next sends no other."""
    provider = before(slow(ONE, 1), applied=False)
    process = place.start("send-test", "welcome/code", "--to", TEAM)
    wait_until(lambda: provider.accepted()[TEAM] == 1)
    killed(process)
    place.ok("apply", "--auto-approve")
    place.ok("refresh")
    assert provider.accepted() == dict.fromkeys([TEAM, *phones(3)], 1)
    ran = place.ok("send-test", "welcome/code", "--to", TEAM, "--format", "json")
    assert (ran.json["outcome"], ran.json["used"]) == ("accepted", 2)
    assert [one["state"] for one in place.ok("state", "export").records if one["type"] == "test"] == ["unknown", "accepted"]
    beyond = place.run("send-test", "welcome/code", "--to", TEAM)
    assert (beyond.code, "2 test messages went out within the last 24 hours, or may have" in beyond.err) == (5, True)
    assert provider.accepted()[TEAM] == 2


def test_a_killed_test_message_counts_at_once(place: Workplace, before: Before) -> None:
    """Also where the next command is another test."""
    provider = before(slow(ONE, [1, 2]), applied=False)
    for number in (1, 2):
        process = place.start("send-test", "welcome/code", "--to", TEAM)
        wait_until(lambda: provider.accepted()[TEAM] == number)  # noqa: B023 - it is over before the next one begins
        killed(process)
    beyond = place.run("send-test", "welcome/code", "--to", TEAM)
    assert (beyond.code, provider.accepted()[TEAM]) == (5, 2), beyond.err
