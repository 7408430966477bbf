"""The state as a file: what may stand there, what is refused, what is left behind."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states import flocks
from campaignkit.states.opening import create, open_reader, open_store
from campaignkit.states.records import RequestState
from campaignkit.states.sqlite import connection, flaws, migrations, opening, presence, schema
from campaignkit.states.sqlite.presence import main_says_in_use, side_file
from campaignkit.states.sqlite.writing import SqliteStore
from tests.states.conftest import (
    AT,
    ENVIRONMENT,
    FIRST,
    INVITATION,
    LINEAGE,
    ORIGIN,
    Run,
    World,
    limited,
    new_sqlite,
    request,
    result,
)

ROOT = Path(__file__).parents[2]


def files(world: World) -> list[str]:
    return sorted(path.name for path in world.path.parent.iterdir())


def refusal(path: Path, *, lineage: str | None = LINEAGE, environment: str = ENVIRONMENT, origin: str = ORIGIN) -> StateError:
    """The error with which both entrances refuse, alike, without touching a byte."""
    content = path.read_bytes() if path.is_file() else None
    with pytest.raises(StateError, match="othing was sent") as read:
        open_reader(path, environment=environment, origin=origin, lineage=lineage)
    with pytest.raises(StateError, match="othing was sent") as written:
        open_store(path, environment=environment, origin=origin, lineage=lineage)
    assert read.value.message == written.value.message
    assert str(path) in read.value.message
    assert (path.read_bytes() if path.is_file() else None) == content
    return read.value


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_sqlite(tmp_path)


def die_while_writing(world: World, *, steps: str = "") -> None:
    """A process that plans one request, marks its intent, and is killed."""
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.states.conftest import *
store = World(Path({str(world.path)!r})).store()
run = Run(store, store.begin_run(command="apply", digest="", at=AT))
[ref] = run.plan(request([FIRST, FIRST + 1]))
assert store.mark_intent(ref, AT) == 1
{steps}
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=60)
    assert done.returncode == -9, done.stderr


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


def test_the_main_file_says_that_it_is_in_use_before_anything_else(world: World) -> None:
    assert not main_says_in_use(world.path)
    store = world.store()
    assert main_says_in_use(world.path)
    assert side_file(world.path, "-wal").stat().st_size > 0
    store.close()
    assert not main_says_in_use(world.path)
    assert files(world) == ["production.db"]
    store.close()


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


def test_who_was_forgotten_is_not_in_the_file(world: World) -> None:
    store = world.store()
    Run(store, store.begin_run(command="apply", digest="", at=AT)).plan(request([FIRST]))
    store.forget(INVITATION, reason="asked to", at=AT)
    store.close()
    content = world.path.read_bytes()
    assert FIRST.to_bytes(8, "little") not in content
    assert FIRST.to_bytes(6, "big") not in content
