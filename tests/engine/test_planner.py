"""Plans of a played front against a real state: one fate for everyone, counts that add up, and the very batches that apply sends."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.engine.packing import PackedBatch, requests
from campaignkit.engine.planner import PlanJob
from campaignkit.errors import DefinitionError
from campaignkit.intake.talk import Resumed, Word
from campaignkit.model.counts import Counts
from campaignkit.model.outcomes import Outcome
from campaignkit.model.settings import Environment, Project
from campaignkit.plans.classify import Fate
from campaignkit.plans.plan import Plan
from campaignkit.protocol.messages import CampaignHead, Done, Index
from campaignkit.states.records import RequestState
from campaignkit.wire.statuses import StatusAnswer
from tests.engine.conftest import FIRST, Bench, environment, head, mailing, project
from tests.engine.test_applier import apply
from tests.engine.test_refresher import job as refresh
from tests.engine.test_refresher import name, refused
from tests.fakes.clock import FakeClock
from tests.fakes.front import PlayedFront, ended, people
from tests.fakes.provider import FakeReader, FakeSender, result

DONE = Done(suppressions="")
NOW = FakeClock().now()


def phones(count: int, start: int = 0) -> range:
    return range(FIRST + start, FIRST + start + count)


def said(count: int, *, start: int = 0, text: int = 0, **mailings: str) -> tuple[Word, ...]:
    """One mailing with so many people."""
    return mailing(**mailings), people(phones(count, start), text), ended(count)  # type: ignore[arg-type]  # by name


def job(
    bench: Bench, *words: Word, heads: Sequence[CampaignHead] = (), files: Sequence[CampaignHead] = (), where: Environment | None = None,
    settings: Project | None = None, problems: Sequence[Diagnostic] = (), retry: bool = False, stateless: bool = False,
) -> PlanJob:  # fmt: skip
    """A plan to be made of `heads`, out of all the project's `files`."""
    chosen = tuple(heads) or (head(),)
    only = where or environment()
    return PlanJob(
        front=PlayedFront(*words, problems=problems).as_front(), project=settings or project(only), environment=only,
        index=Index(campaigns=tuple(files) or chosen), heads=chosen, reader=None if stateless else bench.store, now=NOW,
        retry_rejected=retry, spool=bench.spool,
    )  # fmt: skip


def fates(counts: Counts) -> dict[str, int]:
    """The fates of live people, without zeros; and everyone of the rows has exactly one."""
    assert counts.accounted == counts.rows
    return {fate.value: number for fate in Fate if (number := getattr(counts, fate))}


def chosen(bench: Bench, batches: Sequence[PackedBatch]) -> list[list[int]]:
    return [list(array("q", bench.spool.read(batch.phones))) for batch in batches]


def sends(bench: Bench, *words: Word, sender: FakeSender | None = None, **settings: object) -> Plan:
    """Plan and apply."""
    one = job(bench, *words, DONE, **settings)  # type: ignore[arg-type]  # by name
    plan = one.run()
    apply_plan(bench, one, plan, sender or FakeSender())
    return plan


def apply_plan(bench: Bench, one: PlanJob, plan: Plan, sender: FakeSender) -> None:
    sender.bodies += [b""] * sum(1 for _ in bench.store.requests())  # a uuid is never given twice
    apply(bench, one.batches, sender, *(each.mailing for campaign in plan.campaigns for each in campaign.mailings))


def test_a_first_plan_sends_to_every_live_person_and_accounts_for_every_row(bench: Bench) -> None:
    end = ended(25, filtered=1, invalid=2, duplicate=3, suppressed=4)
    one = job(bench, mailing(), people(phones(20)), people(phones(5, 20)), end, DONE, settings=project(first=4))
    counts = one.run().counts
    assert fates(counts) == {"send": 25}
    assert (counts.rows, counts.filtered, counts.invalid, counts.duplicate, counts.suppressed, counts.requests) == (35, 1, 2, 3, 4, 4)
    assert chosen(bench, one.batches) == [list(phones(4)), list(phones(10, 4)), list(phones(10, 14)), [FIRST + 24]]
    assert [batch.canary for batch in one.batches] == [True, False, False, False]


