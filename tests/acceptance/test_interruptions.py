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

from tests.acceptance.conftest import Provider, Workplace, phones, wait_until

Live = Callable[..., Provider]
SLOW = {"faults": [{"method": "sendBulkViber", "fault": "slow", "seconds": 1.5}]}


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
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    assert process.returncode == 7, err
    assert json.loads(out.splitlines()[-1])["unknown"] == 10
    assert place.ok("plan", "--format", "json").json["summary"]["unknown"] == 10


def test_a_second_apply_is_turned_away_and_looking_goes_on(place: Workplace, live: Live) -> None:
    provider = live(people=20, scenario=SLOW)
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
        shown = _until(main, b"Only 'yes' sends")
        os.write(main, answer)
        shown += _until(main, None)
        assert process.wait(timeout=30) == code, shown.decode()
        os.close(main)
    assert len(provider.accepted()) == 3
    assert "Sent: 3 accepted" in shown.decode()


def _until(terminal: int, words: bytes | None) -> bytes:
    """What the terminal shows until some words, or until the program has gone."""
    seen = b""
    while words is None or words not in seen:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, seen
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return seen
        if not data:
            return seen
        seen += data
    return seen
