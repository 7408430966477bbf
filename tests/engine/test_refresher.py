"""Following what was sent: mixed answers, refusals after acceptance, nothing backwards."""

from __future__ import annotations

import random
from array import array
from datetime import datetime
from typing import Any, cast

import pytest

from campaignkit.engine.folding import unpack_details
from campaignkit.engine.overview import overview, people
from campaignkit.engine.refresher import RefreshJob
from campaignkit.errors import ProviderError, StateError
from campaignkit.model.status import MailingStatus
from campaignkit.provider.port import NotVisibleError
from campaignkit.states.records import BatchUpdate, RequestRow
from campaignkit.states.store import Store
from campaignkit.wire.statuses import StatusAnswer, StatusEntry, StatusRow
from tests.engine.conftest import FIRST, Bench, environment, mailing
from tests.engine.test_applier import Broken, apply
from tests.engine.test_applier import job as apply_job
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader, FakeSender


def sent(bench: Bench, count: int = 5) -> str:
    """One accepted request; returns its uuid."""
    one = mailing()
    apply(bench, bench.batches(one, count), FakeSender(), one)
    return next(iter(bench.store.requests())).uuid


def name(bench: Bench) -> str:
    return next(iter(bench.store.requests())).batches[0].name


def row(at: int, status: str) -> StatusRow:
    return StatusRow(phone=FIRST + at, status=status, delivery_id=1000 + at, status_time="2026-11-23 12:00:00")


def entry(bench: Bench, *rows: StatusRow, errors: tuple[str, ...] = ()) -> StatusEntry:
    return StatusEntry(name=name(bench), message_id=1, rows=rows, errors=errors)


def refused(text: str) -> StatusEntry:
    return StatusEntry(name=None, message_id=None, rows=(), errors=(text,))


def view(bench: Bench) -> MailingStatus:
    return overview(bench.store, environment(), None).campaigns[0].mailings[0]


def job(bench: Bench, reader: FakeReader, clock: FakeClock) -> RefreshJob:
    return RefreshJob(store=bench.store, reader=reader, clock=clock, environment=environment(), campaigns=())


def test_statuses_are_stored_and_never_go_backwards(bench: Bench) -> None:
    uuid, clock = sent(bench), FakeClock()
    first = StatusAnswer(entries=(entry(bench, row(0, "READ"), row(1, "DELIVERED"), row(2, "SENT"), row(3, "ODD-WORD")),))
    assert job(bench, FakeReader({uuid: first}), clock).once().changed == 4
    second = StatusAnswer(entries=(entry(bench, row(0, "NEW"), row(1, "SENT"), row(2, "DELIVERED"), row(3, "NEW")),))
    job(bench, FakeReader({uuid: second}), clock).once()
    status = view(bench)
    assert dict(status.statuses) == {"READ": 1, "DELIVERED": 2, "ODD-WORD": 1}
    assert status.unreported == 1
    assert status.recipients == 5


def test_a_refusal_is_shown_at_once_and_confirmed_by_a_second_poll_a_minute_later(bench: Bench) -> None:
    uuid, clock = sent(bench), FakeClock()
    answer = StatusAnswer(entries=(refused(f"{name(bench)}: Content url is not valid"),))
    reader = FakeReader({uuid: answer})
    job(bench, reader, clock).once()
    assert (view(bench).rejected, view(bench).unreported) == (0, 5)
    assert [(error.message, error.confirmed) for error in view(bench).errors] == [("Content url is not valid", False)]
    clock.forward(59)
    job(bench, reader, clock).once()
    assert view(bench).rejected == 0
    clock.forward(1)
    job(bench, reader, clock).once()
    assert (view(bench).rejected, view(bench).unreported) == (5, 0)
    assert {one.status for one in people(bench.store, failed=True)} == {"rejected"}


def test_a_row_seen_once_makes_later_errors_notes(bench: Bench) -> None:
    uuid, clock = sent(bench), FakeClock()
    job(bench, FakeReader({uuid: StatusAnswer(entries=(entry(bench, row(0, "NEW")),))}), clock).once()
    clock.forward(3600)
    reader = FakeReader({uuid: StatusAnswer(entries=(refused(f"{name(bench)}: Optimal image size 800x800 px"),))})
    job(bench, reader, clock).once()
    clock.forward(3600)
    job(bench, reader, clock).once()
    assert view(bench).rejected == 0
    assert view(bench).statuses["NEW"] == 1