def test_examples_are_the_first_three_of_each_fate(bench: Bench) -> None:
    sends(bench, *said(5))
    [one] = job(bench, *said(9), DONE).run().campaigns[0].mailings
    assert one.examples == {Fate.SENT: list(phones(3)), Fate.SEND: list(phones(3, 5))}


def test_what_was_accepted_is_never_sent_again_whatever_its_content(bench: Bench) -> None:
    sends(bench, *said(5))
    same, other = job(bench, *said(5), DONE), job(bench, *said(5, text=1, definition="d2"), DONE)
    assert fates(same.run().counts) == {"sent": 5}
    assert fates(other.run().counts) == {"edited": 5}
    assert same.batches == other.batches == []


@pytest.mark.parametrize(("decided", "fate"), [(None, "unknown"), (RequestState.ABANDONED, "abandoned"), (RequestState.RELEASED, "send")])
def test_an_unknown_outcome_holds_its_people_back_until_somebody_frees_them(bench: Bench, decided: RequestState | None, fate: str) -> None:
    sends(bench, *said(5), sender=FakeSender(result(Outcome.UNKNOWN)))
    if decided is not None:
        bench.store.resolve("r1", decided, reason="seen", at=NOW)
    assert fates(job(bench, *said(5, definition="d2"), DONE, retry=True).run().counts) == {fate: 5}


def refuse(bench: Bench) -> None:
    """The provider takes five people, then refuses them in two polls that agree."""
    sends(bench, *said(5))
    [row] = bench.store.requests()
    clock = FakeClock()
    for _ in range(2):
        refresh(bench, FakeReader({row.uuid: StatusAnswer(entries=(refused(f"{name(bench)}: Content url is not valid"),))}), clock).once()
        clock.forward(61)


@pytest.mark.parametrize(
    ("definition", "retry", "fate"), [("d1", False, "rejected"), ("d1", True, "send"), ("d2", False, "send"), ("d2", True, "send")]
)
def test_the_refused_are_sent_to_again_only_with_a_new_definition_or_on_demand(
    bench: Bench, definition: str, *, retry: bool, fate: str
) -> None:
    refuse(bench)
    plan = job(bench, *said(5, definition=definition), DONE, retry=retry).run()
    assert fates(plan.counts) == {fate: 5}
    assert plan.components.retry_rejected is retry


def test_only_the_new_of_a_mixed_audience_are_packed_in_its_order(bench: Bench) -> None:
    sends(bench, *said(5, start=3))
    one = job(bench, *said(12), DONE)
    assert fates(one.run().counts) == {"sent": 5, "send": 7}
    assert chosen(bench, one.batches) == [[*phones(3), *phones(4, 8)]]


def test_a_mailing_that_was_taken_before_needs_no_canary_and_no_small_first_batch(bench: Bench) -> None:
    settings = project(first=2)
    sends(bench, *said(2), settings=settings)
    one = job(bench, *said(22), DONE, settings=settings)
    plan = one.run()
    assert plan.campaigns[0].mailings[0].started
    assert [(batch.count, batch.canary) for batch in one.batches] == [(10, False), (10, False)]
    assert plan.counts.requests == 2


def test_a_mailing_whose_outcome_is_unknown_still_needs_its_canary(bench: Bench) -> None:
    settings = project(first=2)
    sends(bench, *said(2), settings=settings, sender=FakeSender(result(Outcome.UNKNOWN)))
    one = job(bench, *said(22), DONE, settings=settings)
    assert not one.run().campaigns[0].mailings[0].started
    assert [(batch.count, batch.canary) for batch in one.batches] == [(2, True), (10, False), (8, False)]


@pytest.mark.parametrize("per_request", [1, 2, 3, 50])
def test_requests_are_counted_by_the_rule_that_apply_packs_by(bench: Bench, per_request: int) -> None:
    sends(bench, *said(1, name="two"), heads=[head("one", "two", "three")])
    words = (
        *said(45, name="one"), *said(31, name="two"), *said(0, name="three"), *said(12, campaign="summer", name="one"),
    )  # fmt: skip
    one = job(
        bench, *words, DONE, heads=[head("one", "two", "three"), head("one", campaign="summer")],
        settings=project(first=5, per_request=per_request),
    )  # fmt: skip
    plan = one.run()
    groups = list(requests(one.batches, per_request))
    assert plan.counts.requests == len(groups)
    assert [campaign.counts.requests for campaign in plan.campaigns] == [
        sum(group[0].campaign == campaign.campaign for group in groups) for campaign in plan.campaigns
    ]
    for each in plan.campaigns[0].mailings:  # a request of several mailings counts for its first
        assert each.counts.requests == sum(group[0].mailing == each.mailing for group in groups)


