"""Pulling replies: of every mailing that can have some, each stored once, whatever the answers look like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from campaignkit.engine.inbox import Pulled, PullJob
from campaignkit.engine.inbox_lines import Wanted, optout_lines, reply_lines, stored
from campaignkit.errors import ProviderError
from campaignkit.model.outcomes import Outcome
from campaignkit.provider.port import NotVisibleError
from campaignkit.states.records import PlannedRequest, RequestState
from campaignkit.wire.records import IncomingMessage, Listing
from campaignkit.wire.statuses import StatusAnswer, StatusEntry
from tests.engine.conftest import Bench, environment
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader
from tests.states.conftest import AT, FIRST, INVITATION, Run, batch, list_request

WORDS = ("stop", "стоп")
UUID = "cc9c8043-8caf-11ef-b035-9e8f47954dec"


def said(number: int | str, text: str = "Yes", phone: int | None = FIRST, received: str = "2026-11-22 10:39:45") -> IncomingMessage:
    return IncomingMessage(id=str(number), phone=phone, message=text, received=received)


def entries(run: Run, ref: str, *message_ids: int | None) -> tuple[StatusEntry, ...]:
    """What the provider says of the first mailings of a request, each by its name."""
    row = run.store.request(ref)
    assert row is not None
    return tuple(StatusEntry(name=name, message_id=one, rows=(), errors=()) for name, one in zip(row.names, message_ids, strict=False))


@pytest.fixture
def run(bench: Bench) -> Run:
    return Run(bench.store, bench.store.begin_run(command="apply", digest="", at=AT))


def quick(run: Run, message_id: str, phone: int = FIRST) -> str:
    [ref] = run.plan(PlannedRequest(batches=(batch([phone]),), method="quick"))
    run.end(ref, Outcome.ACCEPTED, message_id)
    return ref


def bulk(run: Run, *phones: int, uuid: str = UUID) -> str:
    [ref] = run.plan(PlannedRequest(batches=tuple(batch([phone]) for phone in phones)))
    run.end(ref, Outcome.ACCEPTED, uuid)
    return ref


def pull(run: Run, answers: dict[str, Any], *, clock: FakeClock | None = None, **more: Any) -> tuple[Pulled, FakeReader]:
    reader = FakeReader(answers)
    fields: dict[str, Any] = {"environment": environment(), "words": WORDS, "campaigns": (), "by": "anna@desk"}
    job = PullJob(store=run.store, reader=reader, clock=clock or FakeClock(), **(fields | more))
    return job.run(), reader


def texts(run: Run) -> list[str]:
    return [row.text for row in run.store.replies()]


def test_every_method_is_asked_by_its_own_id(run: Run) -> None:
    first = bulk(run, FIRST, FIRST + 1)
    second = quick(run, "8484", FIRST + 2)
    [third] = run.plan(list_request())
    run.end(third, Outcome.ACCEPTED, "4905", count=4)
    run.end(third, Outcome.ACCEPTED)
    answers = {
        UUID: StatusAnswer(entries=(*entries(run, first, 31, 32), StatusEntry(name="a stranger's", message_id=33, rows=(), errors=()))),
        "incoming 32": Listing([said(1, "one")]),
        "incoming 8484": Listing([said(2, "two")]),
        "incoming 4905": Listing([said(3, "three")]),
    }
    result, reader = pull(run, answers)
    assert reader.asked == ["incoming 4905", "incoming 8484", UUID, "incoming 31", "incoming 32"]
    assert [(row.request, row.message_id, row.text) for row in run.store.replies()] == [
        (third, "4905", "three"), (second, "8484", "two"), (first, "32", "one"),
    ]  # fmt: skip
    assert (result.mailings, result.asked, len(result.new), result.failures, result.left) == (3, 4, 3, [], 0)
    _, again = pull(run, answers)
    assert UUID not in again.asked  # its ids are known now
    assert len(texts(run)) == 3


def test_a_bulk_request_is_asked_for_its_ids_until_all_are_known(run: Run) -> None:
    ref = bulk(run, FIRST, FIRST + 1)
    answers: dict[str, Any] = {UUID: [StatusAnswer(entries(run, ref, *known)) for known in ((), (31,), (31, 32))]}
    assert pull(run, answers)[1].asked == [UUID]
    assert pull(run, answers)[1].asked == [UUID, "incoming 31"]
    assert pull(run, answers)[1].asked == [UUID, "incoming 31", "incoming 32"]
    assert pull(run, answers)[1].asked == ["incoming 31", "incoming 32"]
    assert run.store.message_ids() == {ref: ["31", "32"]}


def test_a_refused_batch_is_not_waited_for(run: Run) -> None:
    ref = bulk(run, FIRST)
    run.poll(ref, refused=True)
    assert pull(run, {})[1].asked == []


def test_drafts_and_what_never_went_out_have_no_replies(run: Run) -> None:
    [draft, refused] = run.plan(list_request(), PlannedRequest(batches=(batch([FIRST]),), method="quick"))
    run.end(draft, Outcome.ACCEPTED, "4905", count=4)
    run.end(refused, Outcome.REJECTED)
    assert run.state(draft) is RequestState.DRAFT
    result, reader = pull(run, {})
    assert (reader.asked, result.mailings) == ([], 0)


def test_a_lost_confirm_may_have_replies(run: Run) -> None:
    [ref] = run.plan(list_request())
    run.end(ref, Outcome.ACCEPTED, "4905", count=4)
    run.end(ref, Outcome.UNKNOWN)
    assert pull(run, {})[1].asked == ["incoming 4905"]


@pytest.mark.parametrize(("days", "asked"), [(13.9, 1), (14.1, 0)])
def test_old_mailings_are_left_out(run: Run, days: float, asked: int) -> None:
    quick(run, "8484")
    assert len(pull(run, {}, clock=FakeClock(AT + timedelta(days=days)))[1].asked) == asked
    later = environment(inbox_age=30 * 86400.0)
    assert len(pull(run, {}, clock=FakeClock(AT + timedelta(days=days)), environment=later)[1].asked) == 1


def test_the_pace_of_the_environment_is_kept(run: Run) -> None:
    for number in range(4):
        quick(run, str(8484 + number), FIRST + number)
    clock = FakeClock()
    pull(run, {}, clock=clock, environment=environment(rate=2.0))
    assert sum(clock.slept) == pytest.approx(1.5)


def test_only_the_named_campaigns_are_asked_about(run: Run) -> None:
    quick(run, "8484")
    assert pull(run, {}, campaigns=["other"])[1].asked == []
    assert pull(run, {}, campaigns=[INVITATION.campaign])[1].asked == ["incoming 8484"]


def test_an_id_that_two_requests_share_is_asked_about_once(run: Run) -> None:
    quick(run, "4905")
    [listing] = run.plan(list_request())
    run.end(listing, Outcome.ACCEPTED, "4905", count=4)
    run.end(listing, Outcome.ACCEPTED)
    _, reader = pull(run, {"incoming 4905": Listing([said(1)])})
    assert reader.asked == ["incoming 4905"]
    assert [row.request for row in run.store.replies()] == [listing]


def test_a_reply_of_one_word_opts_out_and_what_comes_near_is_told(run: Run) -> None:
    quick(run, "8484")
    answer = Listing(
        [said(1, " СТОП!"), said(2, "please stop", FIRST + 1), said(3, "stop", None), said(4, "Yes", FIRST + 2), said(5, "stop", FIRST)]
    )
    result, _ = pull(run, {"incoming 8484": answer})
    assert result.opted_out == [FIRST]
    assert [row.provider_id for row in result.near] == ["2", "3"]
    [out] = optout_lines(run.store)
    assert (out.phone, out.reason, out.by, out.reply) == (FIRST, "replied with the word 'стоп'", "anna@desk", 1)
    wishes = [line.wish for line in reply_lines(run.store, run.store.replies(), WORDS)]
    assert wishes == ["opted_out", "perhaps", "perhaps", "", "opted_out"]
    run.store.opt_in(FIRST, reason="a mistake", at=AT, by="anna")
    again, _ = pull(run, {"incoming 8484": answer})
    assert (again.opted_out, again.new, list(run.store.optouts())) == ([], [], [])


def test_replies_without_an_id_are_kept_once(run: Run) -> None:
    quick(run, "8484")
    answer = Listing([said("", "one"), said("", "two"), said("", "one"), said("", "стоп", FIRST + 7)], ["entry 1 has no readable id"])
    for _ in range(2):
        result, _ = pull(run, {"incoming 8484": answer})
    assert texts(run) == ["one", "two", "стоп"]
    assert all(row.provider_id.startswith("~") for row in run.store.replies())
    assert run.store.opted_out([FIRST + 7])
    assert result.notes == ["r1: entry 1 has no readable id"]


def test_a_reply_that_changed_is_told_and_the_first_words_are_kept(run: Run) -> None:
    quick(run, "8484")
    result, _ = pull(run, {"incoming 8484": [Listing([said(1, "one")])]})
    result, _ = pull(run, {"incoming 8484": Listing([said(1, "another")])})
    assert result.notes == ["r1: reply 1 came before with other words; the first ones are kept"]
    assert texts(run) == ["one"]


def test_what_was_marked_and_is_new_again_is_told(run: Run) -> None:
    quick(run, "8484")
    pull(run, {"incoming 8484": Listing([said(1)])})
    run.store.mark_acked([1], AT)
    result, _ = pull(run, {"incoming 8484": Listing([said(1)])})
    assert result.notes == ["r1: 1 replies that were marked as read are new at the provider again"]
    assert [row.acked_at for row in run.store.replies()] == [None]


def test_what_the_provider_does_not_know_is_no_failure(run: Run) -> None:
    quick(run, "8484")
    bulk(run, FIRST + 1)
    result, _ = pull(run, {"incoming 8484": NotVisibleError("404"), UUID: NotVisibleError("404")})
    assert (result.unseen, result.failures, result.left) == (2, [], 0)


def test_one_failure_stops_nothing_and_three_in_a_row_stop_it(run: Run) -> None:
    for number in range(8):
        quick(run, str(8484 + number), FIRST + number)
    down = ProviderError("no answer")
    answers: dict[str, Any] = {f"incoming {8484 + number}": down for number in (0, 2, 3, 5, 6, 7)}
    answers["incoming 8488"] = Listing([said(1)])
    result, reader = pull(run, answers)
    assert (len(reader.asked), len(result.failures), result.left, texts(run)) == (8, 6, 0, ["Yes"])
    result, reader = pull(run, {f"incoming {8484 + number}": down for number in range(8)})
    assert (len(reader.asked), len(result.failures), result.left) == (3, 3, 5)


def test_the_operator_may_stop_it(run: Run) -> None:
    for number in range(3):
        quick(run, str(8484 + number), FIRST + number)
    asked: list[int] = []
    result, reader = pull(run, {}, tell=lambda done, _all: asked.append(done), stopped=lambda: bool(asked))
    assert (len(reader.asked), result.left) == (1, 2)


def test_a_mailing_that_is_forgotten_meanwhile_leaves_a_reply_of_nobody(run: Run) -> None:
    quick(run, "8484")

    class Forgetting(FakeReader):
        def incoming(self, message_id: str) -> Listing[IncomingMessage]:
            run.store.forget(INVITATION, reason="asked", at=AT)
            return super().incoming(message_id)

    reader = Forgetting({"incoming 8484": Listing([said(1)])})
    job = PullJob(
        store=run.store, reader=reader, clock=FakeClock(), environment=environment(), words=WORDS, campaigns=(), by="anna"
    )  # fmt: skip
    assert len(job.run().new) == 1
    assert [row.request for row in run.store.replies()] == [""]
    assert [line.link for line in reply_lines(run.store, run.store.replies(), WORDS)] == [None]
    assert not run.store.problems()


def dates(run: Run, since: datetime) -> Sequence[str]:
    return [row.received for row in stored(run.store, Wanted(since=since.date()), zone="Europe/Minsk")]


def test_replies_are_chosen_by_their_day(run: Run) -> None:
    quick(run, "8484")
    times = ["2026-11-21 23:59:59", "2026-11-22 00:00:00", "nonsense", "", "2026-11-23T10:00:00.5"]
    pull(run, {"incoming 8484": Listing([said(number, received=text) for number, text in enumerate(times, 1)])})
    # What has no time of its own came when it was pulled: on the 23rd.
    assert dates(run, datetime(2026, 11, 22, tzinfo=AT.tzinfo)) == times[1:]
    assert dates(run, datetime(2026, 11, 23, tzinfo=AT.tzinfo)) == times[2:]
    assert dates(run, datetime(2026, 11, 24, tzinfo=AT.tzinfo)) == []
