"""The state as a file: how it is made, whose rights it has, and what it keeps when the disk is full or somebody is forgotten."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.opening import create, open_reader
from campaignkit.states.records import RequestState
from campaignkit.states.sqlite import schema
from campaignkit.states.sqlite.writing import SqliteStore
from tests.states.conftest import AT, ENVIRONMENT, FIRST, INVITATION, LINEAGE, ORIGIN, Run, World, limited, request, result, sqlite_world
from tests.states.sqlite_files import ROOT, files

world = sqlite_world


def test_importing_the_room_imports_no_database() -> None:
    code = "import sys, campaignkit.states.opening, campaignkit.states.lock, campaignkit.states.export; print('sqlite3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_every_file_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder = tmp_path / "state"
        folder.mkdir()
        folder.chmod(0o700)
        world = World(folder / "s.db")
        create(world.path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)
        store = world.store()
        store.note(kind="note", subject="", detail="", at=AT)
        assert files(world) == ["s.db", "s.db-shm", "s.db-wal", "s.db.writers"]
        assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
        store.close()
    finally:
        os.umask(before)


def test_rights_given_to_others_are_taken_back(world: World) -> None:
    world.path.chmod(0o644)
    world.store().close()
    assert stat.S_IMODE(world.path.stat().st_mode) == 0o600


def test_create_makes_the_folder_and_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "s.db"
    create(path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)
    assert [p.name for p in path.parent.iterdir()] == ["s.db"]
    with pytest.raises(StateError, match="stands there already"):
        create(path, environment=ENVIRONMENT, origin=ORIGIN, lineage="other", at=AT)
    open_reader(path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE).close()


def test_create_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere")
    (tmp_path / "lost.db-wal").write_bytes(b"claims")
    for name in ("empty.db", "link.db", "lost.db"):
        with pytest.raises(StateError):
            create(tmp_path / name, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)
    assert not (tmp_path / "nowhere").exists()
    assert not (tmp_path / "lost.db").exists()
    with pytest.raises(StateError, match="no state can be made there"):
        create(tmp_path / "empty.db" / "s.db", environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)


@pytest.mark.parametrize("room", [0, 100, schema.PAGE_SIZE, 3 * schema.PAGE_SIZE])
def test_a_state_that_the_disk_has_no_room_for_is_not_begun(tmp_path: Path, room: int) -> None:
    """Half a state would stand in the way of a whole one, and pass for one that was lost."""
    path = tmp_path / "s.db"
    with limited(room), pytest.raises(StateError, match="not stored"):
        create(path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)
    assert list(tmp_path.iterdir()) == []
    create(path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)
    open_reader(path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE).close()


def test_a_full_disk_stores_nothing_and_says_so(world: World) -> None:
    store = world.store()
    assert isinstance(store, SqliteStore)
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    [ref] = run.plan(request([FIRST]))
    assert store.mark_intent(ref, AT) == 1
    pages = store._db.sql.execute("PRAGMA page_count").fetchone()[0]
    store._db.sql.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateError, match="disk is full"):
        run.plan(*(request(range(FIRST + i, FIRST + i + 100)) for i in range(100, 9_000, 100)))
    store._db.sql.execute("PRAGMA max_page_count = 1000000")
    assert store.record(ref, 1, result(Outcome.ACCEPTED, "u"), AT) is RequestState.ACCEPTED
    assert store.problems() == []
    store.close()


def test_who_was_forgotten_is_not_in_the_file(world: World) -> None:
    store = world.store()
    Run(store, store.begin_run(command="apply", digest="", at=AT)).plan(request([FIRST]))
    store.forget(INVITATION, reason="asked to", at=AT)
    store.close()
    content = world.path.read_bytes()
    assert FIRST.to_bytes(8, "little") not in content
    assert FIRST.to_bytes(6, "big") not in content
