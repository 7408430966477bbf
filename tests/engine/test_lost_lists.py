"""A create or a confirm whose answer was lost: unknown, until the provider's record or a person says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from campaignkit.engine.overview import left_open, overview
from campaignkit.engine.pace import Pace
from campaignkit.engine.resolver import Desk, Resolution, unknowns
from campaignkit.engine.settling import Settled, SettleJob
from campaignkit.errors import RefusedError
from campaignkit.model.outcomes import Outcome
from campaignkit.provider.port import NotVisibleError
from campaignkit.states.records import RequestState, Step
from campaignkit.wire.records import MailingRecord
from tests.engine.conftest import Bench, environment
from tests.engine.lists import UNREACHABLE, again, apply, delivery, refresh, row_of
from tests.fakes.clock import FakeClock
from tests.fakes.provider import SUBSCRIBERS, FakeReader, FakeSender, record, result

SENT = {"4905": [record("4905", "DRAFT"), record("4905", "SENT")]}


def test_a_lost_create_is_unknown_and_counts_as_one(bench: Bench) -> None:
    done = apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    assert (done.unknown, done.unknown_requests) == (1, ["r1"])
    [one] = unknowns(bench.store, environment(), alive=False)
    assert (one.method, one.step, one.message_id, one.first_phones, one.recipients) == ("list", "create", "", (), 1)


def test_a_lost_confirm_that_counted_is_seen_at_once(bench: Bench) -> None:
    reader = FakeReader(dict(SENT))
    done = apply(bench, FakeSender(None, result(Outcome.UNKNOWN)), reader)
    assert (done.accepted, done.unknown, done.unknown_requests, done.reasons, done.standing) == (SUBSCRIBERS, 0, [], {}, [])
    assert reader.asked == ["4905", "4905"]
    assert row_of(bench).state is RequestState.ACCEPTED
    assert row_of(bench).reason == "confirmed after all: the provider shows it as SENT"


@pytest.mark.parametrize("after", [record("4905", "DRAFT"), record("4905", "ODD"), UNREACHABLE])
def test_a_lost_confirm_that_nothing_shows_is_unknown(bench: Bench, after: object) -> None:
    done = apply(bench, FakeSender(None, result(Outcome.UNKNOWN)), FakeReader({"4905": [record("4905", "DRAFT"), after]}))
    assert (done.accepted, done.unknown, done.unknown_requests) == (0, SUBSCRIBERS, ["r1"])
    row = row_of(bench)
    assert (row.state, row.step, row.uuid) == (RequestState.UNKNOWN, Step.CONFIRM, "4905")
    assert row.listing is not None
    assert row.listing.draft_word == "DRAFT"
    assert left_open(bench.store, ["spring"]) == (SUBSCRIBERS, 0)


def settle(bench: Bench, answer: object, *, locked: bool, after: timedelta = timedelta(hours=1)) -> tuple[Settled, FakeReader]:
    clock = FakeClock()
    clock.sleep(after.total_seconds())
    reader = FakeReader({"4905": answer})
    where = environment() if locked else None
    job = SettleJob(store=bench.store, reader=lambda: reader, clock=clock, pace=Pace(0.0, clock), environment=where)
    return job.run(), reader


@pytest.fixture
def lost(bench: Bench) -> Bench:
    """A confirm whose answer was lost, of which nobody knows whether it counted."""
    apply(bench, FakeSender(None, result(Outcome.UNKNOWN)))
    return bench


@pytest.mark.parametrize("locked", [True, False])
def test_a_later_run_sees_that_it_counted(lost: Bench, locked: bool) -> None:
    settled, _ = settle(lost, record("4905", "SENT"), locked=locked)
    assert [(one.ref, one.people, one.evidence) for one in settled.accepted] == [("r1", SUBSCRIBERS, "the record of 4905, which says SENT")]
    assert row_of(lost).state is RequestState.ACCEPTED


def test_a_later_run_sees_that_it_did_not_count_and_confirms_it(lost: Bench) -> None:
    settled, _ = settle(lost, record("4905", "DRAFT"), locked=True)
    assert [(one.ref, one.message_id) for one in settled.drafts] == [("r1", "4905")]
    assert apply(lost, FakeSender(), plan=again(lost), fresh=False).accepted == SUBSCRIBERS


@pytest.mark.parametrize(
    ("answer", "locked", "after"),
    [
        (record("4905", "DRAFT"), False, timedelta(hours=1)),
        (record("4905", "DRAFT"), True, timedelta(minutes=10)),
        (record("4905", "ODD"), True, timedelta(hours=1)),
        (UNREACHABLE, True, timedelta(hours=1)),
    ],
    ids=["without the lock", "too early", "another word", "unreachable"],
)
def test_else_it_stays_unknown(lost: Bench, answer: object, locked: bool, after: timedelta) -> None:
    settled, reader = settle(lost, answer, locked=locked, after=after)
    assert (settled.accepted, settled.drafts, reader.asked) == ([], [], ["4905"])
    assert row_of(lost).state is RequestState.UNKNOWN
    assert bool(settled.notes) is (answer is UNREACHABLE)


def test_whoever_settles_it_in_that_very_moment_is_right(lost: Bench) -> None:
    class Settling(FakeReader):
        def mailing(self, message_id: str) -> MailingRecord:
            lost.store.resolve("r1", RequestState.ABANDONED, reason="no", at=FakeClock().now())
            return record(message_id, "SENT")

    reader = Settling()
    clock = FakeClock()
    settled = SettleJob(store=lost.store, reader=lambda: reader, clock=clock, pace=Pace(0.0, clock)).run()
    assert settled.accepted == []
    assert row_of(lost).state is RequestState.ABANDONED


def desk(bench: Bench, reader: FakeReader | None = None) -> Desk:
    clock = FakeClock()
    clock.sleep(7200)
    return Desk(store=bench.store, clock=clock, environment=environment(), reader=reader)


def said(to: RequestState, uuid: str = "") -> Resolution:
    return Resolution(to=to, uuid=uuid, reason="looked", expect_people=SUBSCRIBERS)


def created(bench: Bench, shift: timedelta) -> str:
    moment = row_of(bench).intent_at
    assert moment is not None
    return (moment + shift).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(("word", "state"), [("DRAFT", RequestState.DRAFT), ("SENT", RequestState.ACCEPTED)])
def test_a_lost_create_that_was_found_is_what_the_provider_shows(bench: Bench, word: str, state: RequestState) -> None:
    apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    reader = FakeReader({"4905": record("4905", word, created=created(bench, timedelta(hours=3)))})
    assert desk(bench, reader).settle("r1", said(RequestState.ACCEPTED, "4905"))[1] is state
    assert (row_of(bench).state, row_of(bench).uuid) == (state, "4905")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda bench: record("4905", "DRAFT", created=created(bench, timedelta(days=1))), "at another time"),
        (lambda _bench: NotVisibleError("404"), "can't be verified: 404"),
    ],
    ids=["of another day", "of nobody"],
)
def test_an_id_that_can_not_be_ours_is_refused(bench: Bench, answer: Callable[[Bench], object], words: str) -> None:
    apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    with pytest.raises(RefusedError, match=words):
        desk(bench, FakeReader({"4905": answer(bench)})).settle("r1", said(RequestState.ACCEPTED, "4905"))


def test_a_time_that_can_not_be_read_refuses_nothing(bench: Bench) -> None:
    apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    reader = FakeReader({"4905": record("4905", "DRAFT", created="yesterday")})
    assert desk(bench, reader).settle("r1", said(RequestState.ACCEPTED, "4905"))[1] is RequestState.DRAFT


def test_a_lost_confirm_has_one_id_only(lost: Bench) -> None:
    with pytest.raises(RefusedError, match="has the id 4905"):
        desk(lost, FakeReader()).settle("r1", said(RequestState.ACCEPTED, "4906"))


def test_who_calls_a_lost_confirm_accepted_makes_it_no_draft_before_it_can_count_no_more(lost: Bench) -> None:
    """A run that sleeps after its intent, and a record that lags, show a draft whose confirm may count yet."""
    reader = FakeReader({"4905": record("4905", "DRAFT")})
    early = replace(desk(lost, reader), clock=FakeClock())
    with pytest.raises(RefusedError, match="may still be under way: that it is a draft can be said from") as refused:
        early.settle("r1", said(RequestState.ACCEPTED, "4905"))
    assert refused.value.next_command == "campaignkit resolve r1 --accepted --uuid 4905 --env live"
    assert row_of(lost).state is RequestState.UNKNOWN
    assert desk(lost, reader).settle("r1", said(RequestState.ACCEPTED, "4905"))[1] is RequestState.DRAFT


def test_a_word_that_nobody_knows_makes_no_draft_of_a_lost_confirm(lost: Bench) -> None:
    reader = FakeReader({"4905": record("4905", "MODERATED")})
    with pytest.raises(RefusedError, match="shows r1 as MODERATED, which does not say whether its confirm counted") as refused:
        desk(lost, reader).settle("r1", said(RequestState.ACCEPTED, "4905"))
    assert refused.value.next_command == "campaignkit resolve r1 --accepted --no-uuid --env live"
    assert row_of(lost).state is RequestState.UNKNOWN


def test_a_lost_confirm_that_did_not_count_is_a_draft_again(lost: Bench) -> None:
    row, now = desk(lost).settle("r1", said(RequestState.RELEASED))
    assert (row.recipients, now) == (SUBSCRIBERS, RequestState.DRAFT)


def test_a_draft_may_be_dropped_without_a_fence(bench: Bench) -> None:
    apply(bench, FakeSender(), confirm=False)
    early = replace(desk(bench), clock=FakeClock())
    assert early.settle("r1", said(RequestState.RELEASED))[1] is RequestState.RELEASED
    assert apply(bench, FakeSender(first=1)).accepted == SUBSCRIBERS


def test_an_unknown_list_counts_all_its_people(lost: Bench) -> None:
    [campaign] = overview(lost.store, environment(), None).campaigns
    assert (campaign.mailings[0].recipients, campaign.mailings[0].unknown) == (SUBSCRIBERS, SUBSCRIBERS)


def test_a_list_that_a_person_knows_to_have_gone_out_can_be_asked_about(bench: Bench) -> None:
    apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    reader = FakeReader({"4905": record("4905", "SENT", created=created(bench, timedelta(0)))})
    desk(bench, reader).settle("r1", said(RequestState.ACCEPTED, "4905"))
    assert refresh(bench, delivery(0, "READ")).once().polled == 1
    [campaign] = overview(bench.store, environment(), None).campaigns
    assert campaign.mailings[0].statuses == {"READ": 1}
