"""Interrupted, crowded, watched: what happens around a running apply."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from campaignkit.cli.interrupts import ECHO
from tests.acceptance.places import Provider, Workplace, phones, wait_until

Live = Callable[..., Provider]
SLOW = {"faults": [{"method": "sendBulkViber", "fault": "slow", "seconds": 1.5}]}
UNHUSHED = (
    sys.executable,
    "-c",
    "import signal, runpy; signal.signal(signal.SIGHUP, signal.SIG_DFL); runpy.run_module('campaignkit', run_name='__main__')",
)
"""The command, to which a hang-up means something also where the tests themselves run under nohup."""


def started(place: Workplace, provider: Provider) -> subprocess.Popen[str]:
    """An apply whose first request is in flight."""
    process = place.start("apply", "--auto-approve", "--format", "json")
    wait_until(lambda: len(provider.accepted()) > 0)
    return process


def test_one_interrupt_finishes_the_request_in_flight(place: Workplace, live: Live) -> None:
    provider = live(people=30, scenario=SLOW)
    process = started(place, provider)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    summary = json.loads(out.splitlines()[-1])
    assert process.returncode == 9, err
    assert (summary["accepted"], summary["not_sent"], summary["unknown"]) == (10, 20, 0)
    assert err.splitlines()[-1].startswith("campaignkit apply")
    rest = place.run("apply", "--auto-approve", "--format", "json")
    assert rest.summary["accepted"] == 20
    assert sorted(provider.accepted().elements()) == phones(30)


def test_a_second_interrupt_gives_the_request_up_as_unknown(place: Workplace, live: Live) -> None:
    provider = live(people=30, scenario={"faults": [{"method": "sendBulkViber", "fault": "slow", "seconds": 20}]})
    process = started(place, provider)
    process.send_signal(signal.SIGTERM)
    until_it_says(process, "Stopping")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    assert process.returncode == 7, err
    assert json.loads(out.splitlines()[-1])["unknown"] == 10
    assert "given up by the operator" in err
    assert err.splitlines()[-1] == "campaignkit resolve --env live"
    assert place.ok("plan", "--format", "json").json["summary"]["unknown"] == 10


def test_a_second_interrupt_gives_up_everything_that_is_in_flight(place: Workplace, live: Live) -> None:
    slow = {"faults": [{"method": "sendBulkViber", "nth": [2, 3, 4], "fault": "slow", "seconds": 40}]}
    provider = live(people=60, scenario=slow, extra=", in_flight: 3")
    process = place.start("apply", "--auto-approve", "--format", "json")
    wait_until(lambda: len(provider.accepted()) == 40)
    process.send_signal(signal.SIGINT)
    until_it_says(process, "Stopping")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    summary = json.loads(out.splitlines()[-1])
    assert (process.returncode, summary["accepted"], summary["unknown"], summary["not_sent"]) == (7, 10, 30, 20), err


def test_one_interrupt_ends_a_wait_at_once(place: Workplace, live: Live) -> None:
    """A throttled request that waits for its turn is in nobody's hands: it is not sent."""
    throttle = {"faults": [{"method": "sendBulkViber", "fault": "throttle", "retry_after": 50}]}
    live(people=30, scenario=throttle)
    process = place.start("apply", "--auto-approve", "--format", "json")
    wait_until(lambda: '"throttled"' in place.ok("status", "--format", "json").out or sleeping(place))
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    summary = json.loads(out.splitlines()[-1])
    assert (process.returncode, summary["not_sent"], summary["unknown"]) == (9, 30, 0), err


def sleeping(place: Workplace) -> bool:
    """Whether the one request was tried, and is planned again."""
    records = [json.loads(line) for line in place.ok("state", "export").out.splitlines()]
    return any(one["type"] == "request" and one["state"] == "planned" and one["attempts"] == 1 for one in records)


WRAPPER = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "campaignkit", *sys.argv[1:]])
signal.signal(signal.SIGINT, lambda number, _: (time.sleep(0.05), child.send_signal(number)))
sys.exit(child.wait())
"""


def test_one_ctrl_c_that_comes_twice_counts_once(place: Workplace, live: Live) -> None:
    """The terminal signals the whole group, and a wrapper hands its own on."""
    provider = live(people=30, scenario=SLOW)
    process = subprocess.Popen(
        [sys.executable, "-c", WRAPPER, "apply", "--auto-approve", "--format", "json"],
        cwd=place.root, env=place.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: len(provider.accepted()) > 0)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    summary = json.loads(out.splitlines()[-1])
    assert (process.returncode, summary["accepted"], summary["not_sent"], summary["unknown"]) == (9, 10, 20, 0), err


def test_a_hang_up_is_an_interrupt(place: Workplace, live: Live) -> None:
    provider = live(people=30, scenario=SLOW)
    process = subprocess.Popen(
        [*UNHUSHED, "apply", "--auto-approve", "--format", "json"],
        cwd=place.root, env=place.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: len(provider.accepted()) > 0)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out.splitlines()[-1])["accepted"]) == (9, 10), err


def until_it_says(process: subprocess.Popen[str], words: str) -> None:
    """Wait for some words on stderr, and until another signal is no echo of the one before."""
    assert process.stderr is not None
    line = ""
    while words not in line:
        line = process.stderr.readline()
        assert line, "it ended"
    time.sleep(2 * ECHO)


def nothing_was_sent(process: subprocess.Popen[str], again: str) -> None:
    """That a command ended at once, by the contract's code, in words."""
    _, err = process.communicate(timeout=15)
    assert process.returncode == 9, err
    assert "Traceback" not in err
    assert err.splitlines()[-2:] == ["Interrupted. Nothing was sent.", again]