def test_nobody_who_was_not_reached_in_time_is_sent_to_late(bench: Bench) -> None:
    due = NOW + timedelta(minutes=1)
    sends(bench, mailing(schedule=due), people(phones(5)), ended(5))
    one = job(bench, mailing(schedule=due), people(phones(7)), people(phones(3, 7)), ended(10), DONE)
    one.now = due
    assert fates(one.run().counts) == {"sent": 5, "late": 5}
    assert one.batches == []


def test_a_mailing_whose_time_passed_before_anybody_got_it_is_an_error(bench: Bench) -> None:
    late = replace(mailing(schedule=NOW), schedule_shown="2026-11-23 15:00 Minsk")
    with pytest.raises(DefinitionError) as caught:
        job(bench, late, people(phones(5)), ended(5), DONE).run()
    [problem] = caught.value.diagnostics
    assert (problem.code, problem.place) == ("CK502", Place("campaigns/spring.yaml", 5))
    assert problem.message == "the scheduled time of spring/invitation has passed: 2026-11-23 15:00 Minsk"


def test_a_time_that_is_a_second_ahead_is_kept(bench: Bench) -> None:
    ahead = mailing(schedule=NOW + timedelta(seconds=1))
    assert fates(job(bench, ahead, people(phones(5)), ended(5), DONE).run().counts) == {"send": 5}


def test_the_time_of_a_draft_or_of_nobody_may_have_passed(bench: Bench) -> None:
    late = mailing(schedule=NOW)
    assert job(bench, late, people(phones(5)), ended(5), DONE, heads=[head(lifecycle="draft")]).run().drafts == ["spring"]
    assert fates(job(bench, late, ended(0), DONE).run().counts) == {}


def test_a_draft_is_shown_and_neither_sent_nor_part_of_the_digest(bench: Bench) -> None:
    heads = [head(), head(campaign="summer", lifecycle="draft")]
    one = job(bench, *said(5), *said(7, campaign="summer"), DONE, heads=heads)
    plan = one.run()
    assert ([each.campaign for each in plan.campaigns], plan.drafts) == (["spring"], ["summer"])
    assert chosen(bench, one.batches) == [list(phones(5))]
    assert set(plan.components.definitions) == {"spring"}
    assert plan.digest == job(bench, *said(5), DONE).run().digest


def test_a_closed_campaign_is_neither_sent_nor_shown(bench: Bench) -> None:
    one = job(bench, *said(5), DONE, heads=[head(), head(campaign="summer", lifecycle="closed")])
    plan = one.run()
    assert ([each.campaign for each in plan.campaigns], plan.drafts) == (["spring"], [])


def test_the_sandbox_sends_drafts_and_its_plans_are_tied_to_no_state(bench: Bench) -> None:
    sends(bench, *said(5))
    bench.store.forget(mailing().key, reason="asked to", at=NOW)
    assert bench.store.info().releases == 1
    sandbox = environment(base_url="sandbox")
    for stateless in (False, True):
        one = job(bench, *said(5), DONE, heads=[head(lifecycle="draft")], where=sandbox, stateless=stateless)
        plan = one.run()
        assert (fates(plan.counts), plan.drafts, plan.stateless) == ({"send": 5}, [], False)
        assert (plan.components.lineage, plan.components.releases) == ("sandbox", 0)
        assert len(one.batches) == 1


def test_without_a_state_nobody_counts_as_sent_and_the_plan_is_tied_to_the_recorded_one(bench: Bench) -> None:
    sends(bench, *said(5))
    one = job(bench, *said(5), DONE, stateless=True)
    one.recorded_lineage = "l"
    plan = one.run()
    assert (fates(plan.counts), plan.stateless, plan.components.lineage) == ({"send": 5}, True, "l")
    assert plan.digest == job(bench, *said(5), DONE).run().digest


