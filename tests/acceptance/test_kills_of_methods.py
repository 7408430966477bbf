"""SIGKILL, signals and a lock taken away, in the midst of quick messages and of list mailings: nobody gets anything twice."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from campaignkit.cli.interrupts import ECHO
from tests.acceptance.places import Provider, Ran, Workplace, phones, wait_until

Live = Callable[..., Provider]
QUICK = """\
campaign: welcome
vibername_id: 12
mailings:
  - name: code
    method: quick
    audience: {file: people.csv}
    content: {type: text, text: "Hi {{ phone }}"}
"""
LIST = """\
campaign: club
vibername_id: 12
mailings:
  - name: news
    method: list
    list_id: 77
    content: {type: text, text: News of the month}
"""
SUBSCRIBERS = 4
"""Those of the sandbox's list 77."""
CREATE, CONFIRM, ONE = "sendViberMessageList", "confirmViberMessage", "sendQuickViberMessage"


def slow(method: str, nth: int | list[int] | None = 1, seconds: float = 2) -> dict[str, Any]:
    return {"method": method, "fault": "slow", "seconds": seconds} | ({"nth": nth} if nth else {})


def never_again(method: str) -> dict[str, Any]:
    """A call of the method after the first is refused, which is not to be overlooked."""
    return {"method": method, "fault": "http_403", "nth": list(range(2, 10)), "error": "once was enough"}


def only(place: Workplace, **campaigns: str) -> None:
    """These campaigns instead of the bulk one."""
    (place.root / "campaigns/spring.yaml").unlink()
    for name, text in campaigns.items():
        place.write(f"campaigns/{name}.yaml", text)


