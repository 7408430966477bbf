"""The lock is politeness: waiting for it, taking it from a stuck run, and doing without it; nobody is sent to twice."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable

from tests.acceptance.places import Provider, Ran, Workplace, phones, wait_until

Live = Callable[..., Provider]
SLOW = {"faults": [{"method": "sendBulkViber", "nth": 1, "fault": "slow", "seconds": 2}]}
LOCKLESS = """
import sys
from campaignkit.states.lock import StateLock
StateLock.acquire = lambda *_, **__: None
StateLock.still_ours = lambda _: True
from campaignkit.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def stuck(place: Workplace, provider: Provider) -> subprocess.Popen[str]:
    """An apply that is stopped while its first request is in flight."""
    process = place.start("apply", "--auto-approve", "--format", "json")
    wait_until(lambda: len(provider.accepted()) > 0)
    process.send_signal(signal.SIGSTOP)
    return process


def lock_id(ran: Ran) -> str:
    found = re.search(r"lock id ([0-9a-f]{16})", ran.err)
    assert found, ran.err
    return found[1]


def ended(process: subprocess.Popen[str], seconds: float = 60) -> Ran:
    out, err = process.communicate(timeout=seconds)
    assert "Traceback" not in err
    return Ran(process.returncode, out, err)


def test_a_locked_state_says_who_holds_it_and_what_helps(place: Workplace, live: Live) -> None:
    process = stuck(place, live(people=20, scenario=SLOW))
    try:
        for words in (("apply", "--auto-approve"), ("state", "forget", "spring/invitation", "--reason", "x", "--expect-people", "1")):
            ran = place.run(*words)
            assert ran.code == 8, ran.err
            for said in ("`apply` of ", f"process {process.pid}", " since ", "othing was sent", f"state unlock {lock_id(ran)} --env live"):
                assert said in ran.err
            last = ran.err.splitlines()[-1]
            assert last.startswith(f"campaignkit {words[0]} ")
            assert set(words) < set(shlex.split(last))
            assert last.endswith(" --lock-timeout 10m")
            waited = place.run(*words, "--lock-timeout", "300ms")
            assert waited.code == 8
            assert waited.err.count("Waiting up to 0.3 s for `apply`") == 1
        assert place.run("apply", "--lock-timeout", "soon").code == 64
    finally:
        process.kill()
        process.communicate()


def test_whoever_waits_long_enough_gets_the_lock(place: Workplace, live: Live) -> None:
    provider = live(people=20, scenario=SLOW)
    process = place.start("apply", "--auto-approve")
    wait_until(lambda: len(provider.accepted()) > 0)
    second = place.run("apply", "--auto-approve", "--lock-timeout", "1m", "--format", "json")
    assert (second.code, second.summary["accepted"]) == (0, 0), second.err
    assert ended(process).code == 0
    assert sorted(provider.accepted().elements()) == phones(20)


def test_a_stuck_run_loses_its_lock_and_nobody_gets_anything_twice(place: Workplace, live: Live) -> None:
    """SIGSTOP in flight, unlock, a second apply, SIGCONT: the late answer is kept, and the first run stops by itself."""
    provider = live(people=30, scenario=SLOW)
    process = stuck(place, provider)
    found = lock_id(place.run("apply", "--auto-approve"))
    before = place.ok("state", "show", "--format", "json").json["history"]
    wrong = place.run("state", "unlock", "0" * 16)
    assert (wrong.code, wrong.err.splitlines()[-1]) == (8, f"campaignkit state unlock {found} --env live")
    assert place.ok("state", "show", "--format", "json").json["history"] == before
    place.ok("state", "unlock", found, "--reason", "it hangs")
    noted = place.ok("state", "show", "--format", "json").json["history"][-1]
    assert (noted["kind"], noted["subject"], json.loads(noted["detail"])["reason"]) == ("unlock", found, "it hangs")
    assert "Nobody holds the lock" in place.ok("state", "unlock", found).err
    second = place.run("apply", "--auto-approve", "--format", "json")
    assert (second.code, second.summary["accepted"]) == (7, 20), second.err
    assert place.ok("plan", "--format", "json").json["summary"]["unknown"] == 10
    process.send_signal(signal.SIGCONT)
    first = ended(process)
    assert (first.code, first.summary["accepted"], first.summary["not_sent"]) == (10, 10, 20), first.err
    assert "the lock was taken away from this run by `state unlock`" in first.err
    assert first.err.splitlines()[-1].startswith("campaignkit apply")
    assert sorted(provider.accepted().elements()) == phones(30)
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 30
    assert place.ok("resolve", "--format", "json").json["requests"] == []
    place.ok("state", "verify")


def test_a_stuck_run_that_wakes_first_stops_all_the_same(place: Workplace, live: Live) -> None:
    provider = live(people=30, scenario=SLOW)
    process = stuck(place, provider)
    place.ok("state", "unlock", lock_id(place.run("apply", "--auto-approve")))
    process.send_signal(signal.SIGCONT)
    first = ended(process)
    assert (first.code, first.summary["accepted"], first.summary["not_sent"]) == (10, 10, 20), first.err
    assert place.run("apply", "--auto-approve", "--format", "json").summary["accepted"] == 20
    assert sorted(provider.accepted().elements()) == phones(30)


def test_a_stuck_run_that_a_person_has_decided_about_changes_nothing_more(place: Workplace, live: Live) -> None:
    provider = live(people=30, scenario=SLOW)
    process = stuck(place, provider)
    place.ok("state", "unlock", lock_id(place.run("apply", "--auto-approve")))
    place.ok("resolve", "r1", "--abandon")
    process.send_signal(signal.SIGCONT)
    assert ended(process).code in {7, 10}
    assert place.run("apply", "--auto-approve", "--format", "json").summary["accepted"] == 20
    assert place.ok("plan", "--format", "json").json["summary"]["abandoned"] == 10
    assert sorted(provider.accepted().elements()) == phones(30)


def test_applies_without_any_lock_never_share_a_recipient(place: Workplace, live: Live) -> None:
    """The laws of the store hold alone: four at a time, each dissolving what the others have planned."""
    always = {"faults": [{"method": "sendBulkViber", "fault": "slow", "seconds": 0.1}]}
    provider = live(people=120, batch=5, first=5, scenario=always, extra=", stop_rules: {unknown_in_first: 0, unknowns: 0}")

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", LOCKLESS, "apply", "--auto-approve"],
            cwd=place.root, env=place.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait_for(least: int) -> None:
        wait_until(lambda: len(provider.accepted()) >= least)

    processes = []
    for number in range(4):
        processes.append(start())
        wait_for(5 * (2 * number + 1))  # each comes into the midst of another
    codes = [ended(process, 120).code for process in processes]
    assert set(codes) <= {0, 7, 8, 10}
    last = place.run("apply", "--auto-approve")
    assert last.code in {0, 7}
    assert set(provider.accepted().values()) == {1}
    summary = place.ok("plan", "--format", "json").json["summary"]
    assert summary["sent"] + summary["unknown"] == 120
    missing = set(phones(120)) - set(provider.accepted())
    assert len(missing) <= summary["unknown"]
    place.ok("state", "verify")