@pytest.mark.parametrize("words", ["apply --auto-approve", "plan", "validate", "compile --out bodies"])
def test_a_signal_while_it_plans_sends_nothing(place: Workplace, live: Live, words: str) -> None:
    provider = live(people=400_000)
    process = place.start(*words.split())
    time.sleep(1)  # reading takes seconds; whatever it is at then is to end
    process.send_signal(signal.SIGTERM)
    nothing_was_sent(process, f"campaignkit {words}")
    assert not provider.accepted()


@pytest.mark.parametrize(
    "words", ["apply --auto-approve --lock-timeout 1m", "state forget spring/invitation --reason x --expect-people 1 --lock-timeout 1m"]
)
def test_a_signal_while_the_lock_is_waited_for_changes_nothing(place: Workplace, live: Live, words: str) -> None:
    provider = live(people=20, scenario={"faults": [{"method": "sendBulkViber", "fault": "slow", "seconds": 4}]})
    holder = started(place, provider)
    process = place.start(*words.split())
    until_it_says(process, "Waiting up to 60 s for `apply`")
    process.send_signal(signal.SIGINT)
    nothing_was_sent(process, f"campaignkit {words}")
    holder.kill()
    holder.communicate()


def test_a_watch_ends_at_once_and_says_how_it_stands(place: Workplace, live: Live) -> None:
    live(people=5, scenario={"speed": 0.001})
    place.ok("apply", "--auto-approve")
    process = place.start("refresh", "spring", "--watch")
    until_it_says(process, "still under way")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    assert process.returncode == 9, err
    assert "invitation: 5 people" in out
    assert err.splitlines()[-1] == "campaignkit refresh spring --watch --env live"


def test_a_signal_at_any_moment_ends_a_command_in_words(place: Workplace, live: Live) -> None:
    """From the very start, while modules are still imported, to the end."""
    live(people=5)
    for number in range(12):
        process = place.start("state", "list")
        time.sleep(0.04 * number)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=15)
        assert "Traceback" not in err
        # Before the program's first line the system ends it; after the last one there is nothing to interrupt.
        assert process.returncode in {-signal.SIGTERM, 9, 0}, err
        assert process.returncode != 9 or "Nothing was sent." in err


def test_a_second_apply_is_turned_away_and_looking_goes_on(place: Workplace, live: Live) -> None:
    provider = live(people=20, scenario={"faults": [{"method": "sendBulkViber", "nth": 1, "fault": "slow", "seconds": 8}]})
    process = started(place, provider)
    crowded = place.run("apply", "--auto-approve")
    assert crowded.code == 8
    assert str(process.pid) in crowded.err
    requests = place.ok("status", "--format", "json").json["campaigns"][0]["mailings"][0]["requests"]
    assert requests[0]["outcome"] == "in_flight"
    assert place.run("refresh").code == 0
    assert place.ok("plan", "--format", "json").json["summary"]["rows"] == 20
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert set(provider.accepted().values()) == {1}


def test_a_terminal_is_asked_and_only_yes_sends(place: Workplace, live: Live) -> None:
    provider = live(people=3)
    for answer, code in ((b"y\n", 5), (b"yes\n", 0)):
        main, side = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "campaignkit", "apply"], cwd=place.root, env=place.environment(), stdin=side, stdout=side, stderr=side
        )
        os.close(side)
        shown = until_shown(main, b"Only 'yes' sends")
        os.write(main, answer)
        shown += until_shown(main, None)
        assert process.wait(timeout=30) == code, shown.decode()
        os.close(main)
    assert len(provider.accepted()) == 3
    assert "Sent: 3 accepted" in shown.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_asks_sends_nothing(place: Workplace, live: Live, number: signal.Signals) -> None:
    provider = live(people=3)
    main, side = pty.openpty()
    process = subprocess.Popen([*UNHUSHED, "apply"], cwd=place.root, env=place.environment(), stdin=side, stdout=side, stderr=side)
    os.close(side)
    until_shown(main, b"Only 'yes' sends")
    process.send_signal(number)
    shown = until_shown(main, None).decode()
    assert process.wait(timeout=30) == 9, shown
    assert "Interrupted. Nothing was sent." in shown
    assert shown.splitlines()[-1] == "campaignkit apply"
    os.close(main)
    assert not provider.accepted()


def until_shown(terminal: int, words: bytes | None) -> bytes:
    """What the terminal shows until some words, or until the program has gone."""
    seen = b""
    while words is None or words not in seen:
        ready, _, _ = select.select([terminal], [], [], 120)  # a busy machine shows nothing for long
        assert ready, seen
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return seen
        if not data:
            return seen
        seen += data
    return seen
