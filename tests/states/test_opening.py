"""What is no state, or not the one it is to be, is refused by both entrances alike, and no byte of it is touched."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.states.opening import create, open_reader, open_store
from campaignkit.states.sqlite import connection, flaws, migrations, schema
from campaignkit.states.sqlite.presence import side_file
from tests.states.conftest import AT, ENVIRONMENT, FIRST, LINEAGE, ORIGIN, Run, World, limited, request, sqlite_world
from tests.states.sqlite_files import files, refusal

world = sqlite_world


def test_a_place_too_deep_for_sqlite_is_refused_and_left_as_it_was(world: World, tmp_path: Path) -> None:
    """It opens no path of more than 512 characters, which systems allow."""
    deep = tmp_path / ("a" * 200) / ("b" * 200) / ("c" * 200) / "s.db"
    with pytest.raises(StateError, match="cannot be opened"):
        create(deep, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)
    assert list(deep.parent.iterdir()) == []
    shutil.copy(world.path, deep)
    assert "it cannot be opened (unable to open database file)" in refusal(deep).message
    assert list(deep.parent.iterdir()) == [deep]


def test_a_missing_state(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    error = refusal(path, lineage=None)
    assert error.next_command == "campaignkit state init --env production"
    error = refusal(path)
    assert f"--replace-lost {LINEAGE}" in error.next_command
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.touch()
    assert "empty" in refusal(path).message
    path.write_text("campaign: spring-sale\n" * 1000)
    assert "damaged, or no database" in refusal(path).message
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE meta (x)").connection.close()
    assert "no tables of campaignkit" in refusal(path).message
    path.unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as others:
        others.executescript("PRAGMA journal_mode = WAL; CREATE TABLE orders (x); INSERT INTO orders VALUES (1)")
        assert side_file(path, "-wal").stat().st_size > 0  # its own program has it open
        assert "no tables of campaignkit" in refusal(path).message
        assert others.execute("SELECT x FROM orders").fetchall() == [(1,)]
    path.unlink()
    path.mkdir()
    assert "no regular file" in refusal(path).message
    assert "not supported yet" in _unsupported().message


def _unsupported() -> StateError:
    with pytest.raises(StateError) as caught:
        open_reader("postgresql://db/x", environment=ENVIRONMENT, origin=ORIGIN, lineage=None)
    return caught.value


@pytest.mark.parametrize("suffix", ["", "-wal", "-journal"])
def test_links_are_refused(world: World, tmp_path: Path, suffix: str) -> None:
    if suffix:
        side_file(world.path, suffix).symlink_to(tmp_path / "elsewhere")
        assert "symbolic link" in refusal(world.path).message
        assert not (tmp_path / "elsewhere").exists()
    else:
        link = tmp_path / "link.db"
        link.symlink_to(world.path)
        assert "symbolic link" in refusal(link).message


def test_a_state_that_lost_its_own_row_is_refused(world: World) -> None:
    with closing(sqlite3.connect(world.path, isolation_level=None)) as sql:
        sql.execute("DELETE FROM meta")
    error = refusal(world.path)
    assert "does not say whose state it is" in error.message
    assert error.next_command == f"campaignkit state restore FILE --accept-lost-history --env {ENVIRONMENT}"


def test_a_state_that_another_program_keeps_for_itself_is_told_as_busy(world: World) -> None:
    with closing(sqlite3.connect(world.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as caught, closing(connection.connect(world.path, "ro", busy_ms=0)) as sql:
            sql.execute("SELECT 1 FROM meta")
    error = flaws.from_sqlite(flaws.Expected(world.path, ENVIRONMENT, ORIGIN, LINEAGE), caught.value)
    assert f"{world.path}: another process keeps it busy (database is locked); nothing was sent. Wait" in error.message


def test_a_process_that_may_open_no_more_files_writes_nothing_and_leaves_nothing(world: World) -> None:
    """It can look at the state, and say that it comes; then it can't open it for writing."""
    with limited(unused_descriptor() + 1, of=resource.RLIMIT_NOFILE), pytest.raises(StateError, match="cannot be opened"):
        world.store()
    assert files(world) == ["production.db"]
    world.store().close()


def unused_descriptor() -> int:
    """The number that the next opened file gets."""
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.close(descriptor)
    return descriptor


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"environment": "sandbox"}, "environment 'production', not of 'sandbox'"),
        ({"origin": "https://other.by"}, "origin 'https://app.sms.by', not of 'https://other.by'"),
        ({"lineage": "feedface"}, "campaignkit.lock records"),
    ],
)
def test_the_state_of_something_else(world: World, settings: dict[str, str], words: str) -> None:
    assert words in refusal(world.path, **settings).message
    assert files(world) == ["production.db"]


def test_without_a_recorded_lineage_any_will_do(world: World) -> None:
    open_store(world.path, environment=ENVIRONMENT, origin=ORIGIN, lineage=None).close()


def test_a_newer_schema_is_refused_and_an_older_one_stepped_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def one(sql: sqlite3.Connection) -> None:
        sql.execute("ALTER TABLE run ADD COLUMN extra TEXT")

    def broken(sql: sqlite3.Connection) -> None:
        sql.execute("CREATE TABLE half_done (x)")
        sql.execute("this is no SQL")

    world.store().close()
    for module in (schema, flaws):
        monkeypatch.setattr(module, "SCHEMA_VERSION", 5)
    monkeypatch.setitem(migrations.STEPS, 3, one)
    monkeypatch.setitem(migrations.STEPS, 4, broken)
    with pytest.raises(StateError, match="older campaignkit"):
        world.reader()
    with pytest.raises(StateError):
        world.store()
    assert files(world) == ["production.db"]
    with pytest.raises(StateError, match="schema 3, now 5"):
        world.reader()
    monkeypatch.setitem(migrations.STEPS, 4, lambda sql: sql.execute("CREATE TABLE half_done (x)"))
    store = world.store()
    assert store.info().schema_version == 5
    store.close()
    monkeypatch.undo()
    assert "newer campaignkit" in refusal(world.path).message


def test_a_copy_in_use_is_refused_without_its_wal(world: World, tmp_path: Path) -> None:
    store = world.store()
    Run(store, store.begin_run(command="apply", digest="", at=AT)).plan(request([FIRST]))
    copy = tmp_path / "copy.db"
    shutil.copy(world.path, copy)
    assert "without its copy.db-wal" in refusal(copy).message
    side_file(copy, "-wal").touch()
    assert "without its copy.db-wal" in refusal(copy).message
    side_file(copy, "-wal").unlink()
    shutil.copy(side_file(world.path, "-wal"), side_file(copy, "-wal"))
    copied = world.store(copy)
    assert [row.ref for row in copied.requests()] == ["r1"]
    copied.close()
    store.close()
    shutil.copy(world.path, tmp_path / "later.db")
    assert [row.ref for row in world.reader(tmp_path / "later.db").requests()] == ["r1"]
