"""A person's word about an unknown request: believed where it is safe, verified where it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from campaignkit.engine.resolver import Desk, Resolution, unknowns
from campaignkit.errors import LockedError, ProviderError, RefusedError, UsageError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.records import PlannedBatch, PlannedRequest, RequestState
from campaignkit.wire.statuses import StatusAnswer, StatusEntry
from tests.engine.conftest import Bench, environment, mailing
from tests.engine.test_applier import apply, claimed
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader, FakeSender, result

UUID = "cc9c8043-8caf-11ef-b035-9e8f47954dec"


@pytest.fixture
def unknown(bench: Bench) -> str:
    """The batch name of one unknown request."""
    one = mailing()
    apply(bench, bench.batches(one, 5), FakeSender(result(Outcome.UNKNOWN)), one)
    return next(iter(bench.store.requests())).batches[0].name


def accepted(uuid: str = UUID) -> Resolution:
    return Resolution(to=RequestState.ACCEPTED, uuid=uuid, reason="seen")


def desk(bench: Bench, reader: FakeReader | None = None, *, after: float = 3600, **settings: object) -> Desk:
    """A desk some seconds after the request ended."""
    clock = FakeClock()
    clock.forward(after)
    return Desk(store=bench.store, clock=clock, environment=environment(**settings), reader=reader)


def released(people: int | None = 5) -> Resolution:
    return Resolution(to=RequestState.RELEASED, reason="its log shows nothing", expect_people=people, by="anna@desk")


def answer(*names: str) -> FakeReader:
    entries = tuple(StatusEntry(name=name, message_id=1, rows=(), errors=()) for name in names)
    return FakeReader({UUID: StatusAnswer(entries=entries)})


def test_a_uuid_that_shows_our_mailing_is_believed(bench: Bench, unknown: str) -> None:
    row, now = desk(bench, answer(unknown)).settle(unknown.rsplit(maxsplit=1)[-1], accepted())
    assert (row.ref, row.recipients, now) == ("r1", 5, RequestState.ACCEPTED)
    found = bench.store.request("r1")
    assert found is not None
    assert (found.state, found.uuid) == (RequestState.ACCEPTED, UUID)


def test_an_error_that_names_our_mailing_is_proof_too(bench: Bench, unknown: str) -> None:
    entry = StatusEntry(name=None, message_id=None, rows=(), errors=(f"{unknown}: Content url is not valid",))
    desk(bench, FakeReader({UUID: StatusAnswer(entries=(entry,))})).settle("r1", accepted())
    assert unknowns(bench.store, environment(), alive=False) == []


@pytest.mark.parametrize("names", [(), ("another's mailing",), ("ours", "another's mailing")])
def test_a_uuid_of_something_else_changes_nothing(bench: Bench, unknown: str, names: tuple[str, ...]) -> None:
    shown = tuple(unknown if name == "ours" else name for name in names)
    with pytest.raises(RefusedError):
        desk(bench, answer(*shown)).settle("r1", accepted())
    assert [one.ref for one in unknowns(bench.store, environment(), alive=False)] == ["r1"]


def test_a_provider_that_does_not_answer_verifies_nothing(bench: Bench, unknown: str) -> None:
    with pytest.raises(RefusedError, match="can't be verified"):
        desk(bench, FakeReader({UUID: ProviderError("no answer")})).settle("r1", accepted())


@pytest.mark.usefixtures("unknown")
def test_a_uuid_that_nobody_can_ask_about_changes_nothing(bench: Bench) -> None:
    with pytest.raises(RefusedError, match=r"without a token\. Nothing was changed") as caught:
        desk(bench, None).settle("r1", accepted())
    assert caught.value.next_command == "campaignkit resolve r1 --accepted --no-uuid --env live"
    assert [row.state for row in bench.store.requests()] == [RequestState.UNKNOWN]


def test_abandoned_people_stay_claimed_and_released_ones_are_free(bench: Bench, unknown: str) -> None:
    desk(bench, after=0).settle("r1", Resolution(to=RequestState.ABANDONED, reason="old"))
    assert claimed(bench) == 5
    with pytest.raises(RefusedError, match="not unknown"):
        desk(bench).settle("r1", released())


def test_releasing_frees_the_keys_and_is_counted(bench: Bench, unknown: str) -> None:
    before = bench.store.info().releases
    desk(bench).settle("r1", released())
    assert (claimed(bench), bench.store.info().releases) == (0, before + 1)
    last = list(bench.store.events())[-1]
    assert (last.kind, "anna@desk" in last.detail, "its log shows nothing" in last.detail) == ("resolve", True, True)


def refuses(one: Desk, said: str, people: int | None = 5) -> str:
    """That it is refused, nobody is freed, and the last line is a command."""
    before = one.store.info()
    with pytest.raises(RefusedError, match=said) as caught:
        one.settle("r1", released(people))
    assert "Nothing was changed" in caught.value.message
    assert one.store.info() == before
    return caught.value.next_command


SAID = "campaignkit resolve r1 --not-sent --reason 'its log shows nothing' --expect-people 5 --env live"


@pytest.mark.usefixtures("unknown")
def test_nobody_is_freed_without_the_number_of_those_who_may_get_it_twice(bench: Bench) -> None:
    assert refuses(desk(bench), "5 people would get this twice", None) == SAID
    assert refuses(desk(bench), "holds 5 people, not 4", 4) == "campaignkit resolve --env live"
    asked = replace(desk(bench), ask=lambda row: row.recipients)
    assert asked.settle("r1", released(None))[1] is RequestState.RELEASED


@pytest.mark.usefixtures("unknown")
def test_a_request_that_ended_by_itself_is_fenced_from_its_end(bench: Bench) -> None:
    assert refuses(desk(bench, after=899.9), "from 2026-11-23 12:15:00 UTC") == SAID
    assert refuses(desk(bench, after=59, release_after=60.0), "12:01:00") == SAID
    desk(bench, after=900).settle("r1", released())


def test_a_request_whose_process_died_is_fenced_as_long_as_it_could_still_write(bench: Bench) -> None:
    begun(bench)
    bench.store.recover(at(5))
    fence = 30 + 60 + 900
    assert refuses(desk(bench, after=fence - 0.1), "from 2026-11-23 12:16:30 UTC") == SAID
    assert [one.not_sent_from for one in unknowns(bench.store, environment(), alive=False)] == [at(fence)]
    desk(bench, after=fence).settle("r1", released())


def test_what_an_earlier_attempt_learned_is_no_evidence_about_the_last_one(bench: Bench) -> None:
    """Throttled, tried again, killed: the second attempt may have gone out, whatever the first one was answered."""
    begun(bench)
    throttled = replace(result(Outcome.THROTTLED), http_status=429, answer=b"slow down", bytes_written=700)
    bench.store.record("r1", 1, throttled, at(1), again=True)
    assert bench.store.mark_intent("r1", at(2)) == 2
    bench.store.recover(at(3))
    (one,) = unknowns(bench.store, environment(), alive=False)
    assert (one.phase, one.http_status, one.answer, one.bytes_written) == ("", None, "", 0)
    assert one.not_sent_from == at(2 + 30 + 60 + 900)


def test_a_clock_that_went_backwards_opens_nothing_early(bench: Bench) -> None:
    """Planned at noon, begun by a clock that had gone back an hour: the fence counts from noon."""
    begun(bench, intent=-3600)
    bench.store.recover(at(-3599))
    assert refuses(desk(bench, after=900), "from 2026-11-23 12:16:30 UTC") == SAID


def test_a_clock_behind_the_state_is_not_believed(bench: Bench) -> None:
    begun(bench, planned=-7200, intent=-7200)
    bench.store.recover(at(0))
    assert refuses(desk(bench, after=-60), "set it right") == SAID
    desk(bench, after=1).settle("r1", released())


def test_in_the_embedded_sandbox_there_is_no_fence(bench: Bench) -> None:
    begun(bench)
    bench.store.recover(at(0))
    desk(bench, after=0, base_url="sandbox").settle("r1", released())


@pytest.mark.usefixtures("unknown")
def test_without_the_lock_nothing_is_decided(bench: Bench) -> None:
    def lost() -> None:
        raise LockedError("it was taken away")

    with pytest.raises(LockedError):
        replace(desk(bench), demand_lock=lost).settle("r1", released())
    assert claimed(bench) == 5


def at(seconds: float) -> datetime:
    return FakeClock().now() + timedelta(seconds=seconds)


def begun(bench: Bench, *, planned: float = 0, intent: float = 0) -> None:
    """A request of five people in its intent, as a killed run leaves it."""
    one = mailing()
    (batch,) = bench.batches(one, 5)
    run = bench.store.begin_run(command="apply", digest="d", at=at(planned))
    request = PlannedRequest(
        batches=(
            PlannedBatch(
                key=one.key, path=one.path, line=one.line, definition="d", tag="ck-1", name="one ck-1",
                phones=bench.spool.read(batch.phones), fingerprints=bench.spool.read(batch.fingerprints),
            ),
        ),
    )  # fmt: skip
    assert bench.store.write_plan(run, [request], at(planned)) == ["r1"]
    assert bench.store.mark_intent("r1", at(intent)) == 1


def test_an_unknown_name_is_wrong_usage(bench: Bench) -> None:
    with pytest.raises(UsageError):
        desk(bench, None).settle("r99", accepted())
