"""Apply against scripted providers and a real state: every end of a request, and who is left."""

from __future__ import annotations

import json
import random
import signal
from array import array
from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from campaignkit.engine.applier import Applied, ApplyJob
from campaignkit.engine.packing import PackedBatch
from campaignkit.engine.sending import Ready, Sent, StopFlag
from campaignkit.errors import LockedError, StateError
from campaignkit.model.mailings import Mailing
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.settings import Environment, StopRules
from campaignkit.states.records import RequestState
from campaignkit.states.store import Store
from tests.canary import TOKEN
from tests.engine.conftest import FIRST, Bench, environment, mailing
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeSender, result

TAGS = iter(range(1, 100_000))


def apply(
    bench: Bench, batches: list[PackedBatch], sender: FakeSender, *mailings: Mailing, clock: FakeClock | None = None,
    where: Environment | None = None, stop: StopFlag | None = None, heard: list[Sent] | None = None, store: Store | None = None,
    spilled: list[tuple[str, int, SendResult]] | None = None,
) -> Applied:  # fmt: skip
    return job(
        bench, batches, sender, *mailings, clock=clock, where=where, stop=stop, heard=heard, store=store, spilled=spilled,
    ).run()  # fmt: skip


def job(
    bench: Bench, batches: list[PackedBatch], sender: FakeSender, *mailings: Mailing, clock: FakeClock | None = None,
    where: Environment | None = None, stop: StopFlag | None = None, heard: list[Sent] | None = None, store: Store | None = None,
    spilled: list[tuple[str, int, SendResult]] | None = None, still_ours: Callable[[], bool] = lambda: True,
) -> ApplyJob:  # fmt: skip
    def spill(ready: Ready, attempt: int, result: SendResult) -> None:
        assert spilled is not None, "nothing must be spilled"
        spilled.append((ready.ref, attempt, result))

    return ApplyJob(
        plan=bench.plan(*mailings, where=where), batches=batches, spool=bench.spool, store=store or bench.store, sender=sender,
        clock=clock or FakeClock(), entropy=lambda count: next(TAGS).to_bytes(count, "little"), chance=random.Random(1), token=TOKEN,
        stop=stop or StopFlag(), tell=(heard if heard is not None else []).append, spill=spill, still_ours=still_ours,
    )  # fmt: skip


def states(bench: Bench) -> list[str]:
    return [str(row.state) for row in bench.store.requests()]


def claimed(bench: Bench) -> int:
    return sum(known.claimed for known in bench.store.mailings())


def test_everyone_accepted_is_claimed_and_named_uniquely(bench: Bench) -> None:
    one = mailing()
    sender = FakeSender()
    done = apply(bench, bench.batches(one, 25), sender, one)
    assert done.summary() == {"type": "summary", "accepted": 25, "rejected": 0, "throttled": 0, "not_sent": 0, "unknown": 0, "requests": 3}
    bodies = [json.loads(body) for body in sender.bodies]
    names = [message["name"] for body in bodies for message in body["messages"]]
    assert len(set(names)) == 3
    assert [name.split()[1] for name in names] == ["1of3", "2of3", "3of3"]
    assert {body["token"] for body in bodies} == {TOKEN}
    assert claimed(bench) == 25


def test_a_refusal_frees_its_people_and_leaves_the_rest_of_the_mailing(bench: Bench) -> None:
    """A refused first request of a mailing leaves the rest of that mailing unsent; another mailing goes on."""
    one, two = mailing("one"), mailing("two")
    batches = bench.batches(one, 25) + bench.batches(two, 5)
    done = apply(bench, batches, FakeSender(result(Outcome.REJECTED)), one, two)
    assert (done.rejected, done.not_sent, done.accepted) == (10, 15, 5)
    assert claimed(bench) == 5


def test_an_unknown_first_request_stops_the_run_and_keeps_its_people(bench: Bench) -> None:
    one = mailing()
    done = apply(bench, bench.batches(one, 25), FakeSender(result(Outcome.UNKNOWN)), one)
    assert (done.unknown, done.not_sent) == (10, 15)
    assert "unknown outcome among the first" in done.stopped
    assert claimed(bench) == 10
    assert states(bench) == ["unknown", "dissolved", "dissolved"]


def test_throttles_are_repeated_with_growing_waits_and_end_bounded(bench: Bench) -> None:
    one, clock = mailing(), FakeClock()
    where = environment(stop_rules=StopRules(throttles=0))
    done = apply(bench, bench.batches(one, 5), FakeSender(*[result(Outcome.THROTTLED)] * 9), one, clock=clock, where=where)
    assert (done.throttled, done.not_sent, claimed(bench)) == (5, 0, 0)
    assert len(clock.slept) == 5
    assert clock.slept[-1] > clock.slept[0]


def test_five_throttles_in_a_row_stop_the_run(bench: Bench) -> None:
    one = mailing()
    sender = FakeSender(*[result(Outcome.THROTTLED)] * 9)
    done = apply(bench, bench.batches(one, 25), sender, one)
    assert "throttled 5 times" in done.stopped
    assert len(sender.bodies) == 5
    assert (done.throttled, done.not_sent, claimed(bench)) == (10, 15, 0)


