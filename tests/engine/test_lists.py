"""List mailings: a draft that costs nothing, confirmed once, found by later plans; and what everyone of the list got."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from campaignkit.engine.confirming import one_draft
from campaignkit.engine.overview import overview, people
from campaignkit.engine.sending import Sent
from campaignkit.errors import RefusedError
from campaignkit.model.mailings import FINGERPRINT_BYTES
from campaignkit.model.outcomes import Outcome
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.plans.plan import Draft
from campaignkit.protocol.messages import Done
from campaignkit.states.records import RequestState, Step
from campaignkit.wire.records import DeliveryRow
from tests.canary import TOKEN
from tests.engine.conftest import FIRST, Bench, environment, head, list_mailing, mailing
from tests.engine.lists import again, apply, delivery, plan_of, refresh, row_of
from tests.engine.test_planner import job
from tests.fakes.clock import FakeClock
from tests.fakes.front import ended
from tests.fakes.front import people as people_of
from tests.fakes.provider import SUBSCRIBERS, FakeReader, FakeSender, result


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


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT])
def test_a_create_that_did_not_count_is_made_by_the_next_run(bench: Bench, outcome: Outcome) -> None:
    done = apply(bench, FakeSender(*[result(outcome)] * 9))
    assert getattr(done, outcome) == 1
    assert row_of(bench).state not in {RequestState.DRAFT, RequestState.ACCEPTED}
    assert apply(bench, FakeSender()).accepted == SUBSCRIBERS


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
