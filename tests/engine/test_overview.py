"""The state as people ask for it: everyone is counted once, and failures are found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from campaignkit.engine.applier import ApplyJob
from campaignkit.engine.overview import left_open, overview, people
from campaignkit.engine.sending import StopFlag
from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.model.settings import StopRules
from campaignkit.protocol.messages import Index
from campaignkit.states.records import RequestState
from campaignkit.wire.statuses import StatusAnswer, StatusEntry
from tests.engine.conftest import FIRST, Bench, environment, head, mailing
from tests.engine.test_applier import TAGS, apply
from tests.engine.test_refresher import job, name, refused, row, sent, view
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader, FakeSender, result

UNKNOWN = result(Outcome.UNKNOWN)
PATIENT = environment(stop_rules=StopRules(unknown_in_first=0, unknowns=0))
SOON = FakeClock().now()


def together(bench: Bench, *ends: SendResult) -> None:
    """Two mailings in one request; then one of them is moved to another campaign."""
    one, two = mailing("one"), mailing("two")
    plan = bench.plan(one, two)
    plan.batches_per_request = 2
    ApplyJob(
        plan=plan, batches=bench.batches(one, 3, canary=False) + bench.batches(two, 4, canary=False), spool=bench.spool,
        store=bench.store, sender=FakeSender(*ends), clock=FakeClock(), entropy=lambda count: next(TAGS).to_bytes(count, "little"),
        chance=random.Random(1), token="", stop=StopFlag(), tell=lambda _sent: None, spill=lambda *_: None,
    ).run()  # fmt: skip
    assert bench.store.carry_over(two.key, MailingKey("summer", 1, "two"), SOON) == 4


def totals(bench: Bench, *campaigns: str) -> dict[str, int]:
    report = overview(bench.store, environment(), None, campaigns=campaigns)
    return {f"{each.campaign}/{one.mailing}": one.recipients for each in report.campaigns for one in each.mailings}


def test_a_request_of_two_campaigns_shows_to_each_only_its_own(bench: Bench) -> None:
    together(bench)
    assert totals(bench) == {"spring/one": 3, "summer/two": 4}
    assert totals(bench, "spring") == {"spring/one": 3}
    assert Counter(line.mailing for line in people(bench.store, campaigns=["summer"])) == {"two": 4}
    assert Counter(line.mailing for line in people(bench.store)) == {"one": 3, "two": 4}


def test_several_requests_of_a_mailing_add_up(bench: Bench) -> None:
    one = mailing()
    apply(bench, bench.batches(one, 25), FakeSender(), one)
    assert (view(bench).recipients, view(bench).unreported, len(view(bench).requests)) == (25, 25, 3)


def test_a_mailing_is_shown_where_its_file_has_it_today(bench: Bench) -> None:
    sent(bench)

    def place(index: Index | None) -> tuple[str, int]:
        [status] = overview(bench.store, environment(), index).campaigns[0].mailings
        return status.path, status.line

    moved = head("greeting", "invitation")
    assert place(None) == ("campaigns/spring.yaml", 5)
    assert place(Index(campaigns=(moved,))) == (moved.path, moved.mailings[1].line)
    assert place(Index(campaigns=(head("greeting"),))) == ("campaigns/spring.yaml", 5)


class Looking(FakeSender):
    """Looks at the state while a request is in flight: as beside a living apply, and as after a dead one."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(UNKNOWN)
        self._bench = bench
        self.seen: list[tuple[str, int]] = []

    def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
        found = super().send_bulk(body, intent=intent)
        for alive in (True, False):
            [status] = overview(self._bench.store, environment(), None, alive=alive).campaigns[0].mailings
            self.seen.append((status.requests[0].outcome, status.unknown))
        return found


def test_an_intent_is_in_flight_while_its_run_lives_and_unknown_after(bench: Bench) -> None:
    one, sender = mailing(), Looking(bench)
    apply(bench, bench.batches(one, 5), sender, one)
    assert sender.seen == [("in_flight", 5), ("unknown", 5)]


def refuse(bench: Bench, count: int) -> None:
    """The provider takes so many people in one request, and refuses them in two polls that agree."""
    uuid, clock = sent(bench, count), FakeClock()
    reader = FakeReader({uuid: StatusAnswer(entries=(refused(f"{name(bench)}: Content url is not valid"),))})
    for _ in range(2):
        job(bench, reader, clock).once()
        clock.forward(61)


def again(bench: Bench, count: int, *ends: SendResult) -> None:
    """Some of the refused are sent to again, under a new definition."""
    one, sender = mailing(definition="d2"), FakeSender(*ends)
    sender.bodies.append(b"")  # a uuid is never given twice
    apply(bench, bench.batches(one, count), sender, one)