def test_what_is_not_understood_is_kept_and_said_not_guessed(bench: Bench) -> None:
    uuid = sent(bench)
    stranger = StatusEntry(name="somebody else's", message_id=2, rows=(row(0, "READ"),), errors=("strange: words",))
    found = job(bench, FakeReader({uuid: StatusAnswer(entries=(stranger,))}), FakeClock()).once()
    assert len(found.notes) == 2
    assert view(bench).unreported == 5


def test_the_ids_of_our_own_mailings_are_kept_and_no_stranger_s(bench: Bench) -> None:
    uuid, clock = sent(bench), FakeClock()
    stranger = StatusEntry(name="somebody else's", message_id=2, rows=(), errors=())
    ours = StatusEntry(name=name(bench), message_id=77, rows=(row(0, "SENT"),), errors=())
    for _ in range(2):
        job(bench, FakeReader({uuid: StatusAnswer(entries=(stranger, ours))}), clock).once()
        assert bench.store.message_ids() == {"r1": ["77"]}


def test_foreign_phones_are_said_and_change_nothing(bench: Bench) -> None:
    uuid = sent(bench)
    found = job(bench, FakeReader({uuid: StatusAnswer(entries=(entry(bench, row(999, "READ")),))}), FakeClock()).once()
    assert "not in" in found.notes[0]
    assert view(bench).unreported == 5


@pytest.mark.parametrize("error", [ProviderError("the provider can't be reached"), NotVisibleError("404")])
def test_a_failed_poll_keeps_what_was_known(bench: Bench, error: Exception) -> None:
    uuid, clock = sent(bench), FakeClock()
    job(bench, FakeReader({uuid: StatusAnswer(entries=(entry(bench, row(0, "DELIVERED")),))}), clock).once()
    found = job(bench, FakeReader({uuid: error}), clock).once()
    assert found.pending == 1
    assert view(bench).statuses["DELIVERED"] == 1


def test_watching_backs_off_and_ends_when_all_is_settled(bench: Bench) -> None:
    uuid, clock = sent(bench, 2), FakeClock()

    class Moving(FakeReader):
        def bulk_status(self, asked: str) -> StatusAnswer:
            super().bulk_status(asked)
            word = "DELIVERED" if len(self.asked) == 6 else "SENT"
            return StatusAnswer(entries=(entry(bench, row(0, word), row(1, word)),))

    reader = Moving()
    found = job(bench, reader, clock).watch(timeout=None, chance=random.Random(1), heard=lambda _found: None)
    assert found.settled
    assert reader.asked == [uuid] * 6
    assert clock.slept[3] > clock.slept[1]


def test_watching_ends_at_its_timeout_and_at_the_horizon(bench: Bench) -> None:
    uuid, clock = sent(bench), FakeClock()
    reader = FakeReader({uuid: StatusAnswer(entries=())})
    assert not job(bench, reader, clock).watch(timeout=60, chance=random.Random(1), heard=lambda _found: None).settled
    assert clock.monotonic() <= 60.01
    clock.forward(73 * 3600)
    asked = len(reader.asked)
    assert job(bench, reader, clock).once().settled
    assert len(reader.asked) == asked


def test_statuses_of_one_person_are_found_by_phone(bench: Bench) -> None:
    uuid = sent(bench)
    job(bench, FakeReader({uuid: StatusAnswer(entries=(entry(bench, row(2, "READ")),))}), FakeClock()).once()
    [found] = list(people(bench.store, phone=FIRST + 2))
    assert (found.status, found.status_time, found.uuid) == ("READ", "2026-11-23 12:00:00", uuid)
    assert array("q", [found.phone])[0] == FIRST + 2


@pytest.mark.parametrize("phone", [None, FIRST + 999])
def test_a_row_that_can_not_be_matched_still_forbids_a_refusal(bench: Bench, phone: int | None) -> None:
    uuid, clock = sent(bench), FakeClock()
    odd = StatusRow(phone=phone, status="", delivery_id=None, status_time="")
    answer = StatusAnswer(entries=(entry(bench, odd, errors=("Content url is not valid",)),))
    for _ in range(3):
        job(bench, FakeReader({uuid: answer}), clock).once()
        clock.forward(61)
    assert view(bench).rejected == 0


def test_two_refreshes_at_once_never_take_a_status_back(bench: Bench) -> None:
    """The second one read its row before the first stored DELIVERED: it folds its older answer into the newer row."""
    uuid, clock = sent(bench, 1), FakeClock()

    class Crossing(FakeReader):
        def bulk_status(self, asked: str) -> StatusAnswer:
            newer = StatusAnswer(entries=(entry(bench, row(0, "DELIVERED")),))
            job(bench, FakeReader({uuid: newer}), clock).once()
            return StatusAnswer(entries=(entry(bench, row(0, "NEW")),))

    job(bench, Crossing(), clock).once()
    assert dict(view(bench).statuses) == {"DELIVERED": 1}


