"""A person's word about what nobody knows: what is shown to decide by, and what is asked before anybody may get it twice."""

from __future__ import annotations

import getpass
import json
import os
import pty
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.bench import Bench, Reply, Tap, copied
from tests.acceptance.places import Provider, Ran, Workplace, wait_until
from tests.acceptance.test_interruptions import until_shown
from tests.schemas.documents import problems

LOST = Reply(500, "<h1>try again later</h1>")
NOT_SENT = ("--not-sent", "--reason", "the cabinet doesn't show it")


@pytest.fixture
def bench(sound: Bench, tap: Tap, tmp_path: Path) -> Bench:
    """One request of two people is unknown."""
    bench = copied(sound, tmp_path / "project")
    bench.edit("campaignkit.yaml", "first_batch: 1", "first_batch: 2")
    tap.sends.append(LOST)
    assert bench.apply().code == 7
    tap.reset()
    return bench


def unfenced(bench: Bench) -> None:
    bench.edit("campaignkit.yaml", "rate: 10000/s}\n  other", "rate: 10000/s, release_after: 0s}\n  other")


def last(bench: Bench) -> dict[str, object]:
    event = bench.ok("state", "show", "--format", "json").json["history"][-1]
    assert event["kind"] == "resolve"
    detail: dict[str, object] = json.loads(event["detail"])
    return detail


def refused(bench: Bench, ran: Ran, said: str) -> str:
    """That nothing changed; returns the last line."""
    assert ran.code == 5, ran.err
    assert said in ran.err
    assert "Nothing was changed" in ran.err
    assert [one["request"] for one in bench.ok("resolve", "--format", "json").json["requests"]] == ["r1"]
    return ran.err.splitlines()[-1]


def test_the_list_shows_what_a_person_decides_by(bench: Bench) -> None:
    document = bench.ok("resolve", "--format", "json").json
    assert problems("resolve", document) == []
    (one,) = document["requests"]
    assert (one["request"], one["recipients"], one["cost"], one["phase"], one["http_status"]) == ("r1", 2, "0.098 EUR", "done", 500)
    assert one["answer"] == "<h1>try again later</h1>"
    assert one["bytes_written"] > 300
    assert 0 <= one["age_seconds"] < 600
    assert one["scheduled_at"] is None
    assert datetime.fromisoformat(one["not_sent_from"]) - datetime.fromisoformat(one["sent_at"]) > timedelta(minutes=15)
    text = bench.ok("resolve").out
    for said in (
        "r1  spring/invitation: 2 people, about 0.098 EUR, ", " ago", f"search the provider's cabinet for {one['tag']}",
        "on the wire: done, ", " bytes written, HTTP 500", "the answer kept: <h1>try again later</h1>", "37529•••0001, 37529•••0002",
        f"--not-sent can be said from {datetime.fromisoformat(one['not_sent_from']):%Y-%m-%d %H:%M:%S} UTC, in 15 minutes",
        "campaignkit resolve r1 --not-sent --reason TEXT --expect-people 2 --env live",
    ):  # fmt: skip
        assert said in text


def test_what_is_scheduled_ahead_is_shown_as_such(bench: Bench, tap: Tap) -> None:
    bench.edit("campaigns/spring.yaml", "name: invitation", "name: later\n    schedule_time: 2094-12-01T10:00:00")
    tap.sends.append(LOST)
    assert bench.apply("--accept", "resend=1").code in {5, 7}
    bench.run("apply", "--auto-approve", "--accept", "resend=2")
    scheduled = [one["scheduled_at"] for one in bench.ok("resolve", "--format", "json").json["requests"]]
    assert scheduled == [None, "2094-12-01T07:00:00+00:00"]
    assert "scheduled for 2094-12-01 07:00:00 UTC" in bench.ok("resolve").out


def test_not_sent_is_not_taken_before_its_time(bench: Bench, tap: Tap) -> None:
    ran = bench.run("resolve", "r1", *NOT_SENT, "--expect-people", "2")
    again = refused(bench, ran, "r1 may still be under way: --not-sent can be said from ")
    assert shlex.split(again) == ["campaignkit", "resolve", "r1", *NOT_SENT, "--expect-people", "2", "--env", "live"]
    assert tap.calls == []


