"""A draft is confirmed when it was looked at, nothing speaks against its number, and nobody else was there; else it stays a draft."""

from __future__ import annotations

import random

import pytest

from campaignkit.engine.applier import ApplyJob
from campaignkit.engine.confirming import Reading, objection, one_draft, reading
from campaignkit.engine.sending import StopFlag
from campaignkit.errors import RefusedError, UsageError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.records import RequestState
from tests.canary import TOKEN
from tests.engine.conftest import Bench, list_mailing, mailing
from tests.engine.lists import UNREACHABLE, again, apply, batches, plan_of, row_of
from tests.engine.test_applier import TAGS
from tests.fakes.clock import FakeClock
from tests.fakes.provider import SUBSCRIBERS, FakeReader, FakeSender, record, result


@pytest.mark.parametrize(
    ("least", "most", "count", "allowed", "words"),
    [
        (None, None, None, None, ""),
        (None, None, 9, 9, ""),
        (4, 4, 4, 4, ""),
        (5, None, 4, None, "at least 5"),
        (None, 3, 4, None, "at most 3"),
        (None, None, 4, 3, "leave room for 3"),
        (None, None, 4, -7, "leave room for 0"),
        (1, None, None, None, "did not say how many"),
        (None, 9, None, None, "did not say how many"),
        (None, None, None, 9, "did not say how many"),
    ],
)
def test_what_speaks_against_a_number_of_subscribers(
    least: int | None, most: int | None, count: int | None, allowed: int | None, words: str
) -> None:
    said = objection(list_mailing(expect_min=least, expect_max=most), count, allowed=allowed)
    assert words in said if words else said == ""


def test_an_unexpected_number_of_subscribers_leaves_the_draft(bench: Bench) -> None:
    sender = FakeSender()
    done = apply(bench, sender, one=list_mailing(expect_max=3))
    assert sender.confirmed == []
    assert done.held == ["spring/news (r1): it would go to 4 subscribers; expect_subscribers says at most 3"]
    assert (done.held_people, done.not_sent, done.waiting) == (SUBSCRIBERS, SUBSCRIBERS, ["spring/news"])
    assert row_of(bench).state is RequestState.DRAFT


def test_limits_count_the_people_of_lists_and_of_everybody_else(bench: Bench) -> None:
    """Room for six: two people by name, then lists of four each, of which none has room beside them twice."""
    one = list_mailing()
    plan = bench.plan(one, mailing("bulk"))
    plan.campaigns[0].mailings[1].counts.send = 2
    done = apply(bench, FakeSender(), plan=plan, one=one, allowed=4)
    assert "leave room for 3" in done.held[0]


def test_a_second_list_finds_less_room(bench: Bench) -> None:
    one, two = list_mailing(), list_mailing("more")
    sender, readers = FakeSender(), FakeReader()
    job = ApplyJob(
        plan=bench.plan(one, two), batches=[*batches(bench, one), *batches(bench, two)], spool=bench.spool, store=bench.store,
        sender=sender, clock=FakeClock(), entropy=lambda count: next(TAGS).to_bytes(count, "little"), chance=random.Random(1),
        token=TOKEN, stop=StopFlag(), tell=lambda _sent: None, spill=lambda *_: None, reader=lambda: readers, allowed=7,
    )  # fmt: skip
    done = job.run()
    assert (done.accepted, done.held_people) == (4, 4)
    assert "leave room for 3" in done.held[0]


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT])
def test_a_confirm_that_did_not_count_leaves_the_draft_for_the_next_run(bench: Bench, outcome: Outcome) -> None:
    done = apply(bench, FakeSender(None, *[result(outcome)] * 9))
    assert getattr(done, outcome) == SUBSCRIBERS
    assert row_of(bench).state is RequestState.DRAFT
    assert apply(bench, FakeSender(), plan=again(bench), fresh=False).accepted == SUBSCRIBERS


def test_what_can_not_be_looked_at_is_not_confirmed(bench: Bench) -> None:
    sender = FakeSender()
    done = apply(bench, sender, FakeReader({"4905": UNREACHABLE}))
    assert sender.confirmed == []
    assert (done.not_sent, done.held, done.standing) == (SUBSCRIBERS, [], ["spring/news (r1)"])
    assert "its record can't be read before it is confirmed" in next(iter(done.reasons))


def test_what_somebody_confirmed_elsewhere_is_left_to_a_person(bench: Bench) -> None:
    sender = FakeSender()
    done = apply(bench, sender, FakeReader({"4905": record("4905", "SENT")}))
    assert done.standing == []  # it is held, and that is said
    assert sender.confirmed == []
    assert "confirmed in the cabinet" in done.held[0]


def test_a_run_that_stopped_confirms_nothing(bench: Bench) -> None:
    one, two = list_mailing(), list_mailing("more")
    sender = FakeSender(None, result(Outcome.UNKNOWN))
    readers = FakeReader()
    done = ApplyJob(
        plan=bench.plan(one, two), batches=[*batches(bench, one), *batches(bench, two)], spool=bench.spool, store=bench.store,
        sender=sender, clock=FakeClock(), entropy=lambda count: next(TAGS).to_bytes(count, "little"), chance=random.Random(1),
        token=TOKEN, stop=StopFlag(), tell=lambda _sent: None, spill=lambda *_: None, reader=lambda: readers,
    ).run()  # fmt: skip
    assert (done.unknown, done.not_sent, sender.confirmed) == (1, SUBSCRIBERS, [])
    assert [row.state for row in bench.store.requests()] == [RequestState.DRAFT, RequestState.UNKNOWN]


def test_a_draft_that_somebody_settled_meanwhile_is_left_alone(bench: Bench) -> None:
    apply(bench, FakeSender(), confirm=False)
    plan = again(bench)
    bench.store.resolve("r1", RequestState.ABANDONED, reason="no", at=FakeClock().now())
    sender = FakeSender()
    assert apply(bench, sender, plan=plan, fresh=False).not_sent == SUBSCRIBERS
    assert sender.bodies == []


@pytest.mark.parametrize(
    ("word", "draft_word", "found"),
    [
        ("DRAFT", "DRAFT", Reading.DRAFT),
        ("draft", "DRAFT", Reading.DRAFT),
        ("SENT", "SENT", Reading.DRAFT),
        ("SENT", "DRAFT", Reading.COUNTED),
        ("READ", "NEW", Reading.COUNTED),
        ("SENT", "", Reading.UNCLEAR),
        ("MODERATED", "NEW", Reading.UNCLEAR),
        ("", "", Reading.UNCLEAR),
        ("", "DRAFT", Reading.UNCLEAR),
    ],
)
def test_a_record_is_read_against_what_it_said_as_a_draft(word: str, draft_word: str, found: Reading) -> None:
    assert reading(word, draft_word) is found


def test_only_drafts_are_confirmed(bench: Bench) -> None:
    plan, _ = plan_of(bench, list_mailing())
    with pytest.raises(RefusedError, match="no draft of it stands"):
        one_draft(plan, "spring/news")
    with pytest.raises(UsageError, match="no mailing 'spring/other'"):
        one_draft(plan, "spring/other")
    with pytest.raises(UsageError, match="goes to no list"):
        one_draft(bench.plan(mailing()), "spring/invitation")
