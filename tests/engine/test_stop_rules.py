"""When a run halts by itself, also with several requests in flight; and what a lost lock stops."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from campaignkit.engine.sending import LOCK_LOST, TAKEN_OVER
from campaignkit.engine.stop_rules import StopWatch
from campaignkit.errors import LockedError, StateError
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.settings import StopRules
from campaignkit.states.records import PlannedBatch, PlannedRequest, RequestState
from campaignkit.states.store import Store
from tests.engine.conftest import FIRST, Bench, environment, mailing
from tests.engine.test_applier import apply, job, states
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeSender, result

ACCEPTED, REJECTED, UNKNOWN = result(Outcome.ACCEPTED), result(Outcome.REJECTED), result(Outcome.UNKNOWN)
OTHER = result(Outcome.REJECTED, reason="another reason")
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def halted_after(rules: StopRules, *ends: SendResult) -> int:
    """How many of these ends a run lets happen."""
    watch = StopWatch(rules)
    return next((number for number, end in enumerate(ends, 1) if watch.observe(end, number)), 0)


@pytest.mark.parametrize(
    ("rules", "ends", "after"),
    [
        (StopRules(), [UNKNOWN], 1),
        (StopRules(), [ACCEPTED, ACCEPTED, UNKNOWN], 3),
        (StopRules(), [ACCEPTED] * 3 + [UNKNOWN, ACCEPTED, UNKNOWN, ACCEPTED, UNKNOWN], 8),
        (StopRules(unknown_in_first=0), [UNKNOWN, UNKNOWN, UNKNOWN], 3),
        (StopRules(unknown_in_first=0, unknowns=0), [UNKNOWN] * 9, 0),
        (StopRules(unknowns=1), [ACCEPTED] * 3 + [UNKNOWN], 4),
        (StopRules(), [REJECTED, REJECTED, REJECTED], 3),
        (StopRules(), [REJECTED, REJECTED, OTHER, REJECTED, REJECTED], 0),
        (StopRules(), [REJECTED, REJECTED, ACCEPTED, REJECTED, REJECTED], 0),
        (StopRules(refusals=1), [REJECTED], 1),
        (StopRules(refusals=0), [REJECTED] * 9, 0),
        (StopRules(refusals=0, unknowns=0, unknown_in_first=0), [result(Outcome.REJECTED, halt=True)], 1),
        (StopRules(refusals=0, unknowns=0, unknown_in_first=0), [result(Outcome.NOT_SENT)], 1),
    ],
)
def test_each_figure_halts_where_it_says(rules: StopRules, ends: list[SendResult], after: int) -> None:
    assert halted_after(rules, *ends) == after


def test_throttles_count_in_a_row() -> None:
    watch = StopWatch(StopRules(throttles=3))
    assert [bool(watch.throttled()) for _ in range(2)] == [False, False]
    watch.observe(ACCEPTED, 1)
    assert [bool(watch.throttled()) for _ in range(3)] == [False, False, True]
    assert not any(StopWatch(StopRules(throttles=0)).throttled() for _ in range(9))


class Numbered(FakeSender):
    """Answers each request by its number within the mailing; before and after its intent it does as it is told."""

    def __init__(
        self, ends: dict[int, SendResult], before: dict[int, Callable[[], object]], after: dict[int, Callable[[], object]]
    ) -> None:
        super().__init__()
        self._ends, self._before, self._after = ends, before, after
        self.refused: list[int] = []
        self.begun: list[int] = []

    def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
        number = int(json.loads(body)["messages"][0]["name"].split()[1].partition("of")[0])
        self._before.get(number, int)()
        if not intent():
            self.refused.append(number)
            return SendResult(outcome=Outcome.NOT_SENT, phase=Phase.CONNECTED, reason="the intent was not granted")
        self.begun.append(number)
        self._after.get(number, int)()
        uuid = f"00000000-0000-11f1-8000-{number:012d}"
        accepted = SendResult(outcome=Outcome.ACCEPTED, phase=Phase.DONE, reason="accepted", uuid=uuid, http_status=200)
        return self._ends.get(number, accepted)


def test_a_slow_unknown_is_one_of_the_first_though_it_ends_late(bench: Bench) -> None:
    """An unknown is slow by nature: while it ran into its deadline, another thread has sent four more."""
    one, sixth = mailing(), threading.Event()
    sender = Numbered({2: UNKNOWN}, {}, {2: lambda: sixth.wait(20), 6: sixth.set})
    done = apply(bench, bench.batches(one, 400), sender, one, where=environment(in_flight=2))
    assert "among the first 3" in done.stopped
    assert done.unknown == 10
    assert len(sender.begun) < 20


def test_nothing_is_begun_once_another_thread_has_halted_the_run(bench: Bench) -> None:
    """Connected already, but without an intent: it stays unsent."""
    one, halted = mailing(), threading.Event()
    heard: list[str] = []

    def third_is_stored() -> None:
        halted.wait(20)
        while bench.store.request("r3") is None or "r3" not in heard:
            pass

    class Listening(list):  # type: ignore[type-arg]  # a list that hears
        def append(self, sent: object) -> None:
            heard.append(sent.ready.ref)  # type: ignore[attr-defined]

    sender = Numbered({3: result(Outcome.REJECTED, halt=True)}, {2: third_is_stored}, {3: halted.set})
    done = apply(bench, bench.batches(one, 40), sender, one, where=environment(in_flight=2), heard=Listening())
    assert (sender.begun, sender.refused) == ([1, 3], [2])
    assert (done.accepted, done.rejected, done.not_sent, done.requests) == (10, 10, 20, 2)
    assert states(bench) == ["accepted", "dissolved", "rejected", "dissolved"]


def test_several_in_flight_begin_nothing_after_the_third_unknown(bench: Bench) -> None:
    one = mailing()
    ends = dict.fromkeys(range(2, 100), UNKNOWN)
    where = environment(in_flight=4, stop_rules=StopRules(unknown_in_first=0))
    done = apply(bench, bench.batches(one, 400), Numbered(ends, {}, {}), one, where=where)
    assert "unknown outcomes" in done.stopped
    assert 30 <= done.unknown <= 60
    assert done.accepted + done.unknown + done.not_sent == 400


def test_a_plan_taken_over_by_another_run_is_not_sent(bench: Bench) -> None:
    """Its lock was taken away, and the next run has dissolved what it planned: the compare-and-set says so."""
    one = mailing()

    def another_run() -> None:
        other = bench.reopen()
        other.recover(AT)
        other.close()

    sender, clock = Numbered({}, {2: another_run}, {}), FakeClock()
    done = apply(bench, bench.batches(one, 40), sender, one, clock=clock)
    assert clock.slept == []  # it is over at once
    assert (sender.begun, sender.refused) == ([1], [2])
    assert (done.accepted, done.not_sent, done.unknown, done.stopped) == (10, 30, 0, TAKEN_OVER)


def test_without_the_lock_no_plan_is_written(bench: Bench) -> None:
    one = mailing()
    before = bench.store.info()
    with pytest.raises(LockedError, match="Nothing was sent by this run"):
        job(bench, bench.batches(one, 5), FakeSender(), one, still_ours=lambda: False).run()
    assert bench.store.info() == before


def test_a_lost_lock_stops_the_run_before_the_next_intent(bench: Bench) -> None:
    one, sender = mailing(), FakeSender()
    done = job(bench, bench.batches(one, 40), sender, one, still_ours=lambda: len(sender.bodies) < 2).run()
    assert (len(sender.bodies), done.accepted, done.not_sent, done.stopped) == (2, 20, 20, LOCK_LOST)


def test_a_run_without_its_lock_settles_nothing_of_another(bench: Bench) -> None:
    """Its own outcome could not be stored; whoever has the lock now has plans and intents of their own."""
    one, whole = mailing(), bench.store

    class Broken:
        def __getattr__(self, name: str) -> object:
            if name == "record":
                raise StateError("the disk is full")
            return getattr(whole, name)

    def another_run() -> None:
        other = bench.reopen()
        other.recover(AT)
        run = other.begin_run(command="apply", digest="d", at=AT)
        batch = PlannedBatch(
            key=mailing("other").key, path="p", line=1, definition="d", tag="ck-other", name="other ck-other",
            phones=FIRST.to_bytes(8, "little"), fingerprints=bytes(16),
        )  # fmt: skip
        other.write_plan(run, [PlannedRequest(batches=(batch,))], AT)
        other.close()

    store: Store = Broken()  # type: ignore[assignment]  # a store that fails at one thing
    bench.store = store
    held = iter([True, True, False, False, False])
    done = job(bench, bench.batches(one, 5), Numbered({}, {}, {1: another_run}), one, spilled=[], still_ours=lambda: next(held)).run()
    bench.store = whole
    assert (done.unknown, "disk is full" in done.broken) == (5, True)
    assert [row.state for row in whole.requests()] == [RequestState.UNKNOWN, RequestState.PLANNED]