def test_the_providers_retry_after_is_waited_for(bench: Bench) -> None:
    one, clock = mailing(), FakeClock()
    done = apply(bench, bench.batches(one, 5), FakeSender(result(Outcome.THROTTLED, retry_after=17.0)), one, clock=clock)
    assert done.accepted == 5
    assert clock.slept == [17.0]


def test_a_connection_never_made_is_repeated_then_the_run_stops(bench: Bench) -> None:
    one = mailing()
    unreachable = SendResult(outcome=Outcome.NOT_SENT, phase=Phase.CONNECTING, reason="refused")
    sender = FakeSender(*[unreachable] * 9)
    done = apply(bench, bench.batches(one, 25), sender, one)
    assert (done.not_sent, done.unknown, len(sender.bodies), claimed(bench)) == (25, 0, 0, 0)
    assert "can't be reached" in done.stopped
    assert apply(bench, bench.batches(one, 25), FakeSender(), one).accepted == 25


def test_an_answer_that_concerns_every_request_halts(bench: Bench) -> None:
    one = mailing()
    sender = FakeSender(result(Outcome.REJECTED, reason="HTTP 403", halt=True))
    done = apply(bench, bench.batches(one, 25, canary=False), sender, one)
    assert (done.rejected, done.not_sent, len(sender.bodies)) == (10, 15, 1)


def test_a_schedule_that_passes_during_the_run_is_not_sent(bench: Bench) -> None:
    clock = FakeClock()
    one = mailing("late", schedule=clock.now() - timedelta(seconds=1))
    two = mailing("next")
    sender = FakeSender()
    done = apply(bench, bench.batches(one, 15) + bench.batches(two, 5), sender, one, two, clock=clock)
    assert (done.not_sent, done.accepted, len(sender.bodies)) == (15, 5, 1)
    assert not done.stopped


def test_an_interrupt_finishes_the_request_in_flight_and_frees_the_rest(bench: Bench) -> None:
    one, stop = mailing(), StopFlag()
    heard: list[Sent] = []

    class Interrupting(list[Sent]):
        def append(self, sent: Sent) -> None:
            heard.append(sent)
            stop.requested = True

    done = apply(bench, bench.batches(one, 25), FakeSender(), one, stop=stop, heard=Interrupting())
    assert (done.accepted, done.not_sent, done.interrupted) == (10, 15, True)
    assert claimed(bench) == 10


def test_several_in_flight_send_each_request_once_after_the_canary(bench: Bench) -> None:
    one = mailing()
    sender = FakeSender()
    done = apply(bench, bench.batches(one, 400), sender, one, where=environment(in_flight=4))
    phones = [phone for body in sender.bodies for message in json.loads(body)["messages"] for phone in message["delivery_list"]]
    assert done.accepted == 400
    assert sorted(phones) == [str(FIRST + number) for number in range(400)]