def test_not_sent_needs_the_number_of_those_who_may_get_it_twice(bench: Bench, tap: Tap) -> None:
    unfenced(bench)
    again = refused(bench, bench.run("resolve", "r1", *NOT_SENT), "2 people would get this twice if it did go out")
    refused(bench, bench.run("resolve", "r1", *NOT_SENT, "--expect-people", "3"), "r1 holds 2 people, not 3")
    bench.ok(*shlex.split(again)[1:])  # the last line, as it stands
    found = last(bench)
    assert (found["to"], found["people"], found["reason"]) == ("released", 2, NOT_SENT[-1])
    assert found["by"] == f"{getpass.getuser()}@{socket.gethostname()}"
    bench.ok("apply", "--auto-approve")
    assert sorted(phone for call in tap.sent for phone in call.phones) == [f"37529100000{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(("typed", "code", "left"), [(b"2\n", 0, 0), (b"3\n", 5, 1), (b"yes\n", 5, 1), (b"\n", 5, 1), (b"\x04", 9, 1)])
def test_on_a_terminal_the_number_is_typed(bench: Bench, typed: bytes, code: int, left: int) -> None:
    unfenced(bench)
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "campaignkit", "resolve", "r1", *NOT_SENT],
        cwd=bench.root, env=bench.environment(), stdin=side, stdout=side, stderr=side,
    )  # fmt: skip
    os.close(side)
    until_shown(main, b"How many are they: ")
    os.write(main, typed)
    shown = until_shown(main, None).decode()
    assert process.wait(timeout=30) == code, shown
    os.close(main)
    assert len(bench.ok("resolve", "--format", "json").json["requests"]) == left


def test_the_other_answers_take_their_reason_along(bench: Bench) -> None:
    bench.ok("resolve", "r1", "--accepted", "--no-uuid", "--reason", "the cabinet shows it")
    found = last(bench)
    assert (found["to"], found["reason"], "@" in str(found["by"])) == ("accepted", "the cabinet shows it", True)


def test_an_unverified_uuid_leads_to_the_answer_without_one(bench: Bench, tap: Tap) -> None:
    tap.statuses = lambda _messages: Reply(404, '{"error": "not found"}')
    tap.accepted["cc9c8043-8caf-11ef-b035-9e8f47954dec"] = []
    ran = bench.run("resolve", "r1", "--accepted", "--uuid", "cc9c8043-8caf-11ef-b035-9e8f47954dec")
    assert refused(bench, ran, "the uuid can't be verified") == "campaignkit resolve r1 --accepted --no-uuid --env live"


def test_the_number_goes_with_not_sent_only(bench: Bench) -> None:
    assert bench.run("resolve", "r1", "--abandon", "--expect-people", "2").code == 64
    assert bench.run("resolve", "r1", "--not-sent", "--expect-people", "2").code == 64


def test_a_killed_run_is_fenced_for_as_long_as_it_could_still_write(place: Workplace, live: Callable[..., Provider]) -> None:
    """Nobody knows what it had written: 30 s, the deadline and release_after after its intent."""
    slow = {"faults": [{"method": "sendBulkViber", "fault": "slow", "seconds": 20}]}
    provider = live(people=5, scenario=slow, extra=", release_after: 0s, deadline: 50s")
    process = place.start("apply", "--auto-approve")
    wait_until(lambda: len(provider.accepted()) > 0)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (one,) = place.ok("resolve", "--format", "json").json["requests"]
    assert (one["phase"], one["bytes_written"]) == (None, None)
    assert datetime.fromisoformat(one["not_sent_from"]) - datetime.fromisoformat(one["sent_at"]) == timedelta(seconds=80)
    ran = place.run("resolve", "r1", *NOT_SENT, "--expect-people", "5")
    assert (ran.code, "may still be under way" in ran.err) == (5, True)
    assert datetime.fromisoformat(one["not_sent_from"]) > datetime.now(UTC)
    place.ok("resolve", "r1", "--abandon")
