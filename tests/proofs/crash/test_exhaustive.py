"""A sample of what `make prove-crash` does whole: deaths at the points of an apply of two requests."""

from __future__ import annotations

import pytest

from tests.proofs.crash.behaviours import BEHAVIOURS
from tests.proofs.crash.checker import check
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.exhaustive import cells, points

STEP = 67
"""Of the points of each behaviour, every so-manieth; each behaviour begins at another one."""


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_death_at_any_point_keeps_the_promise(behaviour: str, stage: Stage) -> None:
    first = 1 + 7 * tuple(BEHAVIOURS).index(behaviour) % STEP
    died = 0
    for cell in cells(stage, behaviour, step=STEP, first=first):
        evidence = stage.play(cell)
        assert check(evidence) == [], cell
        died += evidence.ends[0].code is None
    assert died


def test_the_points_name_every_step_of_a_send(stage: Stage) -> None:
    passed = points(stage, "accept")
    steps = (
        "lock.acquired", "store.recover.before", "store.recover.after", "planned", "store.begin_run.after", "store.write_plan.before",
        "sql.row", "sql.COMMIT.before", "sql.COMMIT.after", "send.before", "net.connected", "intent.before", "intent.after",
        "net.first_byte.before", "net.half_body", "net.body_sent", "net.status_line", "net.body_read", "store.record.before",
        "store.record.after", "told", "store.dissolve.before", "store.end_run.after", "store.close.before", "store.close.after",
        "lock.released",
    )  # fmt: skip
    assert [step for step in steps if step not in passed] == []
    assert passed.index("intent.after") < passed.index("net.first_byte.before")