def test_threads_that_send_leave_signals_to_the_one_that_waits(bench: Bench) -> None:
    one = mailing()
    blocked: list[set[int]] = []

    class Asking(FakeSender):
        def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
            blocked.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
            return super().send_bulk(body, intent=intent)

    assert apply(bench, bench.batches(one, 40), Asking(), one, where=environment(in_flight=4)).accepted == 40
    canary, *rest = blocked
    assert signal.SIGTERM not in canary
    assert all({signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= each for each in rest)


def test_several_batches_travel_in_one_request_but_never_of_two_campaigns(bench: Bench) -> None:
    one, two = mailing("one"), mailing("two", campaign="summer")
    plan = bench.plan(one, two)
    plan.batches_per_request = 3
    batches = bench.batches(one, 45, canary=False) + bench.batches(two, 5, canary=False)
    sender = FakeSender()
    ApplyJob(
        plan=plan, batches=batches, spool=bench.spool, store=bench.store, sender=sender, clock=FakeClock(),
        entropy=lambda count: next(TAGS).to_bytes(count, "little"), chance=random.Random(1), token="", stop=StopFlag(),
        tell=lambda _sent: None, spill=lambda *_: None,
    ).run()  # fmt: skip
    assert [len(json.loads(body)["messages"]) for body in sender.bodies] == [3, 2, 1]


def test_intent_is_durable_before_the_first_byte(bench: Bench) -> None:
    one = mailing()
    seen: list[RequestState] = []

    class Looking(FakeSender):
        def send_bulk(self, body: bytes, *, intent: object) -> SendResult:
            assert callable(intent)
            assert intent()
            other = bench.reopen()
            seen.extend(row.state for row in other.requests())
            other.close()
            return result(Outcome.UNKNOWN)

    apply(bench, bench.batches(one, 5), Looking(), one)
    assert seen == [RequestState.INTENT]


def test_requests_in_flight_never_mix_their_people(bench: Bench) -> None:
    """Each body carries exactly the people of its own batch, however many are read at once."""
    one = mailing()
    sender = FakeSender()
    batches = bench.batches(one, 3000, size=7)
    assert apply(bench, batches, sender, one, where=environment(in_flight=8)).accepted == 3000
    held: dict[str, list[int]] = {}
    for request in bench.store.requests():
        for batch in request.batches:
            phones = array("q")
            phones.frombytes(batch.phones)
            held[batch.name] = list(phones)
    for body in sender.bodies:
        for message in json.loads(body)["messages"]:
            assert [int(phone) for phone in message["delivery_list"]] == held[message["name"]]


def test_a_listener_that_has_gone_stops_nothing(bench: Bench) -> None:
    class Gone(list[Sent]):
        def append(self, sent: Sent) -> None:
            raise BrokenPipeError

    one = mailing()
    assert apply(bench, bench.batches(one, 25), FakeSender(), one, heard=Gone()).accepted == 25


class Broken:
    """A store that fails at one thing."""

    def __init__(self, store: Store, error: BaseException, *, at: str = "record") -> None:
        self._store = store
        self._error = error
        self._at = at

    def __getattr__(self, name: str) -> object:
        if name == self._at:
            raise self._error
        return getattr(self._store, name)


@pytest.mark.parametrize("error", [StateError("the disk is full"), KeyboardInterrupt()])
def test_an_outcome_that_can_not_be_stored_is_spilled_and_its_people_are_unknown(bench: Bench, error: BaseException) -> None:
    """The state breaks after the provider accepted: nobody is lost, nobody is sent to again, and the uuid is kept."""
    one = mailing()
    spilled: list[tuple[str, int, SendResult]] = []
    broken = cast("Store", Broken(bench.store, error))
    done = apply(bench, bench.batches(one, 25), FakeSender(), one, store=broken, spilled=spilled)
    assert (done.unknown, done.not_sent, done.accepted) == (10, 15, 0)
    assert done.interrupted == isinstance(error, KeyboardInterrupt)
    assert claimed(bench) == 10
    [(ref, attempt, result)] = spilled
    assert (ref, attempt, result.outcome) == ("r1", 1, Outcome.ACCEPTED)
    assert result.uuid


def test_an_interrupt_in_the_middle_of_a_wait_closes_the_books(bench: Bench) -> None:
    class Impatient(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    one = mailing()
    done = apply(bench, bench.batches(one, 25), FakeSender(result(Outcome.THROTTLED)), one, clock=Impatient())
    assert (done.interrupted, done.not_sent, done.unknown) == (True, 25, 0)
    assert claimed(bench) == 0


def test_nobody_whom_another_run_claimed_meanwhile_is_sent_to(bench: Bench) -> None:
    """The plan was made before somebody else's apply: the claim is refused as a whole, and nothing goes out."""
    one = mailing()
    batches = bench.batches(one, 25)
    assert apply(bench, bench.batches(one, 1, start=FIRST + 24), FakeSender(), one).accepted == 1
    sender = FakeSender()
    with pytest.raises(LockedError, match=r"claimed some of these people meanwhile\. Nothing was sent") as caught:
        apply(bench, batches, sender, one)
    assert caught.value.next_command == "campaignkit plan"
    assert (sender.bodies, claimed(bench)) == ([], 1)


def test_books_that_can_not_be_closed_are_said_and_nobody_is_free_or_lost(bench: Bench) -> None:
    """The state breaks at the very end: what was sent stands, and the next run frees the rest."""
    one = mailing()
    broken = cast("Store", Broken(bench.store, StateError("the disk is full"), at="dissolve"))
    done = apply(bench, bench.batches(one, 25), FakeSender(result(Outcome.UNKNOWN)), one, store=broken)
    assert (done.broken, done.unknown, done.not_sent) == ("the disk is full", 10, 15)
    assert claimed(bench) == 25
    bench.store.recover(FakeClock().now())
    assert claimed(bench) == 10


def test_the_first_reason_of_a_broken_state_is_the_one_that_is_said(bench: Bench) -> None:
    one = mailing()
    spilled: list[tuple[str, int, SendResult]] = []
    first = Broken(bench.store, StateError("the outcome"), at="record")
    both = cast("Store", Broken(cast("Store", first), StateError("the end"), at="end_run"))
    done = apply(bench, bench.batches(one, 5), FakeSender(), one, store=both, spilled=spilled)
    assert (done.broken, done.unknown, len(spilled)) == ("the outcome", 5, 1)


def test_a_request_that_waits_for_its_pace_does_not_even_connect_once_the_operator_stops(bench: Bench) -> None:
    one, stop = mailing(), StopFlag()

    class Stopping(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            stop.requested = True

    connected: list[bytes] = []

    class Counting(FakeSender):
        def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
            connected.append(body)
            return super().send_bulk(body, intent=intent)

    done = apply(bench, bench.batches(one, 25), Counting(), one, clock=Stopping(), where=environment(rate=1.0), stop=stop)
    assert (done.accepted, done.not_sent, done.requests, len(connected)) == (10, 15, 1, 1)
    assert states(bench) == ["accepted", "dissolved", "dissolved"]
