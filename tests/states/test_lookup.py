"""What is known of many phones, however little of it is kept from one question to the next."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.sqlite.connection import Database, connect
from campaignkit.states.sqlite.lookup import Lookup
from tests.states.conftest import FIRST, LAST_DAY, Run, World, fingerprint, request

PEOPLE = tuple(range(FIRST, FIRST + 900))


@pytest.mark.parametrize("few", [0, 100, 50_000])
@pytest.mark.parametrize("most_bytes", [0, 24 * 100, 24 * 250])
def test_a_memory_of_any_size_gives_the_same_answers(world: World, run: Run, most_bytes: int, few: int) -> None:
    refs = run.plan(*(request(PEOPLE[at : at + 100]) for at in range(0, 900, 100)), request(PEOPLE[:50], LAST_DAY, version=2))
    run.end(refs[3], Outcome.ACCEPTED, "u")
    shuffled = PEOPLE[1::2] + PEOPLE[::2]
    with closing(connect(world.path, "ro")) as sql:
        lookup = Lookup(Database(world.path, sql), most_bytes=most_bytes, few=few)
        for _ in range(2):
            assert lookup.known([2, 1], shuffled) == run.store.known([2, 1], shuffled)
            assert lookup.fingerprints([1, 2], shuffled) == {phone: {fingerprint(phone)} for phone in PEOPLE[300:400]}
        kept = sum(len(batch.phones) + len(batch.fingerprints) for batch in lookup._kept.values())
        assert kept <= max(most_bytes, 24 * 100)  # a million people must not all stay in memory; one batch does


def test_who_is_held_by_a_batch_that_is_gone_is_not_new(world: World, run: Run) -> None:
    """Nobody can say any more what became of this person: the plan stops."""
    run.plan(request([FIRST]), request([FIRST + 1]))
    with closing(sqlite3.connect(world.path, isolation_level=None)) as sql:
        sql.execute("PRAGMA foreign_keys = OFF")
        sql.execute("DELETE FROM batch WHERE id = 2")
    for ask in (run.store.known, run.store.fingerprints_elsewhere):
        with pytest.raises(StateError, match="a claim of batch 2, which is gone"):
            ask([1], [FIRST, FIRST + 1])
    assert run.store.known([1], [FIRST]).keys() == {FIRST}
