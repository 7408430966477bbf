"""Writers that come and go: who waits for whom, and what stays when one is torn away."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states import flocks
from campaignkit.states.records import RequestState
from campaignkit.states.sqlite import connection, opening, presence
from campaignkit.states.sqlite.connection import connect
from campaignkit.states.sqlite.presence import main_says_in_use, side_file
from campaignkit.states.sqlite.writing import SqliteStore
from campaignkit.states.store import StateReader
from tests.fakes.clock import FakeClock
from tests.states.conftest import AT, FIRST, Run, World, request, sqlite_world
from tests.states.sqlite_files import files

world = sqlite_world


class Meanwhile(FakeClock):
    """While somebody waits, something happens, once."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    def sleep(self, seconds: float) -> None:
        if not self.slept:
            self._happens()
        super().sleep(seconds)


def test_who_comes_while_the_last_writer_tidies_up_waits_for_it(world: World) -> None:
    writers = side_file(world.path, ".writers")
    leaving = flocks.grab(writers)
    assert leaving is not None
    clock = Meanwhile(lambda: flocks.let_go(leaving, writers, remove=True))
    descriptor = presence.enter(world.path, clock=clock)
    assert len(clock.slept) == 1
    assert flocks.is_at(descriptor, writers)
    with presence.leaving(world.path, descriptor) as last:
        assert last
    assert files(world) == ["production.db"]


def test_a_last_writer_that_never_ends_is_not_waited_for_for_ever(world: World) -> None:
    writers = side_file(world.path, ".writers")
    leaving = flocks.grab(writers)
    assert leaving is not None
    clock = FakeClock()
    with pytest.raises(StateError, match="another process is closing it and does not finish; nothing was sent"):
        presence.enter(world.path, clock=clock)
    assert sum(clock.slept) == pytest.approx(presence.PATIENCE, abs=0.1)
    flocks.let_go(leaving, writers, remove=True)
    world.store().close()
    assert files(world) == ["production.db"]


def test_no_writer_follows_a_link_put_in_the_place_of_its_side_file(world: World, tmp_path: Path) -> None:
    side_file(world.path, ".writers").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match=r"no file can be made beside it .*; nothing was sent"):
        world.store()
    assert not (tmp_path / "elsewhere").exists()
    assert not main_says_in_use(world.path)


def reader_of_a_state_that_a_writer_was_about_to_mark(world: World) -> StateReader:
    """That one switched to WAL, and died before it said that the state is in use; now somebody reads it so."""
    with closing(world.store()) as store:
        store.note(kind="k", subject="", detail="", at=AT)
    with closing(sqlite3.connect(world.path, isolation_level=None)) as sql:
        assert sql.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    return world.reader()


def test_nothing_is_committed_before_the_main_file_says_in_use_also_while_somebody_reads(world: World) -> None:
    """Until that one is done the mark stands in the -wal alone, and a copy without it would pass for a state at rest."""
    reader = reader_of_a_state_that_a_writer_was_about_to_mark(world)
    said: list[bool] = []

    def done() -> None:
        said.append(main_says_in_use(world.path))
        reader.close()

    clock = Meanwhile(done)
    with closing(connect(world.path, "rw")) as sql:
        presence.mark(world.path, sql, clock=clock)
        assert (said, len(clock.slept)) == ([False], 1)
        assert main_says_in_use(world.path)
        presence.unmark(world.path, sql)
    assert files(world) == ["production.db"]


class Slow(FakeClock):
    """A short sleep may take long: every one of them ten seconds."""

    def sleep(self, seconds: float) -> None:
        super().sleep(10)


def test_a_reader_that_is_never_done_turns_a_writer_away(world: World) -> None:
    reader = reader_of_a_state_that_a_writer_was_about_to_mark(world)
    clock = Slow()
    with closing(connect(world.path, "rw")) as sql, pytest.raises(StateError, match="reading it for 30 seconds; nothing was sent"):
        presence.mark(world.path, sql, clock=clock)
    assert sum(clock.slept) == presence.PATIENCE
    reader.close()
    with closing(world.store()) as store:
        assert [event.kind for event in store.events()] == ["k"]
    assert files(world) == ["production.db"]


