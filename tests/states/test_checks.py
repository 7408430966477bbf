"""Verifying finds what opening does not meet: pages that are gone, and rows that do not agree."""

from __future__ import annotations

import pytest

from campaignkit.errors import StateError
from campaignkit.states.sqlite import schema
from campaignkit.states.sqlite.writing import SqliteStore
from tests.states.conftest import AT, FIRST, Run, World, request, sqlite_world
from tests.states.sqlite_files import refusal

world = sqlite_world


def test_a_damaged_state(world: World) -> None:
    run = Run(world.store(), 1)
    run.store.begin_run(command="apply", digest="", at=AT)
    run.plan(*(request(range(FIRST + i * 100, FIRST + i * 100 + 100)) for i in range(40)))
    run.store.close()
    sound = world.path.read_bytes()
    world.path.write_bytes(b"X" * 16 + sound[16:])
    assert "damaged" in refusal(world.path).message
    world.path.write_bytes(sound[: schema.PAGE_SIZE // 2])
    assert "damaged" in refusal(world.path).message
    # What opening does not meet, verifying does.
    world.path.write_bytes(sound[: len(sound) // 2])
    try:
        reader = world.reader()
    except StateError:
        pass
    else:
        assert reader.problems()
        reader.close()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM claim WHERE phone = (SELECT min(phone) FROM claim)", "1 claims where 2 are due"),
        ("UPDATE claim SET phone = phone + 7000", "claims are of other people"),
        ("INSERT INTO claim VALUES (1, 1, 99, 0)", "batch 99, which is gone"),
        ("UPDATE batch SET phones = substr(phones, 1, 8)", "do not have 2 people"),
        ("UPDATE batch SET fingerprints = zeroblob(32)", "row 1 of batch is not what was written"),
        ("UPDATE batch SET statuses = x'0102'", "status totals"),
        ("UPDATE request SET state = 'rejected'", "2 claims where 0 are due"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM mailing", "belongs to a mailing that is gone"),
        ("DELETE FROM meta", "own row"),
        ("UPDATE claim SET phone = phone + 7000", "the claims of mailing 1 are not those that were written"),
        ("UPDATE event SET detail = replace(detail, '2', '3')", "line 2 of the history"),
        ("DELETE FROM event WHERE id = 1", "line 2 of the history"),
    ],
)
def test_what_verifying_finds(world: World, damage: str, words: str) -> None:
    store = world.store()
    Run(store, store.begin_run(command="apply", digest="", at=AT)).plan(request([FIRST, FIRST + 1]))
    assert isinstance(store, SqliteStore)
    store._db.sql.executescript(damage)
    problems = store.problems()
    assert any(words in problem for problem in problems), problems
