"""One flipped bit: noticed wherever somebody could be sent to twice on its word."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.records import BatchUpdate, RequestState
from campaignkit.states.sqlite import sums
from campaignkit.states.store import ClaimConflictError
from tests.states.conftest import AT, FIRST, INVITATION, LAST_DAY, Run, World, list_request, new_sqlite, request, result

PEOPLE = tuple(range(FIRST, FIRST + 40))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two mailings: accepted, unknown, abandoned, refused requests, at rest in one file."""
    world = new_sqlite(tmp_path)
    store = world.store()
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    refs = run.plan(*(request(PEOPLE[at : at + 10]) for at in range(0, 40, 10)), request(PEOPLE[:5], LAST_DAY))
    for ref, outcome in zip(refs, (Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.REJECTED), strict=True):
        assert store.mark_intent(ref, AT) == 1
        store.record(ref, 1, result(outcome, f"uuid-of-{ref}" if outcome is Outcome.ACCEPTED else ""), AT)
    store.resolve(refs[2], RequestState.ABANDONED, reason="nobody knows", at=AT)
    store.word_id("DELIVERED")
    [listed] = run.plan(list_request())
    run.end(listed, Outcome.ACCEPTED, "4905", count=2)
    store.end_run(run.id, summary="{}", at=AT)
    store.close()
    _fill_the_rest(world.path)
    yield world
    for opened in world.stores:
        opened.close()


def _fill_the_rest(path: Path) -> None:
    """A row in each of the tables that runs do not fill."""
    with closing(sqlite3.connect(path)) as sql:
        sums.register(sql)
        sql.execute("INSERT INTO incoming VALUES (1, '1234', '4905', 6, ?, 'stop', '2026-11-23', '2026-11-23', NULL, 0)", (FIRST,))
        sql.execute("INSERT INTO optout VALUES (?, '2026-11-23', 'asked', 1, 'a person', 0)", (1,))
        sql.execute(
            "INSERT INTO test_send (id, campaign, mailing, phone, rendered_for, state, at, http_status)"
            " VALUES (1, 'c', 'm', ?, ?, 'accepted', '2026', 200)",
            (FIRST, FIRST),
        )
        sql.execute("INSERT INTO message (id, request_id, message_id) VALUES (1, 1, '8483')")
        for table in ("incoming", "message", "optout", "test_send"):
            sums.seal(sql, table, 1)
        sql.commit()


def flip(world: World, table: str, column: str, row: str = "1") -> None:
    """Change a value as one wrong bit would, past every program."""
    with closing(sqlite3.connect(world.path)) as sql:
        [(value,)] = sql.execute(f"SELECT {column} FROM {table} WHERE rowid = {row}").fetchall()
        if isinstance(value, int):
            changed: object = value ^ 64
        elif isinstance(value, bytes):
            changed = bytes([value[0] ^ 1, *value[1:]]) if value else b"\1"
        else:
            changed = chr(ord((value or " ")[0]) ^ 1) + (value or " ")[1:]
        sql.execute("PRAGMA ignore_check_constraints = ON")
        sql.execute("PRAGMA foreign_keys = OFF")
        sql.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = {row}", (changed,))
        sql.commit()


COLUMNS = [
    (table, column.strip()) for table, columns in sums.COLUMNS.items() for column in columns.split(",") if (table, column) != ("meta", "id")
]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_verifying_finds_every_changed_value(world: World, table: str, column: str) -> None:
    reader = world.reader()
    assert reader.problems() == []
    reader.close()
    flip(world, table, column, f"(SELECT min(rowid) FROM {table})")
    try:
        reader = world.reader()
    except StateError:
        return  # the state's own row: it is not even opened
    assert any(f"of {table} " in problem or "checksum" in problem for problem in reader.problems()), reader.problems()