def test_whoever_has_a_status_is_not_refused_though_the_batch_is(bench: Bench) -> None:
    """A refused batch is partly sent again; then the provider shows READ for one who was not: that one is never sent to again."""
    uuid, clock = sent(bench, 2), FakeClock()
    errors = FakeReader({uuid: StatusAnswer(entries=(refused(f"{name(bench)}: Content url is not valid"),))})
    for _ in range(2):
        job(bench, errors, clock).once()
        clock.forward(61)
    one = mailing(definition="d2")
    apply(bench, bench.batches(one, 1), FakeSender(), one)
    first = next(iter(bench.store.requests())).batches[0].name
    late = StatusAnswer(entries=(StatusEntry(name=first, message_id=1, rows=(row(1, "READ"),), errors=()),))
    job(bench, FakeReader({uuid: late}), clock).once()
    [known] = bench.store.mailings()
    assert not bench.store.known([known.id], [FIRST + 1])[FIRST + 1].refused


def two_requests(bench: Bench) -> list[str]:
    """A mailing of three people and another of two, accepted; returns their uuids."""
    one, two = mailing(), mailing("reminder")
    apply(bench, bench.batches(one, 3) + bench.batches(two, 2), FakeSender(), one, two)
    return [row.uuid for row in bench.store.requests()]


def test_a_refresh_that_is_stopped_asks_no_more_and_is_not_settled(bench: Bench) -> None:
    uuids, reader = two_requests(bench), FakeReader()
    one = job(bench, reader, FakeClock())
    one.stopped = lambda: bool(reader.asked)
    found = one.once()
    assert (reader.asked, found.requests, found.polled, found.settled) == (uuids[:1], 2, 1, False)
    assert one.watch(timeout=None, chance=random.Random(1), heard=lambda _found: None).pending == 2
    assert reader.asked == uuids[:1]


def test_a_mailing_that_is_forgotten_before_its_turn_is_not_asked_about(bench: Bench) -> None:
    uuids, reader = two_requests(bench), FakeReader()
    one = job(bench, reader, FakeClock())

    def tell(_done: int, _all: int) -> None:
        bench.store.forget(mailing("reminder").key, reason="asked to", at=FakeClock().now())

    one.tell = tell
    assert one.once().polled == 1
    assert reader.asked == uuids[:1]


def test_what_is_said_of_a_mailing_that_is_forgotten_meanwhile_is_not_stored(bench: Bench) -> None:
    uuid = sent(bench)
    words = StatusAnswer(entries=(entry(bench, row(0, "READ")),))

    class Forgetting(FakeReader):
        def bulk_status(self, asked: str) -> StatusAnswer:
            bench.store.forget(mailing().key, reason="asked to", at=FakeClock().now())
            return super().bulk_status(asked)

    found = job(bench, Forgetting({uuid: words}), FakeClock()).once()
    assert (found.polled, found.changed, found.pending) == (0, 0, 1)
    assert list(bench.store.requests()) == []
    assert bench.store.problems() == []


def test_a_mailing_that_is_forgotten_meanwhile_takes_nothing_from_another_in_the_same_request(bench: Bench) -> None:
    one, two = mailing("one"), mailing("two")
    together = apply_job(bench, bench.batches(one, 2, canary=False) + bench.batches(two, 2, canary=False), FakeSender(), one, two)
    together.plan.batches_per_request = 2
    together.run()
    [request] = bench.store.requests()
    kept = StatusEntry(name=request.batches[0].name, message_id=1, rows=(row(0, "READ"),), errors=())

    class Forgetting(FakeReader):
        def bulk_status(self, asked: str) -> StatusAnswer:
            bench.store.forget(two.key, reason="asked to", at=FakeClock().now())
            return super().bulk_status(asked)

    assert job(bench, Forgetting({request.uuid: StatusAnswer(entries=(kept,))}), FakeClock()).once().polled == 1
    assert dict(view(bench).statuses) == {"READ": 1}


def test_a_state_that_can_not_be_written_ends_the_refresh(bench: Bench) -> None:
    uuid = sent(bench)
    one = job(bench, FakeReader({uuid: StatusAnswer(entries=())}), FakeClock())
    one.store = cast("Store", Broken(bench.store, StateError("the disk is full"), at="record_poll"))
    with pytest.raises(StateError, match="the disk is full"):
        one.once()


