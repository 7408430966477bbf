"""A state of an older version: stepped up by the first command that writes it, with nobody lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.sqlite import migrations, schema, sums
from tests.states.conftest import AT, FIRST, NEWS, Run, World, list_request, new_sqlite, request, result

PEOPLE = tuple(range(FIRST, FIRST + 40))
OLD_TABLES = ("meta", "mailing", "run", "request", "batch", "claim", "word", "event")


@pytest.fixture(params=[1, 2])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A state as an older version left it: forty people accepted, twelve more requests forgotten since."""
    world = _small_world(tmp_path)
    path = tmp_path / "state" / "old.db"
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("PRAGMA page_size = 16384")
        sql.executescript(Path(__file__).with_name(f"schema_{request.param}.sql").read_text("utf-8"))
        sql.execute("ATTACH ? AS new", (str(world.path),))
        for table in OLD_TABLES:
            columns = ", ".join(row[1] for row in sql.execute(f"PRAGMA table_info({table})"))
            sql.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
        sql.execute("UPDATE meta SET schema_version = ?", (request.param,))
        sql.execute("UPDATE sqlite_sequence SET seq = seq + 12 WHERE name = 'request'")
        if request.param > 1:
            sums.register(sql)
            for table, columns in migrations._COLUMNS_2.items():
                sql.execute(f"UPDATE {table} SET checksum = row_sum({columns})")
        sql.commit()
    found = World(path)
    yield found
    for left in found.stores:
        left.close()


def _small_world(folder: Path) -> World:
    world = new_sqlite(folder)
    store = world.store()
    run = Run(store, store.begin_run(command="apply", digest="d", at=AT))
    [ref] = run.plan(request(PEOPLE))
    assert store.mark_intent(ref, AT) == 1
    store.record(ref, 1, result(Outcome.ACCEPTED, "uuid-of-it"), AT)
    store.word_id("NEW")
    store.end_run(run.id, summary="{}", at=AT)
    store.close()
    return world


def test_only_a_writer_steps_it_up_and_everyone_is_still_there(old: World) -> None:
    with pytest.raises(StateError, match="older campaignkit"):
        old.reader()
    store = old.store()
    assert store.info().schema_version == schema.SCHEMA_VERSION
    assert store.problems() == []
    assert store.known([1], PEOPLE).keys() == set(PEOPLE)
    row = store.request("r1")
    assert row is not None
    assert (row.method, row.step, row.uuid, row.listing) == ("bulk", "", "uuid-of-it", None)
    store.close()
    assert old.reader().problems() == []


def test_what_was_forgotten_lends_its_name_to_nobody(old: World) -> None:
    store = old.store()
    run = Run(store, store.begin_run(command="apply", digest="d", at=AT))
    [ref] = run.plan(list_request())
    assert ref == "r14"
    run.end(ref, Outcome.ACCEPTED, "4905", count=4)
    assert run.holds(0, key=NEWS) == {0}
    assert store.problems() == []


def test_the_rows_that_point_to_a_table_made_anew_are_asked_again_afterwards(old: World) -> None:
    store = old.store()
    store.close()
    with closing(sqlite3.connect(old.path)) as sql:
        assert sql.execute("PRAGMA foreign_key_check").fetchall() == []
        [(parents,)] = sql.execute("SELECT count(*) FROM pragma_foreign_key_list('batch') WHERE \"table\" = 'request'").fetchall()
        assert parents == 1


def test_a_damaged_request_gets_no_new_sum(old: World) -> None:
    with closing(sqlite3.connect(old.path)) as sql:
        [(version,)] = sql.execute("SELECT schema_version FROM meta").fetchall()
        sql.execute("UPDATE request SET uuid = 'uuid-of-iu'")
        sql.commit()
    if version == 1:
        pytest.skip("version 1 had no sums to tell it by")
    with pytest.raises(StateError, match="row 1 of request: the checksum is wrong"):
        old.store()
    with closing(sqlite3.connect(old.path)) as sql:
        assert sql.execute("SELECT schema_version FROM meta").fetchall() == [(2,)]
