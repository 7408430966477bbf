"""How fast requests begin, and how long a safe repetition waits."""

from __future__ import annotations

import random

import pytest

from campaignkit.engine.pace import LONGEST_WAIT, Pace, backoff
from tests.fakes.clock import FakeClock


def test_requests_begin_evenly_at_the_rate_and_the_first_at_once() -> None:
    clock = FakeClock()
    pace, begun = Pace(4.0, clock), []
    for _ in range(5):
        pace.wait()
        begun.append(clock.monotonic())
    assert begun == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_a_slow_request_pushes_nobody_and_no_time_is_made_up_for() -> None:
    clock = FakeClock()
    pace, begun = Pace(1.0, clock), []
    for took in (5.0, 0.0, 0.0):
        pace.wait()
        begun.append(clock.monotonic())
        clock.forward(took)
    assert begun == [0, 5, 6]


def test_a_rate_of_zero_waits_for_nothing() -> None:
    clock = FakeClock()
    pace = Pace(0.0, clock)
    for _ in range(3):
        pace.wait()
    assert clock.slept == []


def test_what_is_due_begins_without_waiting_and_counts() -> None:
    clock = FakeClock()
    pace = Pace(2.0, clock)
    assert (pace.due(), pace.due()) == (True, False)
    clock.forward(0.5)
    assert (pace.due(), pace.due()) == (True, False)
    pace.wait()
    assert clock.slept == [0.5]
    free = Pace(0.0, clock)
    assert free.due()
    assert free.due()


def test_waits_double_with_jitter_up_to_a_bound_and_never_undercut_the_provider() -> None:
    chance = random.Random(1)
    for attempt in range(1, 20):
        full = min(LONGEST_WAIT, 0.5 * 2 ** (attempt - 1))
        assert full / 2 <= backoff(attempt, chance) <= full
        assert backoff(attempt, chance, retry_after=17.0) >= 17.0
