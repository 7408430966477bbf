"""One connection: how it is set, and how failures are told."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from campaignkit.errors import StateError
from campaignkit.states.sqlite.connection import connect, demand_version
from tests.states.conftest import AT, FIRST, Run, World, request


def test_a_sqlite_that_is_too_old_is_refused_with_the_one_that_is_wanted() -> None:
    with pytest.raises(StateError, match=r"SQLite 3\.37\.2; the state needs 3\.38\.0 or newer\. Nothing was sent"):
        demand_version((3, 37, 2))
    demand_version((3, 38, 0))


@pytest.mark.parametrize("mode", ["ro", "rw", "immutable"])
def test_every_connection_is_durable_and_leaves_nothing_elsewhere(world: World, mode: str) -> None:
    with closing(connect(world.path, mode)) as sql:
        settings = {
            name: sql.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "fullfsync", "checkpoint_fullfsync", "foreign_keys", "temp_store", "trusted_schema")
        }
    assert settings == {
        "synchronous": 2,  # FULL
        "fullfsync": 1,  # through the disk's own cache: without it macOS only promises
        "checkpoint_fullfsync": 1,
        "foreign_keys": 1,
        "temp_store": 2,  # memory
        "trusted_schema": 0,
    }


def test_damage_whose_words_are_no_text_is_told_as_damage(world: World, run: Run) -> None:
    """SQLite repeats the damaged name in its message, and the driver can't read that."""
    run.plan(request([FIRST]))
    with closing(sqlite3.connect(world.path, isolation_level=None)) as sql:
        sql.execute("PRAGMA writable_schema = ON")
        sql.execute("UPDATE sqlite_schema SET name = CAST(x'ff' AS TEXT), sql = 'CREATE TABLE (' WHERE name = 'word'")
        sql.execute("PRAGMA schema_version = 999")
    with pytest.raises(StateError, match=r"damaged: bring back a backup \(it holds text that is none\)\. This step was not stored"):
        run.store.note(kind="note", subject="", detail="", at=AT)
    assert any("holds text that is none" in problem for problem in run.store.problems())
    run.store.close()
    with pytest.raises(StateError, match="damaged, or no database at all"):
        world.reader()


def test_a_state_that_lost_its_own_row_while_it_is_open_is_nobodys(world: World, run: Run) -> None:
    with closing(sqlite3.connect(world.path, isolation_level=None)) as sql:
        sql.execute("DELETE FROM meta")
    with pytest.raises(StateError, match="does not say whose state it is; nothing was sent"):
        run.store.info()
    with pytest.raises(StateError, match="exactly one"):
        run.plan(request([FIRST]))