def begun(place: Workplace, until: Callable[[], bool]) -> subprocess.Popen[str]:
    """An apply that has come so far."""
    process = place.start("apply", "--auto-approve", "--format", "json")
    wait_until(until)
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def ended(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err, err
    return Ran(process.returncode, out, err)


def apply(place: Workplace) -> Ran:
    return place.run("apply", "--auto-approve", "--format", "json")


def lists(provider: Provider) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = provider.ledger()["lists"]
    return found


def confirmed(provider: Provider) -> list[bool]:
    """Of each list mailing at the provider, whether it was confirmed."""
    return [bool(one["confirmed_at"]) for one in lists(provider)]


def requests(place: Workplace) -> list[dict[str, Any]]:
    """The requests of the state."""
    return [record for record in place.ok("state", "export").records if record["type"] == "request"]


def second_signal(process: subprocess.Popen[str]) -> None:
    """Once more, when the first was heard and this is no echo of it."""
    assert process.stderr is not None
    while "Stopping" not in (line := process.stderr.readline()):
        assert line, "it ended"
    time.sleep(2 * ECHO)
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("in_flight", [1, 3])
def test_a_killed_apply_of_quick_messages_and_a_rerun_reach_each_person_once(place: Workplace, live: Live, in_flight: int) -> None:
    """Whom the provider has and the state does not know of is listed as unknown, as is whoever it never had."""
    extra = f", in_flight: {in_flight}, stop_rules: {{unknown_in_first: 0}}"
    provider = live(people=40, scenario={"faults": [slow(ONE, None, 0.1)]}, extra=extra)
    only(place, welcome=QUICK)
    killed(begun(place, lambda: len(provider.accepted()) >= 10))
    assert 10 <= len(provider.accepted()) < 40
    rerun = apply(place)
    assert rerun.code in {0, 7}, rerun.err
    assert "An earlier run died" in rerun.err
    assert set(provider.accepted().values()) == {1}
    in_doubt = {
        person["phone"]
        for one in requests(place)
        if one["state"] == "unknown"
        for batch in one["batches"]
        for person in batch["recipients"]
    }
    assert set(phones(40)) - set(provider.accepted()) <= in_doubt
    assert len(in_doubt) <= in_flight
    assert [one["recipients"] for one in place.ok("resolve", "--format", "json").json["requests"]] == [1] * len(in_doubt)
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 40 - len(in_doubt)


def test_a_quick_message_that_was_in_flight_is_unknown_and_not_repeated(place: Workplace, live: Live) -> None:
    provider = live(people=3, scenario={"faults": [slow(ONE, 2)]}, extra=", stop_rules: {unknown_in_first: 0}")
    only(place, welcome=QUICK)
    killed(begun(place, lambda: len(provider.accepted()) == 2))
    rerun = apply(place)
    assert (rerun.code, rerun.summary["accepted"], rerun.err.splitlines()[-1]) == (7, 1, "campaignkit resolve --env live"), rerun.err
    assert apply(place).summary["requests"] == 0
    assert sorted(provider.accepted().elements()) == phones(3)
    [unknown] = place.ok("resolve", "--format", "json").json["requests"]
    assert (unknown["method"], unknown["recipients"]) == ("quick", 1)


def test_a_list_killed_in_its_create_waits_for_a_person(place: Workplace, live: Live) -> None:
    """A draft may stand at the provider: another is made only once a person has said that it is to be."""
    provider = live(scenario={"faults": [slow(CREATE), never_again(CONFIRM)]}, extra=", release_after: 0s")
    only(place, club=LIST)
    killed(begun(place, lambda: len(lists(provider)) == 1))
    for words in (("apply",), ("apply",), ("confirm", "club/news")):
        rerun = place.run(*words, "--auto-approve", "--format", "json")
        assert (rerun.code, rerun.summary["requests"]) == (7, 0), rerun.err
        assert rerun.err.splitlines()[-1] == "campaignkit resolve --env live"
        assert confirmed(provider) == [False]
    [mailing] = place.ok("status", "--format", "json").json["campaigns"][0]["mailings"]
    assert (mailing["unknown"], mailing["requests"][0]["outcome"]) == (1, "unknown")
    [one] = place.ok("resolve", "--format", "json").json["requests"]
    assert (one["method"], one["step"], one["message_id"]) == ("list", "create", None)
    place.ok("resolve", one["request"], "--accepted", "--uuid", str(lists(provider)[0]["message_id"]))
    assert requests(place)[0]["state"] == "draft"
    assert apply(place).code == 0
    assert confirmed(provider) == [True]


def test_a_list_killed_in_its_confirm_is_not_confirmed_again(place: Workplace, live: Live) -> None:
    """The provider's record shows that it counted, so that nobody is asked and nothing is done."""
    provider = live(scenario={"faults": [slow(CONFIRM), never_again(CONFIRM), never_again(CREATE)]})
    only(place, club=LIST)
    killed(begun(place, lambda: confirmed(provider) == [True]))
    rerun = apply(place)
    assert (rerun.code, rerun.summary["requests"]) == (0, 0), rerun.err
    assert "accepted after all" in rerun.err
    assert requests(place)[0]["state"] == "accepted"
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 1
    assert place.ok("confirm", "club/news", "--auto-approve", "--format", "json").summary["requests"] == 0
    assert apply(place).code == 0
    assert (confirmed(provider), set(provider.accepted().values())) == ([True], {1})


def test_a_confirm_that_never_arrived_is_unknown_until_the_fence(place: Workplace, live: Live) -> None:
    """The record reads like that of a draft: it may still arrive, and is not repeated before release_after."""
    late = {"method": CONFIRM, "fault": "slow_before", "seconds": 60, "nth": 1}
    provider = live(scenario={"faults": [late, never_again(CONFIRM)]})
    only(place, club=LIST)

    def in_the_confirm() -> bool:
        return any(one["step"] == "confirm" and one["state"] == "intent" for one in requests(place))

    killed(begun(place, in_the_confirm))
    rerun = apply(place)
    assert (rerun.code, rerun.summary["requests"]) == (7, 0), rerun.err
    [one] = place.ok("resolve", "--format", "json").json["requests"]
    assert (one["step"], one["recipients"]) == ("confirm", SUBSCRIBERS)
    assert place.run("confirm", "club/news", "--auto-approve").code == 7
    assert confirmed(provider) == [False]


def test_one_interrupt_finishes_the_quick_message_in_flight(place: Workplace, live: Live) -> None:
    provider = live(people=5, scenario={"faults": [slow(ONE, 2, 1)]})
    only(place, welcome=QUICK)
    process = begun(place, lambda: len(provider.accepted()) == 2)
    process.send_signal(signal.SIGINT)
    ran = ended(process)
    assert (ran.code, ran.summary["accepted"], ran.summary["not_sent"], ran.summary["unknown"]) == (9, 2, 3, 0), ran.err
    assert "Sent: 2 accepted, 3 not sent, in 2 requests." in ran.err
    assert "Interrupted: 3 people not sent to; the same command again goes on where this stopped." in ran.err
    assert ran.err.splitlines()[-1] == "campaignkit apply --env live --auto-approve"
    assert apply(place).summary["accepted"] == 3
    assert sorted(provider.accepted().elements()) == phones(5)


def test_an_interrupt_in_the_last_message_leaves_nobody_out(place: Workplace, live: Live) -> None:
    provider = live(people=2, scenario={"faults": [slow(ONE, 2, 1)]})
    only(place, welcome=QUICK)
    process = begun(place, lambda: len(provider.accepted()) == 2)
    process.send_signal(signal.SIGINT)
    ran = ended(process)
    assert (ran.code, ran.summary["accepted"], ran.summary["not_sent"]) == (9, 2, 0), ran.err
    assert "0 people" not in ran.err
    assert "Interrupted, when everything was sent already" in ran.err


def test_one_interrupt_in_a_create_leaves_a_draft_and_says_so(place: Workplace, live: Live) -> None:
    provider = live(people=3, scenario={"faults": [slow(CREATE, 1, 1)]})
    only(place, club=LIST, welcome=QUICK)
    process = begun(place, lambda: len(lists(provider)) == 1)
    process.send_signal(signal.SIGINT)
    ran = ended(process)
    assert (ran.code, ran.summary["accepted"], ran.summary["not_sent"], ran.summary["unknown"]) == (9, 0, 7, 0), ran.err
    assert "club/news (r1) stands at the provider as a draft, not confirmed: nobody got it yet." in ran.err
    assert (requests(place)[0]["state"], confirmed(provider)) == ("draft", [False])
    assert ran.err.splitlines()[-1] == "campaignkit apply --env live --auto-approve"
    rest = apply(place)
    assert (rest.code, rest.summary["accepted"]) == (0, 7), rest.err
    assert "as a draft" not in rest.err
    assert (confirmed(provider), set(provider.accepted().values())) == ([True], {1})


@pytest.mark.parametrize("signals", [1, 2])
def test_signals_in_a_confirm_that_counted_leave_no_doubt(place: Workplace, live: Live, signals: int) -> None:
    """A second one gives the answer up; the record shows at once that it counted, so that nothing is said of a loss."""
    provider = live(people=3, scenario={"faults": [slow(CONFIRM, 1, 1 if signals == 1 else 20), never_again(CONFIRM)]})
    only(place, club=LIST, welcome=QUICK)
    process = begun(place, lambda: confirmed(provider) == [True])
    process.send_signal(signal.SIGINT)
    if signals == 2:
        second_signal(process)
    ran = ended(process)
    assert (ran.code, ran.summary["accepted"], ran.summary["not_sent"], ran.summary["unknown"]) == (9, 7, 0, 0), ran.err
    for word in ("given up", "Stopped:", "0 people", "unknown"):
        assert word not in ran.err.split("Sent: ", maxsplit=1)[1]
    assert requests(place)[0]["state"] == "accepted"
    assert apply(place).summary["requests"] == 0
    assert set(provider.accepted().values()) == {1}


@pytest.mark.parametrize("wakes_first", [True, False])
def test_two_applies_of_quick_messages_never_share_a_recipient(place: Workplace, live: Live, wakes_first: bool) -> None:
    """SIGSTOP in flight, `state unlock`, a second apply beside it or before it wakes: whoever is in flight is the first one's."""
    faults = [slow(ONE, 1, 1), slow(ONE, None, 0.05)]
    provider = live(people=12, scenario={"faults": faults}, extra=", stop_rules: {unknown_in_first: 0, unknowns: 0}")
    only(place, welcome=QUICK)
    process = begun(place, lambda: len(provider.accepted()) == 1)
    process.send_signal(signal.SIGSTOP)
    found = re.search(r"lock id ([0-9a-f]{16})", apply(place).err)
    assert found
    place.ok("state", "unlock", found[1])
    second = place.start("apply", "--auto-approve", "--format", "json")
    if not wakes_first:
        wait_until(lambda: len(provider.accepted()) >= 4)
    process.send_signal(signal.SIGCONT)
    first, other = ended(process), ended(second)
    assert first.code == 10, first.err
    assert "the lock was taken away from this run by `state unlock`" in first.err
    assert (first.summary["accepted"], first.summary["not_sent"]) == (1, 11)
    assert other.code in {0, 7}, other.err
    assert other.summary["accepted"] == 11
    assert sorted(provider.accepted().elements()) == phones(12)
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 12
    place.ok("state", "verify")
