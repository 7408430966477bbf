"""What readers, dead writers and failing disks leave beside a state, and that the next who comes loses nobody by it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from campaignkit.errors import StateError
from campaignkit.states.opening import open_store
from campaignkit.states.records import RequestState
from campaignkit.states.sqlite import schema
from campaignkit.states.sqlite.presence import main_says_in_use, side_file
from campaignkit.states.sqlite.writing import SqliteStore
from tests.states.conftest import AT, ENVIRONMENT, FIRST, ORIGIN, Run, World, request, sqlite_world
from tests.states.sqlite_files import die_while_writing, files

world = sqlite_world


def test_a_reader_of_a_state_at_rest_leaves_nothing(world: World) -> None:
    reader = world.reader()
    assert files(world) == ["production.db"]
    reader.problems()
    reader.close()
    assert files(world) == ["production.db"]


@pytest.mark.parametrize("shm", [True, False], ids=["same boot", "after a reboot"])
def test_who_looks_or_is_turned_away_leaves_a_dead_writers_wal(world: World, *, shm: bool) -> None:
    die_while_writing(world)
    if not shm:
        side_file(world.path, "-shm").unlink()
    wal = side_file(world.path, "-wal").read_bytes()
    for _ in range(2):
        reader = world.reader()
        assert [row.state for row in reader.requests()] == [RequestState.INTENT]
        reader.close()
        with pytest.raises(StateError):
            open_store(world.path, environment=ENVIRONMENT, origin=ORIGIN, lineage="other")
    assert side_file(world.path, "-wal").read_bytes() == wal
    assert main_says_in_use(world.path)
    store = world.store()
    assert store.recover(AT).unknown_people == 2
    store.close()
    assert files(world) == ["production.db"]


@pytest.mark.parametrize("reading", [False, True], ids=["alone", "while somebody reads"])
def test_a_power_cut_in_the_middle_of_a_checkpoint_is_set_right(world: World, *, reading: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The main file is torn, its -wal is whole: nothing is damaged, and no older backup is to be brought back."""
    die_while_writing(world)
    content = bytearray(world.path.read_bytes())
    content[schema.PAGE_SIZE : schema.PAGE_SIZE + 512] = bytes(range(256)) * 2  # the page of `meta`, which is in the -wal, too
    world.path.write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        main_says_in_use(world.path)
    reader = world.reader()
    assert [row.state for row in reader.requests()] == [RequestState.INTENT]
    if not reading:
        reader.close()
    store = world.store()
    reader.close()
    assert store.problems() == []
    assert store.recover(AT).unknown_people == 2
    store.close()
    assert not main_says_in_use(world.path)


def test_a_reader_may_outlive_the_writer(world: World) -> None:
    store = world.store()
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    reader = world.reader()
    run.plan(request([FIRST]))
    store.close()
    assert list(reader.requests()) == []
    assert [row.ref for row in world.reader().requests()] == ["r1"]
    for one in world.stores:
        one.close()
    assert [row.ref for row in world.reader().requests()] == ["r1"]
    world.stores[-1].close()
    world.store().close()
    assert files(world) == ["production.db"]


def test_a_failing_disk_at_the_end_locks_nobody_out(world: World) -> None:
    """What closing could not tidy up stays as after a crash: with its -wal, not as a bare copy that is refused."""
    store = world.store()
    assert isinstance(store, SqliteStore)
    Run(store, store.begin_run(command="apply", digest="", at=AT)).plan(request([FIRST]))
    store._db.sql.execute("CREATE TEMP TRIGGER full BEFORE UPDATE ON meta BEGIN SELECT raise(FAIL, 'disk I/O error'); END")
    store.close()
    assert "production.db-wal" in files(world)
    again = world.store()
    assert [row.ref for row in again.requests()] == ["r1"]
    again.close()
    assert files(world) == ["production.db"]


def test_a_crash_while_closing_is_played_back(world: World) -> None:
    """A hot journal beside a state at rest: only a process that may write can undo the half-written page."""
    code = f"""
import os, sqlite3
sql = sqlite3.connect({str(world.path)!r}, isolation_level=None)
sql.execute("PRAGMA cache_size = 1")
sql.execute("PRAGMA cache_spill = 1")
sql.execute("BEGIN IMMEDIATE")
sql.execute("UPDATE meta SET environment = 'nonsense'")
sql.execute("CREATE TABLE filler (x)")
for _ in range(200):
    sql.execute("INSERT INTO filler VALUES (zeroblob(16000))")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert side_file(world.path, "-journal").stat().st_size > 0
    reader = world.reader()
    assert reader.info().environment == ENVIRONMENT
    assert reader.problems() == []
    reader.close()
    assert files(world) == ["production.db"]
