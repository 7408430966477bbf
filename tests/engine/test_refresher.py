"""Following what was sent: mixed answers, refusals after acceptance, nothing backwards."""

from __future__ import annotations

import random
from array import array

import pytest

from campaignkit.engine.overview import overview, people
from campaignkit.engine.refresher import RefreshJob
from campaignkit.errors import ProviderError
from campaignkit.model.status import MailingStatus
from campaignkit.provider.port import NotVisibleError
from campaignkit.wire.statuses import StatusAnswer, StatusEntry, StatusRow
from tests.engine.conftest import FIRST, Bench, environment, mailing
from tests.engine.test_applier import apply
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