@pytest.mark.parametrize("column", ["state", "uuid", "attempts"])
def test_a_damaged_request_is_neither_read_nor_changed(world: World, column: str) -> None:
    flip(world, "request", column)
    store = world.store()
    for attempt in (
        lambda: list(store.requests()),
        lambda: store.request("r1"),
        lambda: store.known([1], PEOPLE),
        lambda: store.mark_intent("r1", AT),
        lambda: store.record("r1", 1, result(Outcome.UNKNOWN), AT),
        lambda: store.record_poll("r1", [], final=False, at=AT, seen=None),
        lambda: store.resolve("r1", RequestState.ABANDONED, reason="x", at=AT),
    ):
        with pytest.raises(StateError, match="checksum is wrong"):
            attempt()


def test_an_outcome_is_not_written_over_a_damaged_row(world: World) -> None:
    flip(world, "request", "reason", "2")
    with pytest.raises(StateError, match="checksum is wrong"):
        world.store().record("r2", 1, result(Outcome.ACCEPTED, "late"), AT)


@pytest.mark.parametrize("column", ["phones", "fingerprints", "refused", "statuses", "mailing_id"])
def test_a_damaged_batch_is_neither_read_nor_changed(world: World, column: str) -> None:
    flip(world, "batch", column)
    store = world.store()
    with pytest.raises(StateError, match="checksum is wrong"):
        store.known([1], PEOPLE)
    for read in (lambda: list(store.requests()), lambda: store.request("r1")):
        with pytest.raises(StateError, match="checksum is wrong"):
            read()
    with pytest.raises(StateError, match=r"checksum is wrong|no batch of it holds"):
        store.forget(INVITATION, reason="x", at=AT)


@pytest.mark.parametrize("column", ["fingerprints", "errors", "refused"])
def test_a_damaged_batch_is_not_taught(world: World, column: str) -> None:
    flip(world, "batch", column)
    store = world.store()
    update = BatchUpdate(batch_id=1, statuses=bytes(10), details=b"", errors=(), error_first_at=None, refused=False)
    with pytest.raises(StateError, match="row 1 of batch: the checksum is wrong"):
        store.record_poll("r1", [update], final=False, at=AT, seen=None)


def test_a_change_of_a_row_renews_its_sum_whatever_the_new_values_are(world: World) -> None:
    store = world.store()
    for at, (errors, first, refused) in enumerate([((), None, False), (("Отказ", '"'), AT, True), (("Отказ",), AT, False)]):
        update = BatchUpdate(
            batch_id=1, statuses=bytes([at] * 10), details=b"\0x" * at, errors=errors, error_first_at=first, refused=refused
        )  # fmt: skip
        seen = AT if at else None
        assert store.record_poll("r1", [update], final=bool(at), at=AT, seen=seen, answer="не понято".encode() * at)
        row = store.request("r1")
        assert row is not None
        assert (row.batches[0].statuses, row.batches[0].errors, row.batches[0].refused) == (update.statuses, errors, refused)
        assert store.problems() == []


@pytest.mark.parametrize(
    "damage",
    [
        f"UPDATE claim SET phone = phone + 1024 WHERE mailing_id = 1 AND phone = {FIRST}",
        f"UPDATE claim SET mailing_id = 3 WHERE mailing_id = 1 AND phone = {FIRST}",
        f"UPDATE claim SET position = 4 WHERE mailing_id = 1 AND phone = {FIRST}",
        f"UPDATE claim SET batch_id = 2 WHERE mailing_id = 1 AND phone = {FIRST}",
        f"UPDATE claim SET batch_id = 99 WHERE mailing_id = 1 AND phone = {FIRST}",
        f"DELETE FROM claim WHERE mailing_id = 1 AND phone = {FIRST}",
        "UPDATE mailing SET claims = claims - 1 WHERE id = 1",
    ],
)
def test_a_damaged_claim_stops_the_plan_and_the_claiming(world: World, damage: str) -> None:
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute(damage)
        sql.commit()
    store = world.store()
    with pytest.raises(StateError, match="checksum is wrong"):
        store.known([1], PEOPLE)
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    if "position" in damage or "batch_id" in damage:
        with pytest.raises(ClaimConflictError):  # whose it is does not matter: it is held
            run.plan(request([FIRST]))
    else:
        with pytest.raises(StateError, match="checksum is wrong"):
            run.plan(request([FIRST]))


