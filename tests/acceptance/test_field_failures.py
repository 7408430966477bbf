"""What other campaign tools did to people, each with the issue it is known by: it must not happen here."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from tests.acceptance.places import Provider, Workplace, phones, wait_until

Live = Callable[..., Provider]
PEOPLE = 60
SLOW = {"method": "sendBulkViber", "fault": "slow", "seconds": 0.4}


def each_once(provider: Provider, people: int = PEOPLE) -> None:
    assert sorted(provider.accepted().elements()) == phones(people)


def test_listmonk_1109_an_error_is_not_answered_by_more_copies(place: Workplace, live: Live) -> None:
    """An error after the server had taken the message, and an automatic retry: three copies. The tests of a restored snapshot (listmonk
    1801) are in test_restore."""
    provider = live(people=PEOPLE, scenario={"faults": [{"method": "sendBulkViber", "nth": [2, 4], "fault": "http_500_after"}]})
    for _ in range(3):
        assert place.run("apply", "--auto-approve").code == 7
    assert set(provider.accepted().values()) == {1}


def test_listmonk_2313_a_connection_lost_midway_and_a_resume_repeat_nobody(place: Workplace, live: Live) -> None:
    """The server hung up after some thousands, the campaign was resumed from its start: five copies to some, three to others, none to a
    third."""
    provider = live(people=PEOPLE, scenario={"faults": [{"method": "sendBulkViber", "nth": [3, 5], "fault": "drop_before", "reset": True}]})
    for _ in range(3):
        assert place.run("apply", "--auto-approve").code == 7
    assert set(provider.accepted().values()) == {1}
    unknown = place.ok("resolve", "--format", "json").json["requests"]
    # Everyone is either accepted once or held back as unknown: nobody is lost.
    assert len(provider.accepted()) + sum(one["recipients"] for one in unknown) == PEOPLE


def test_listmonk_2070_pausing_and_resuming_repeats_nobody(place: Workplace, live: Live) -> None:
    provider = live(people=PEOPLE, scenario={"faults": [SLOW]})
    for stops in range(1, 4):
        process = place.start("apply", "--auto-approve")
        wait_until(lambda stops=stops: len(provider.accepted()) >= 10 * stops)  # type: ignore[misc]  # bound now
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 9
    assert place.run("apply", "--auto-approve").code == 0
    each_once(provider)


def test_listmonk_3022_no_checkpoint_to_be_wrong_about(place: Workplace, live: Live) -> None:
    """A checkpoint moved when people are fetched loses them in a crash; moved when they are sent, it repeats them."""
    provider = live(people=PEOPLE, scenario={"faults": [SLOW]})
    for kills in range(1, 4):
        process = place.start("apply", "--auto-approve")
        wait_until(lambda kills=kills: len(provider.accepted()) >= min(PEOPLE, 10 * kills))  # type: ignore[misc]  # bound now
        time.sleep(0.1 * kills)
        process.kill()
        process.communicate(timeout=30)
    assert place.run("apply", "--auto-approve").code in {0, 7}
    summary = place.ok("plan", "--format", "json").json["summary"]
    assert (summary["sent"] + summary["unknown"], summary["send"]) == (PEOPLE, 0)
    accepted = provider.accepted()
    assert set(accepted.values()) == {1}
    assert PEOPLE - len(accepted) <= summary["unknown"]


def test_mautic_2215_and_13802_overlapping_runs_share_nobody(place: Workplace, live: Live) -> None:
    """Two schedulers at once, a row each for the same contact; the advice was to start them a minute apart."""
    provider = live(people=PEOPLE, scenario={"faults": [SLOW | {"seconds": 0.1}]})
    runs = [place.start("apply", "--auto-approve") for _ in range(4)]
    codes = []
    for process in runs:
        process.communicate(timeout=60)
        codes.append(process.returncode)
    assert codes.count(0) >= 1
    assert set(codes) <= {0, 8}
    each_once(provider)