def test_people_whom_somebody_freed_change_the_plan_s_identity(bench: Bench) -> None:
    sends(bench, *said(5), sender=FakeSender(result(Outcome.UNKNOWN)))
    before = job(bench, *said(5), DONE).run()
    bench.store.resolve("r1", RequestState.RELEASED, reason="seen", at=NOW)
    after = job(bench, *said(5), DONE).run()
    assert (before.components.releases, after.components.releases) == (0, 1)
    assert before.digest != after.digest


def test_the_audience_and_the_suppressions_are_part_of_the_plan_s_identity(bench: Bench) -> None:
    def digest(audience: str, suppressions: str) -> tuple[str, dict[str, str]]:
        plan = job(bench, mailing(), people(phones(5)), ended(5, audience=audience), Done(suppressions=suppressions)).run()
        return plan.digest, dict(plan.components.audiences)

    found = [digest("", ""), digest("a", ""), digest("b", ""), digest("a", "s")]
    assert len({one for one, _ in found}) == 4
    assert found[0][1] == {"spring/invitation": "inline"}
    assert found[1][1] == {"spring/invitation": "a"}


PROBLEM = Diagnostic(Severity.ERROR, "CK000", "the process that reads the project's files broke down", Place("campaigns/spring.yaml"))


@pytest.mark.parametrize("words", [(), said(5), (*said(5), DONE)])
def test_a_front_that_breaks_down_or_finds_an_error_makes_no_plan(bench: Bench, words: tuple[Word, ...]) -> None:
    with pytest.raises(DefinitionError) as caught:
        job(bench, *words, problems=[PROBLEM]).run()
    assert caught.value.diagnostics == (PROBLEM,)


@pytest.mark.parametrize("words", [(), said(5)])
def test_a_front_that_falls_silent_without_a_word_makes_no_plan(bench: Bench, words: tuple[Word, ...]) -> None:
    with pytest.raises(DefinitionError):
        job(bench, *words).run()


def test_a_warning_of_the_front_forbids_nothing(bench: Bench) -> None:
    warning = replace(PROBLEM, severity=Severity.WARNING)
    assert fates(job(bench, *said(5), DONE, problems=[warning]).run().counts) == {"send": 5}


def test_elements_of_other_people_are_never_packed(bench: Bench) -> None:
    """The child that renders is not trusted: a chunk that names one person and holds the element of another stops everything."""
    chunk = people(phones(2))
    swapped = replace(chunk, elements=b"".join(f'"{phone}"'.encode() for phone in reversed(phones(2))))
    with pytest.raises(ValueError, match="not exactly the claimed phones"):
        job(bench, mailing(), swapped, ended(2), DONE).run()


def test_a_mailing_that_goes_on_begins_with_what_the_plan_before_came_to(bench: Bench) -> None:
    before = job(bench, *said(12), DONE).run()
    [earlier] = before.campaigns[0].mailings
    one = job(bench, mailing(), Resumed(), people(phones(3, 12)), ended(15), DONE)
    one.earlier = {str(earlier.mailing.key): earlier}
    whole = job(bench, *said(15), DONE).run()
    after = one.run()
    assert after.counts == whole.counts
    assert after.campaigns[0].mailings[0].examples == whole.campaigns[0].mailings[0].examples
    assert before.counts.send == 12


def test_without_a_spool_the_same_people_are_counted_and_no_elements_are_asked_for(bench: Bench) -> None:
    sends(bench, *said(5))
    with_spool, without = job(bench, *said(12), DONE), job(bench, *said(12), DONE)
    without.spool = None
    assert without.run().counts == with_spool.run().counts
    assert (without.batches, len(with_spool.batches)) == ([], 1)


def test_what_may_be_done_meanwhile_is_done_once_when_the_child_is_at_work(bench: Bench) -> None:
    one = job(bench, *said(5), DONE)
    seen: list[object] = []
    front = one.front
    assert isinstance(front, PlayedFront)
    one.run(lambda: seen.append(list(front.asked)))
    assert seen == [[("live", "campaigns/spring.yaml")]]