def test_whoever_was_refused_and_sent_to_again_is_counted_once_where_they_are_now(bench: Bench) -> None:
    refuse(bench, 5)
    again(bench, 3)
    status = view(bench)
    assert (status.recipients, status.rejected, status.unreported) == (5, 2, 3)
    assert left_open(bench.store, ["spring"]) == (0, 2)


def test_a_batch_of_whom_everybody_was_sent_to_again_is_not_shown_any_more(bench: Bench) -> None:
    refuse(bench, 5)
    again(bench, 5)
    status = view(bench)
    assert (status.recipients, status.rejected, status.unreported, status.errors) == (5, 0, 5, [])
    assert [line.request for line in people(bench.store)] == ["r2"] * 5
    assert list(people(bench.store, failed=True)) == []
    # What happened to one person is told whole.
    assert [(line.request, line.status) for line in people(bench.store, phone=FIRST)] == [("r1", "rejected"), ("r2", "unreported")]


def test_one_error_of_several_batches_is_one_line_and_confirmed_ones_stand_apart(bench: Bench) -> None:
    one, clock = mailing(), FakeClock()
    apply(bench, bench.batches(one, 25), FakeSender(), one)
    rows = list(bench.store.requests())

    def says(number: int) -> FakeReader:
        answer = StatusAnswer(entries=(refused(f"{rows[number].batches[0].name}: Wrong picture"),))
        return FakeReader({rows[number].uuid: answer})

    job(bench, says(0), clock).once()
    job(bench, says(1), clock).once()
    assert lines(bench) == [("Wrong picture", 20, False)]
    clock.forward(61)
    job(bench, says(0), clock).once()
    assert lines(bench) == [("Wrong picture", 10, False), ("Wrong picture", 10, True)]


def lines(bench: Bench) -> list[tuple[str, int, bool]]:
    return sorted((error.message, error.recipients, error.confirmed) for error in view(bench).errors)


def three_ends(bench: Bench) -> None:
    """Five accepted, five unknown, five abandoned, and five refused at once, who are nobody's."""
    one = mailing()
    sender = FakeSender(UNKNOWN, UNKNOWN, result(Outcome.REJECTED))
    batches = bench.batches(one, 20, size=5, canary=False)
    assert apply(bench, batches, sender, one, where=PATIENT).accepted == 5
    bench.store.resolve("r2", RequestState.ABANDONED, reason="seen", at=SOON)


def test_everyone_who_may_have_been_sent_to_is_counted_once_and_the_freed_are_not(bench: Bench) -> None:
    three_ends(bench)
    status = view(bench)
    assert (status.recipients, status.unknown, status.unreported) == (15, 10, 5)
    assert Counter(line.status for line in people(bench.store)) == {"unknown": 5, "abandoned": 5, "unreported": 5}
    assert left_open(bench.store, ["spring"]) == (5, 0)


def test_those_who_failed_are_the_unknown_the_abandoned_and_the_undelivered_alone(bench: Bench) -> None:
    three_ends(bench)
    request = list(bench.store.requests())[3]
    shown = [row(15, "DELIVERED"), row(16, "UNDELIVERED"), row(17, "SENT"), row(18, "ODD-WORD")]
    entry = StatusEntry(name=request.batches[0].name, message_id=1, rows=tuple(shown), errors=())
    job(bench, FakeReader({request.uuid: StatusAnswer(entries=(entry,))}), FakeClock()).once()
    found = Counter(line.status for line in people(bench.store, failed=True))
    assert found == {"unknown": 5, "abandoned": 5, "UNDELIVERED": 1}


def test_a_person_whom_only_a_freed_request_held_got_nothing(bench: Bench) -> None:
    three_ends(bench)
    freed = FIRST + 10
    assert [held.state for held, _, _ in bench.store.holders(freed)] == [RequestState.REJECTED]
    assert list(people(bench.store, phone=freed)) == []
    assert [line.status for line in people(bench.store, phone=freed - 1)] == ["abandoned"]


def test_what_is_left_open_is_that_of_the_named_campaigns_alone(bench: Bench) -> None:
    spring, summer = mailing(), mailing(campaign="summer")
    apply(bench, bench.batches(spring, 5), FakeSender(UNKNOWN), spring)
    apply(bench, bench.batches(summer, 7), FakeSender(UNKNOWN), summer)
    assert left_open(bench.store, ["spring"]) == (5, 0)
    assert left_open(bench.store, ["spring", "summer"]) == (12, 0)
    assert left_open(bench.store, ["autumn"]) == left_open(bench.store, []) == (0, 0)


def test_what_is_left_open_of_a_shared_request_is_its_own_campaign_s(bench: Bench) -> None:
    together(bench, UNKNOWN)
    assert left_open(bench.store, ["spring"]) == (3, 0)