class Interrupted(sqlite3.Connection):
    """Ctrl-C while the last writer tidies up."""

    at = "wal_checkpoint(FULL)"

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if self.at in sql:
            raise KeyboardInterrupt
        return super().execute(sql, *parameters)


@pytest.mark.parametrize("at", ["wal_checkpoint(FULL)", "in_use = 0"])
def test_an_interrupt_while_tidying_up_leaves_a_state_as_after_a_crash(world: World, at: str) -> None:
    """With its -wal: without it the state would be refused as a bare copy, and what was sent last be forgotten."""
    descriptor = presence.enter(world.path)
    sql = sqlite3.connect(world.path, factory=Interrupted, isolation_level=None)
    sql.at = at
    presence.mark(world.path, sql)
    sql.execute("INSERT INTO word (id, word) VALUES (7, 'READ')")
    with pytest.raises(KeyboardInterrupt):
        presence.unmark(world.path, sql)
    os.close(descriptor)
    assert main_says_in_use(world.path)
    assert side_file(world.path, "-wal").stat().st_size > 0
    with closing(world.store()) as store:
        assert store.words() == {7: "READ"}
    assert files(world) == ["production.db"]


def test_the_main_file_says_that_it_is_in_use_before_anything_else(world: World) -> None:
    assert not main_says_in_use(world.path)
    store = world.store()
    assert main_says_in_use(world.path)
    assert side_file(world.path, "-wal").stat().st_size > 0
    store.close()
    assert not main_says_in_use(world.path)
    assert files(world) == ["production.db"]
    store.close()


def test_the_last_of_several_writers_tidies_up(world: World) -> None:
    apply, refresh = world.store(), world.store()
    run = Run(apply, apply.begin_run(command="apply", digest="", at=AT))
    refresh.close()
    assert main_says_in_use(world.path)
    [ref] = run.plan(request([FIRST]))
    assert run.end(ref, Outcome.ACCEPTED, "u") is RequestState.ACCEPTED
    late = world.store()
    apply.close()
    assert main_says_in_use(world.path)
    late.close()
    assert files(world) == ["production.db"]


def test_a_writer_that_is_not_the_last_leaves_the_wal_to_the_last(world: World) -> None:
    """The last one may have died while this one closed: then the -wal is all there is."""
    store = world.store()
    assert isinstance(store, SqliteStore)
    Run(store, store.begin_run(command="apply", digest="", at=AT)).plan(request([FIRST]))
    other = flocks.grab(side_file(world.path, ".writers"), shared=True)
    assert other is not None
    store.close()
    os.close(other)
    assert main_says_in_use(world.path)
    assert [row.ref for row in world.reader().requests()] == ["r1"]


def test_a_writer_waits_for_readers_and_gives_up_cleanly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "PATIENCE", 0.1)
    monkeypatch.setattr(opening, "connect", lambda path, mode: connection.connect(path, mode, busy_ms=50))
    reader = world.reader()
    with pytest.raises(StateError, match="reading it"):
        world.store()
    reader.close()
    world.store().close()
    assert files(world) == ["production.db"]


class Crowded(sqlite3.Connection):
    """What SQLite says to one of two writers that come to a state at rest in the same moment."""

    turned_away = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if "journal_mode" in sql and not self.turned_away:
            self.turned_away = True
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorname = "SQLITE_BUSY"
            raise busy
        return super().execute(sql, *parameters)


def test_two_writers_that_come_at_once_are_both_let_in(world: World) -> None:
    sql = sqlite3.connect(world.path, factory=Crowded, isolation_level=None)
    presence.mark(world.path, sql)
    assert sql.turned_away
    assert main_says_in_use(world.path)
    presence.unmark(world.path, sql)
    sql.close()
