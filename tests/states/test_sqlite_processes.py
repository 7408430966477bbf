"""Several processes on one state, and processes that die."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from campaignkit.model.outcomes import Outcome
from campaignkit.states.records import HOLDING, RequestState
from campaignkit.states.sqlite import presence
from campaignkit.states.store import ClaimConflictError
from tests.states.conftest import AT, FIRST, Run, World, request, sqlite_world
from tests.states.sqlite_files import ROOT, die_while_writing, files

RACER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.states.conftest import *
from campaignkit.states.store import ClaimConflictError

store = World(Path(sys.argv[2])).store()
me = sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
run = Run(store, store.begin_run(command=me, digest="", at=AT))
claimed, intents = [], []
for i in range(60):
    try:
        run.plan(request([FIRST + i, FIRST + 1000 + i], tag=f"{me}-{i}"))
        claimed.append(FIRST + i)
    except ClaimConflictError:
        pass
    ref = f"r{i + 1}"
    if store.mark_intent(ref, AT) is not None:
        intents.append(ref)
print(json.dumps({"claimed": claimed, "intents": intents}), flush=True)
sys.stdin.readline()
store.close()
"""

world = sqlite_world


def test_a_death_between_intent_and_outcome_is_unknown(world: World) -> None:
    die_while_writing(world)
    store = world.store()
    recovered = store.recover(AT)
    assert (recovered.unknown_requests, recovered.unknown_people) == (("r1",), 2)
    assert store.mark_intent("r1", AT) is None
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    assert run.holds(FIRST, FIRST + 1) == {FIRST, FIRST + 1}
    assert store.problems() == []
    store.close()
    assert files(world) == ["production.db"]


def test_a_death_inside_a_plan_leaves_nothing_of_it(world: World) -> None:
    die_while_writing(
        world,
        steps="""
def dying():
    for i in range(2_000):
        yield request(range(FIRST + 100 * i + 100, FIRST + 100 * i + 200))
    os.kill(os.getpid(), signal.SIGKILL)
store.write_plan(run.id, dying(), AT)""",
    )
    store = world.store()
    assert [(row.ref, row.state) for row in store.requests()] == [("r1", RequestState.INTENT)]
    assert store.problems() == []
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    assert run.plan(request([FIRST + 100])) == ["r2"]
    store.close()


def test_what_was_recorded_survives_the_kill(world: World) -> None:
    die_while_writing(world, steps='store.record(ref, 1, result(Outcome.ACCEPTED, "u"), AT)')
    store = world.store()
    row = store.request("r1")
    assert row is not None
    assert (row.state, row.uuid) == (RequestState.ACCEPTED, "u")
    assert store.recover(AT).unknown_requests == ()
    store.close()


def test_two_processes_never_both_get_a_key_or_an_intent(world: World) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(ROOT), str(world.path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    results = [json.loads(racer.stdout.readline()) for racer in racers if racer.stdout is not None]
    for racer in racers:
        racer.communicate("\n", timeout=60)
        assert racer.returncode == 0
    for what in ("claimed", "intents"):
        both = [one for result in results for one in result[what]]
        assert len(both) == len(set(both))
    assert sorted(results[0]["claimed"] + results[1]["claimed"]) == list(range(FIRST, FIRST + 60))
    store = world.store()
    assert sum(row.state in HOLDING for row in store.requests()) == 60
    assert store.problems() == []
    store.close()
    assert files(world) == ["production.db"]


def test_a_writer_that_leaves_keeps_the_wal_for_one_that_only_entered(world: World) -> None:
    """The other was counted, and died before its first statement: nobody had taken the in-use mark back."""
    store = world.store()
    store.note(kind="k", subject="s", detail="d", at=AT)
    entered = presence.enter(world.path)
    store.close()
    os.close(entered)
    again = world.store()
    assert [event.kind for event in again.events()] == ["k"]
    again.close()
    assert files(world) == ["production.db"]


def test_a_large_plan_is_claimed_whole(world: World) -> None:
    """Many requests in one transaction, of which the claims are written in parts: everybody of them, and nobody twice."""
    store = world.store()
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    requests = [request(range(FIRST + i, FIRST + i + 100)) for i in range(0, 140_000, 100)]
    with pytest.raises(ClaimConflictError, match=r"by r1 \(planned\)"):
        run.plan(*requests, request([FIRST]))  # the last of the plan and the first, who was written long before
    assert list(store.mailings()) == []
    run.plan(*requests)
    assert [known.claimed for known in store.mailings()] == [140_000]
    assert run.end("r1", Outcome.ACCEPTED, "u") is RequestState.ACCEPTED
    assert store.problems() == []
    store.close()