def test_a_row_that_others_change_without_end_is_left_as_they_left_it(bench: Bench) -> None:
    """Ten times somebody else's poll is stored first: this answer is given up, and asked for again by the next refresh."""
    uuid, clock = sent(bench, 1), FakeClock()
    newer = FakeReader({uuid: StatusAnswer(entries=(entry(bench, row(0, "DELIVERED")),))})

    class Busy(FakeClock):
        def now(self) -> datetime:  # between reading the row and storing the answer
            if self.slept:
                clock.forward(1)
                job(bench, newer, clock).once()
            return super().now()

    class Slow(FakeReader):
        def bulk_status(self, asked: str) -> StatusAnswer:
            busy.sleep(1)
            return super().bulk_status(asked)

    busy = Busy()
    found = job(bench, Slow({uuid: StatusAnswer(entries=(entry(bench, row(0, "READ")),))}), busy).once()
    assert (found.polled, found.pending, len(newer.asked)) == (0, 1, 10)
    assert dict(view(bench).statuses) == {"DELIVERED": 1}


class Counting:
    """A store that counts what is loaded with its people, and keeps what is written of batches."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.loaded: list[str] = []
        self.updates: list[tuple[BatchUpdate, ...]] = []

    def request(self, ref: str) -> RequestRow | None:
        self.loaded.append(ref)
        return self._store.request(ref)

    def record_poll(self, ref: str, updates: tuple[BatchUpdate, ...], **given: Any) -> bool:
        self.updates.append(updates)
        return self._store.record_poll(ref, updates, **given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_whoever_is_read_by_all_is_neither_loaded_nor_asked_about_again(bench: Bench) -> None:
    uuid, reader = sent(bench, 1), FakeReader()
    reader.answers[uuid] = StatusAnswer(entries=(entry(bench, row(0, "READ")),))
    assert job(bench, reader, FakeClock()).once().final == 1
    again = job(bench, reader, FakeClock())
    store = Counting(bench.store)
    again.store = cast("Store", store)
    found = again.once()
    assert (found.requests, found.polled, found.final, found.settled) == (1, 0, 1, True)
    assert (store.loaded, reader.asked) == ([], [uuid])


def test_a_request_that_another_refresh_ends_meanwhile_is_not_asked_about(bench: Bench) -> None:
    uuids, clock = two_requests(bench), FakeClock()
    second = list(bench.store.requests())[1]
    rows = tuple(StatusRow(FIRST + at, "READ", at, "") for at in range(2))
    over = StatusAnswer(entries=(StatusEntry(name=second.batches[0].name, message_id=2, rows=rows, errors=()),))

    class Other(FakeReader):
        def bulk_status(self, asked: str) -> StatusAnswer:
            if not self.asked:
                job(bench, FakeReader({uuids[1]: over}), clock).once()
            return super().bulk_status(asked)

    reader = Other()
    found = job(bench, reader, clock).once()
    assert (found.polled, found.final) == (1, 1)
    assert reader.asked == uuids[:1]


def test_what_is_known_already_is_not_written_again(bench: Bench) -> None:
    uuid, clock = sent(bench), FakeClock()
    reader = FakeReader({uuid: StatusAnswer(entries=(entry(bench, row(0, "DELIVERED"), row(1, "SENT")),))})
    job(bench, reader, clock).once()
    again = job(bench, reader, clock)
    store = Counting(bench.store)
    again.store = cast("Store", store)
    clock.forward(1)
    assert again.once().polled == 1
    newest = bench.store.request("r1")
    assert newest is not None
    assert (store.updates, newest.polled_at) == ([()], clock.now())
    # The same status at another time is news, though nobody moved.
    later = row(1, "SENT")._replace(status_time="2026-11-23 12:30:00")
    reader.answers[uuid] = StatusAnswer(entries=(entry(bench, row(0, "DELIVERED"), later),))
    assert again.once().changed == 0
    assert [len(updates) for updates in store.updates] == [0, 1]
    [found] = list(people(bench.store, phone=FIRST + 1))
    assert found.status_time == "2026-11-23 12:30:00"
    assert bench.store.problems() == []


def test_a_failure_keeps_its_code(bench: Bench) -> None:
    uuid = sent(bench)
    failed = StatusRow(phone=FIRST, status="UNDELIVERED", delivery_id=1, status_time="", error_code="7")
    job(bench, FakeReader({uuid: StatusAnswer(entries=(entry(bench, failed),))}), FakeClock()).once()
    current = bench.store.request("r1")
    assert current is not None
    assert unpack_details(current.batches[0].details, 5) == [[1, "", "7"], [], [], [], []]