def test_who_asks_for_no_people_is_told_of_a_batch_whose_mailing_is_gone(world: World) -> None:
    """It would be missing from the figures, and its people with it. What else is damaged there decides nothing about them."""
    flip(world, "batch", "fingerprints")
    assert len(list(world.reader().requests(with_people=False))) == 6
    world.stores[-1].close()
    flip(world, "batch", "mailing_id")
    with pytest.raises(StateError, match="batch 1 of r1"):
        list(world.reader().requests(with_people=False))


def test_claims_are_given_back_all_or_none(world: World) -> None:
    """One of them became another batch's: who of them may be sent to again is not known any more."""
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute("UPDATE claim SET batch_id = 1, position = 99 WHERE phone = ?", (PEOPLE[10],))
        sql.commit()
    store = world.store()
    with pytest.raises(StateError, match=r"Batch 2 holds 9 claims where the state says 10\. Nothing changed"):
        store.resolve("r2", RequestState.RELEASED, reason="the cabinet shows nothing", at=AT)
    row = store.request("r2")
    assert row is not None
    assert row.state is RequestState.UNKNOWN
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    with pytest.raises(ClaimConflictError):
        run.plan(request([PEOPLE[11]]))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE claim SET batch_id = 1, position = 99 WHERE batch_id = 7 AND position = 0",
        "UPDATE claim SET batch_id = 7, position = 99 WHERE batch_id = 1 AND position = 0",
        "DELETE FROM claim WHERE batch_id = 7 AND position = 0",
        "UPDATE mailing SET id = 99 WHERE id = 1",
    ],
)
def test_what_a_dead_run_had_planned_is_given_back_all_or_none(world: World, damage: str) -> None:
    """One claim is another batch's, or gone, or nobody knows of which mailing: nobody is freed."""
    store = world.store()
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    assert run.plan(request(range(FIRST + 1000, FIRST + 1003)), request(range(FIRST + 2000, FIRST + 2003))) == ["r7", "r8"]
    store.close()
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute("PRAGMA foreign_keys = OFF")
        assert sql.execute(damage).rowcount == 1
        sql.commit()
    store = world.store()
    with pytest.raises(StateError, match="damaged"):
        store.recover(AT)
    store.close()
    with closing(sqlite3.connect(world.path)) as sql:
        assert sql.execute("SELECT id FROM request WHERE state = 'planned'").fetchall() == [(7,), (8,)]


def test_a_mailing_that_its_index_hides_is_still_found(world: World) -> None:
    """A damaged index would make a second mailing of the same name, and everybody new."""
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute("PRAGMA writable_schema = ON")
        sql.execute("UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'batch_by_mailing')"
                    " WHERE name = 'sqlite_autoindex_mailing_1'")  # fmt: skip
        sql.commit()
    store = world.store()
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    with pytest.raises((ClaimConflictError, StateError)):
        run.plan(request([FIRST]))


@pytest.mark.parametrize("seed", range(8))
def test_no_flipped_bit_of_the_file_frees_anybody(world: World, seed: int, tmp_path: Path) -> None:
    """Wherever in the file: everyone who is held stays held, or the state is refused. Never a second claim."""
    sound = world.path.read_bytes()
    chance = random.Random(seed)
    refused = 0
    for _ in range(40):
        at, bit = chance.randrange(len(sound)), 1 << chance.randrange(8)
        copy = tmp_path / "copy.db"
        copy.write_bytes(sound[:at] + bytes([sound[at] ^ bit]) + sound[at + 1 :])
        for rest in ("-wal", "-shm", "-journal"):
            copy.with_name(f"copy.db{rest}").unlink(missing_ok=True)
        opened = World(copy)
        try:
            run = Run(store := opened.store(), store.begin_run(command="apply", digest="", at=AT))
            with pytest.raises(ClaimConflictError):
                run.plan(request([chance.choice(PEOPLE), FIRST + 1_000]))
            known = store.known([1], PEOPLE)
            assert {
                phone for phone in PEOPLE if known[phone].state in {RequestState.ACCEPTED, RequestState.UNKNOWN, RequestState.ABANDONED}
            } == set(PEOPLE)
        except StateError:
            refused += 1
        finally:
            for left in opened.stores:
                left.close()
    assert refused < 40
