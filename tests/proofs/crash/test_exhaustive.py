"""A sample of what `make prove-crash` does whole: deaths at the points of an apply of two requests."""

from __future__ import annotations

import pytest

from tests.proofs.crash.behaviours import BULK, CONFIRM
from tests.proofs.crash.checker import check
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.exhaustive import ROWS, cell, points

SHORTEST = 160
"""Points that every row has; the sample takes one of each row, spread over them."""


@pytest.mark.parametrize(("method", "behaviour"), ROWS)
def test_a_death_at_any_point_keeps_the_promise(method: str, behaviour: str, stage: Stage) -> None:
    one = cell(method, behaviour, 1 + 61 * ROWS.index((method, behaviour)) % SHORTEST)
    evidence = stage.play(one)
    assert check(evidence) == [], one
    assert evidence.ends[0].code is None


def test_the_points_name_every_step_of_a_send(stage: Stage) -> None:
    passed = points(stage, BULK, "accept")
    steps = (
        "lock.acquired", "store.recover.before", "store.recover.after", "planned", "store.begin_run.after", "store.write_plan.before",
        "sql.row", "sql.COMMIT.before", "sql.COMMIT.after", "send.before", "net.connected", "intent.before", "intent.after",
        "net.first_byte.before", "net.half_body", "net.body_sent", "net.status_line", "net.body_read", "store.record.before",
        "store.record.after", "told", "store.dissolve.before", "store.end_run.after", "store.close.before", "store.close.after",
        "lock.released",
    )  # fmt: skip
    assert [step for step in steps if step not in passed] == []
    assert passed.index("intent.after") < passed.index("net.first_byte.before")


def test_a_list_is_looked_at_between_its_create_and_its_confirm(stage: Stage) -> None:
    passed = points(stage, CONFIRM, "accept")
    assert [passed.count(point) for point in ("send.before", "read.after", "store.note_draft.after", "net.body_sent")] == [2, 1, 1, 2]
    created, confirmed = (at for at, point in enumerate(passed) if point == "net.body_sent")
    assert created < passed.index("read.after") < passed.index("store.note_draft.after") < confirmed
