"""List mailings: a draft that costs nothing, then a confirm that does; each is done once, whatever gets lost."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from campaignkit.engine.applier import Applied, ApplyJob
from campaignkit.engine.confirming import Reading, objection, one_draft, reading
from campaignkit.engine.overview import left_open, overview, people
from campaignkit.engine.pace import Pace
from campaignkit.engine.packing import PackedBatch, Packer
from campaignkit.engine.planner import PlanJob
from campaignkit.engine.refresher import RefreshJob
from campaignkit.engine.resolver import Desk, Resolution, unknowns
from campaignkit.engine.sending import Ready, Sent, StopFlag
from campaignkit.engine.settling import Settled, SettleJob
from campaignkit.errors import ProviderError, RefusedError, UsageError
from campaignkit.model.mailings import FINGERPRINT_BYTES, LIST_PHONE, Mailing
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.plans.plan import Draft, Plan
from campaignkit.protocol.messages import LIST_ELEMENT, Chunk, Done
from campaignkit.provider.port import NotVisibleError
from campaignkit.states.records import RequestRow, RequestState, Step
from campaignkit.wire.records import DeliveryRow, Listing, MailingRecord
from tests.canary import TOKEN
from tests.engine.conftest import FIRST, Bench, environment, head, list_mailing, mailing
from tests.engine.test_applier import TAGS
from tests.engine.test_planner import job
from tests.fakes.clock import FakeClock
from tests.fakes.front import ended
from tests.fakes.front import people as people_of
from tests.fakes.provider import SUBSCRIBERS, FakeReader, FakeSender, record, result

UNREACHABLE = ProviderError("the provider could not be asked")
SENT = {"4905": [record("4905", "DRAFT"), record("4905", "SENT")]}


def batches(bench: Bench, one: Mailing) -> list[PackedBatch]:
    packer = Packer(mailing=one, spool=bench.spool, batch_size=100, first=10, canary=True)
    packer.add(Chunk(array("q", [LIST_PHONE]), bytes(FINGERPRINT_BYTES), array("I", [len(LIST_ELEMENT)]), LIST_ELEMENT), None)
    return packer.finish()


def apply(
    bench: Bench, sender: FakeSender, reader: FakeReader | None = None, *, one: Mailing | None = None, confirm: bool = True,
    allowed: int | None = None, heard: list[Sent] | None = None, clock: FakeClock | None = None, plan: Plan | None = None,
    fresh: bool = True, spilled: list[SendResult] | None = None,
) -> Applied:  # fmt: skip
    """One apply of one list mailing: made now (`fresh`), or as the plan says."""
    one = one or list_mailing()

    def spill(_ready: Ready, _attempt: int, result: SendResult) -> None:
        assert spilled is not None, "nothing must be spilled"
        spilled.append(result)

    made = plan or bench.plan(one)
    for campaign in made.campaigns:
        for found in campaign.mailings:
            found.counts.send = found.counts.rows = 1
    readers = reader or FakeReader()
    return ApplyJob(
        plan=made, batches=batches(bench, one) if fresh else [], spool=bench.spool, store=bench.store, sender=sender,
        clock=clock or FakeClock(), entropy=lambda count: next(TAGS).to_bytes(count, "little"), chance=random.Random(1), token=TOKEN,
        stop=StopFlag(), tell=(heard if heard is not None else []).append, spill=spill, confirm=confirm, allowed=allowed,
        reader=lambda: readers,
    ).run()  # fmt: skip


def row_of(bench: Bench, ref: str = "r1") -> RequestRow:
    found = bench.store.request(ref)
    assert found is not None
    return found


def again(bench: Bench, one: Mailing | None = None) -> Plan:
    """The plan of another run, which finds the draft."""
    plan = bench.plan(one or list_mailing())
    row = row_of(bench)
    plan.campaigns[0].mailings[0].draft = Draft(
        request=row.ref, tag=row.batches[0].tag, message_id=row.uuid, subscribers=row.listing.subscribers if row.listing else None
    )
    return plan


def test_a_draft_is_made_looked_at_and_confirmed(bench: Bench) -> None:
    sender, reader, heard = FakeSender(), FakeReader(), list[Sent]()
    done = apply(bench, sender, reader, one=list_mailing(schedule_wire="2094-12-01 10:00"), heard=heard)
    fields = dict(parse_qsl(sender.bodies[0].decode()))
    name = fields.pop("name")
    assert name.startswith("spring/news 1of1 ck-")
    assert fields == {
        "token": TOKEN, "vibername_id": "12", "list_id": "77", "type_message": "TEXT", "message": "Hi", "d_schedule": "2094-12-01 10:00",
    }  # fmt: skip
    assert (sender.confirmed, reader.asked) == (["4905"], ["4905"])
    assert done.summary() == {
        "type": "summary", "accepted": SUBSCRIBERS, "rejected": 0, "throttled": 0, "not_sent": 0, "unknown": 0, "requests": 1,
    }  # fmt: skip
    row = row_of(bench)
    assert (row.state, row.step, row.uuid, row.recipients) == (RequestState.ACCEPTED, Step.CONFIRM, "4905", SUBSCRIBERS)
    assert [(sent.ready.step, sent.people) for sent in heard] == [(Step.CREATE, 0), (Step.CONFIRM, SUBSCRIBERS)]


def test_without_confirm_a_draft_waits(bench: Bench) -> None:
    sender = FakeSender()
    done = apply(bench, sender, confirm=False)
    assert (done.drafts, done.waiting, done.accepted, done.not_sent) == (1, ["spring/news"], 0, 0)
    assert done.summary()["drafts"] == 1
    assert sender.confirmed == []
    assert row_of(bench).state is RequestState.DRAFT
    [campaign] = overview(bench.store, environment(), None).campaigns
    [found] = campaign.mailings
    assert found.recipients == 0
    assert [(line.outcome, line.recipients) for line in found.requests] == [("draft", SUBSCRIBERS)]
    assert list(people(bench.store)) == []


def test_a_draft_of_an_earlier_run_is_only_confirmed(bench: Bench) -> None:
    apply(bench, FakeSender(), confirm=False)
    sender = FakeSender()
    done = apply(bench, sender, plan=again(bench), fresh=False)
    assert (done.accepted, done.requests) == (SUBSCRIBERS, 1)
    assert sender.bodies == [b"4905"]
    assert row_of(bench).state is RequestState.ACCEPTED


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
def test_a_create_that_did_not_count_is_made_by_the_next_run(bench: Bench, outcome: Outcome) -> None:
    done = apply(bench, FakeSender(*[result(outcome)] * 9))
    assert getattr(done, outcome) == 1
    assert row_of(bench).state not in {RequestState.DRAFT, RequestState.ACCEPTED}
    assert apply(bench, FakeSender()).accepted == SUBSCRIBERS


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT])
def test_a_confirm_that_did_not_count_leaves_the_draft_for_the_next_run(bench: Bench, outcome: Outcome) -> None:
    done = apply(bench, FakeSender(None, *[result(outcome)] * 9))
    assert getattr(done, outcome) == SUBSCRIBERS
    assert row_of(bench).state is RequestState.DRAFT
    assert apply(bench, FakeSender(), plan=again(bench), fresh=False).accepted == SUBSCRIBERS


def test_a_lost_create_is_unknown_and_counts_as_one(bench: Bench) -> None:
    done = apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    assert (done.unknown, done.unknown_requests) == (1, ["r1"])
    [one] = unknowns(bench.store, environment(), alive=False)
    assert (one.method, one.step, one.message_id, one.first_phones, one.recipients) == ("list", "create", "", (), 1)


def test_a_lost_confirm_that_counted_is_seen_at_once(bench: Bench) -> None:
    reader = FakeReader(dict(SENT))
    done = apply(bench, FakeSender(None, result(Outcome.UNKNOWN)), reader)
    assert (done.accepted, done.unknown, done.unknown_requests) == (SUBSCRIBERS, 0, [])
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


def test_what_can_not_be_looked_at_is_not_confirmed(bench: Bench) -> None:
    sender = FakeSender()
    done = apply(bench, sender, FakeReader({"4905": UNREACHABLE}))
    assert sender.confirmed == []
    assert (done.not_sent, done.held) == (SUBSCRIBERS, [])
    assert "its record can't be read before it is confirmed" in next(iter(done.reasons))


def test_what_somebody_confirmed_elsewhere_is_left_to_a_person(bench: Bench) -> None:
    sender = FakeSender()
    done = apply(bench, sender, FakeReader({"4905": record("4905", "SENT")}))
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


def refresh(bench: Bench, *rows: DeliveryRow, notes: tuple[str, ...] = (), cost: str = "0.19600 EUR") -> RefreshJob:
    reader = FakeReader({"deliveries 4905": Listing(rows, notes), "4905": record("4905", "SENT", cost=cost)})
    return RefreshJob(store=bench.store, reader=reader, clock=FakeClock(), environment=environment(), campaigns=[])


def delivery(at: int, status: str, code: str = "") -> DeliveryRow:
    return DeliveryRow(100 + at, FIRST + at, status, code)


def test_everyone_of_the_list_gets_a_status_and_the_mailing_a_cost(bench: Bench) -> None:
    apply(bench, FakeSender())
    done = refresh(bench, delivery(0, "READ"), delivery(1, "UNDELIVERED", "9"), delivery(2, "NEW"), notes=("odd",)).once()
    assert (done.polled, done.changed, done.final, done.pending, done.notes) == (1, 3, 0, 1, ["r1: odd"])
    [campaign] = overview(bench.store, environment(), None).campaigns
    [found] = campaign.mailings
    assert (found.recipients, found.unreported, found.cost) == (SUBSCRIBERS, 1, "0.19600 EUR")
    assert found.statuses == {"READ": 1, "UNDELIVERED": 1, "NEW": 1}
    assert [(error.message, error.recipients) for error in found.errors] == [("error code 9 (UNDELIVERED)", 1)]
    assert [(one.phone, one.status) for one in people(bench.store, phone=FIRST + 1)] == [(FIRST + 1, "UNDELIVERED")]
    done = refresh(bench, *(delivery(at, "READ") for at in range(4)), cost="").once()
    assert (done.changed, done.final, done.pending) == (3, 1, 0)
    [campaign] = overview(bench.store, environment(), None).campaigns
    assert (campaign.mailings[0].statuses, campaign.mailings[0].cost) == ({"READ": 4}, "0.19600 EUR")


def test_nobody_goes_backwards_and_nobody_is_lost_when_the_provider_names_fewer(bench: Bench) -> None:
    apply(bench, FakeSender())
    refresh(bench, delivery(0, "READ"), delivery(1, "DELIVERED")).once()
    done = refresh(bench, delivery(0, "SENT"), DeliveryRow(None, None, "READ", "")).once()
    assert done.notes == ["r1: a delivery without a readable phone"]
    [campaign] = overview(bench.store, environment(), None).campaigns
    assert campaign.mailings[0].statuses == {"READ": 1, "DELIVERED": 1}


def test_a_list_larger_than_was_said_is_counted_as_it_is(bench: Bench) -> None:
    apply(bench, FakeSender())
    refresh(bench, *(delivery(at, "READ") for at in range(6))).once()
    [campaign] = overview(bench.store, environment(), None).campaigns
    assert (campaign.mailings[0].recipients, campaign.mailings[0].unreported) == (6, 0)


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


def plan_of(bench: Bench, one: Mailing, *, print_: bytes = bytes(FINGERPRINT_BYTES), **settings: object) -> tuple[Plan, PlanJob]:
    """The plan that a run would make of this list mailing, with the fingerprint that its content has now."""
    chunk = Chunk(array("q", [LIST_PHONE]), print_, array("I", [len(LIST_ELEMENT)]), LIST_ELEMENT)
    made = job(bench, one, chunk, ended(1), Done(suppressions=""), heads=[head("news")], where=environment(**settings))
    return made.run(), made


def test_a_plan_finds_the_draft_and_packs_nothing(bench: Bench) -> None:
    apply(bench, FakeSender(), confirm=False)
    plan, made = plan_of(bench, list_mailing())
    [found] = plan.campaigns[0].mailings
    assert (plan.counts.send, plan.counts.requests, made.batches) == (1, 1, [])
    assert found.draft == Draft(request="r1", tag=row_of(bench).batches[0].tag, message_id="4905", subscribers=SUBSCRIBERS)
    assert (plan.reach, plan.at_stake) == (SUBSCRIBERS, SUBSCRIBERS)
    assert one_draft(plan, "spring/news").campaigns[0].mailings == [found]


def test_a_draft_of_other_content_is_told_with_the_way_out(bench: Bench) -> None:
    apply(bench, FakeSender(), confirm=False)
    plan, _ = plan_of(bench, list_mailing(), print_=b"x" * FINGERPRINT_BYTES)
    assert (plan.counts.send, plan.counts.edited) == (0, 1)
    assert plan.notes[0].endswith("campaignkit resolve r1 --not-sent --reason TEXT --expect-people 4")
    with pytest.raises(RefusedError, match="other content"):
        one_draft(plan, "spring/news")


def test_a_draft_whose_time_has_passed_is_late(bench: Bench) -> None:
    apply(bench, FakeSender(), confirm=False)
    plan, _ = plan_of(bench, list_mailing(schedule_utc=FakeClock().now() - timedelta(hours=1)))
    assert (plan.counts.send, plan.counts.late) == (0, 1)


def test_only_drafts_are_confirmed(bench: Bench) -> None:
    plan, _ = plan_of(bench, list_mailing())
    with pytest.raises(RefusedError, match="no draft of it stands"):
        one_draft(plan, "spring/news")
    with pytest.raises(UsageError, match="no mailing 'spring/other'"):
        one_draft(plan, "spring/other")
    with pytest.raises(UsageError, match="goes to no list"):
        one_draft(bench.plan(mailing()), "spring/invitation")


@pytest.mark.parametrize("inert", [True, False])
def test_a_lost_create_is_planned_anew_only_where_drafts_are_inert(bench: Bench, inert: bool) -> None:
    apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    plan, _ = plan_of(bench, list_mailing(), provider=ProviderBehaviour(drafts_are_inert=inert))
    assert (plan.counts.send, plan.counts.unknown) == (int(inert), int(not inert))


def test_who_opted_out_is_suppressed_before_everything_else(bench: Bench) -> None:
    assert bench.store.opt_out(FIRST + 1, reason="asked", at=FakeClock().now(), by="a person")
    plan = job(bench, mailing(), people_of(range(FIRST, FIRST + 3)), ended(3), Done(suppressions=""), heads=[head()]).run()
    assert (plan.counts.suppressed, plan.counts.send, plan.not_to_message) == (1, 2, 1)
    assert plan.counts.accounted == plan.counts.rows


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
