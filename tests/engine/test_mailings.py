"""The provider's list of mailings: to its end, each once, whatever it does; and what of it is ours."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from campaignkit.engine.links import by_message_id
from campaignkit.engine.mailings import ROWS, Listed, delivery_lines, list_all, record_lines
from campaignkit.engine.pace import Pace
from campaignkit.errors import ProviderError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.records import PlannedRequest
from campaignkit.wire.records import DeliveryRow, Listing, MailingRecord
from tests.engine.conftest import Bench
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader, record
from tests.states.conftest import AT, FIRST, INVITATION, NEWS, Run, batch, list_request, result


class Pages(FakeReader):
    """Gives these pages, whatever is asked for; the last one stays."""

    def __init__(self, *pages: Listing[MailingRecord]) -> None:
        super().__init__()
        self.pages = list(pages)
        self.windows: list[tuple[int, int]] = []

    def mailings(self, *, offset: int, rows: int) -> Listing[MailingRecord]:
        self.windows.append((offset, rows))
        return self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]


def page(ids: Sequence[int]) -> Listing[MailingRecord]:
    return Listing([record(str(number), "SENT") for number in ids])


def listed(reader: FakeReader) -> Listed:
    return list_all(reader, pace=Pace(0, FakeClock()), tell=lambda _number: None)


def ids(found: Listed) -> list[int]:
    return [int(one.message_id) for one in found.records]


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 200, 250])
def test_every_mailing_is_listed_once(number: int) -> None:
    reader = FakeReader({"mailings": page(range(1, number + 1))})
    found = listed(reader)
    assert ids(found) == list(range(1, number + 1))
    assert (found.complete, found.notes) == (True, [])
    assert len(reader.asked) == number // ROWS + 1


def test_what_moves_to_the_next_page_meanwhile_is_listed_once() -> None:
    reader = Pages(page(range(100, 200)), page([150, *range(1, 100)]), page([7, 8]))
    found = listed(reader)
    assert ids(found) == [*range(100, 200), *range(1, 100)]
    assert reader.windows == [(0, 100), (100, 100), (200, 100)]
    assert found.complete


def test_a_page_that_repeats_ends_the_list_and_is_told() -> None:
    reader = Pages(page(range(1, 101)))
    found = listed(reader)
    assert ids(found) == list(range(1, 101))
    assert not found.complete
    assert found.notes == ["rows 101 to 200 repeat earlier ones: the provider's list does not end, and may not be whole here"]


def test_rows_that_cannot_be_read_make_a_page_no_shorter() -> None:
    first = Listing([record(str(number), "SENT") for number in range(1, 100)], ["entry 7 is no object"], 100)
    found = listed(Pages(first, page([500])))
    assert ids(found) == [*range(1, 100), 500]
    assert found.notes == ["rows 1 to 100: entry 7 is no object"]


def test_rows_without_an_id_are_told_apart_by_all_they_say() -> None:
    odd = [record("", "SENT"), record("", "SENT"), record("", "NEW"), record("007", "SENT"), record("7", "SENT")]
    found = listed(FakeReader({"mailings": Listing(odd)}))
    assert [(one.message_id, one.status) for one in found.records] == [("", "SENT"), ("", "NEW"), ("007", "SENT")]


def test_a_page_that_cannot_be_had_is_an_error() -> None:
    with pytest.raises(ProviderError, match="no answer"):
        listed(FakeReader({"mailings": ProviderError("no answer")}))


def test_the_operator_may_stop_it() -> None:
    reader = FakeReader({"mailings": page(range(300))})
    found = list_all(reader, pace=Pace(0, FakeClock()), tell=lambda _number: None, stopped=lambda: len(reader.asked) == 2)
    assert (len(found.records), found.complete) == (200, False)


def test_what_is_ours_is_linked(bench: Bench) -> None:
    run = Run(bench.store, bench.store.begin_run(command="apply", digest="", at=AT))
    [other, listing, quick, bulk] = run.plan(
        PlannedRequest(batches=(batch([FIRST + 2]),), method="quick"),
        list_request(),
        PlannedRequest(batches=(batch([FIRST]),), method="quick"),
        PlannedRequest(batches=(batch([FIRST + 1]),)),
    )
    run.end(listing, Outcome.ACCEPTED, "4905", count=2)
    run.end(quick, Outcome.ACCEPTED, "8484")
    run.end(bulk, Outcome.ACCEPTED, "cc9c8043-8caf-11ef-b035-9e8f47954dec")
    run.end(other, Outcome.ACCEPTED, "4905")  # another row of numbers: the list is meant first
    bench.store.learn_messages(bulk, ["31", "32"])
    test = bench.store.begin_test(campaign="spring", mailing="code", phone=FIRST, rendered_for=FIRST, at=AT)
    bench.store.end_test(test, result(Outcome.ACCEPTED, "9000"), AT)
    known = by_message_id(bench.store)
    records = [record(number, "SENT") for number in ("04905", "8484", "31", "32", "9000", "1", "")]
    lines = list(record_lines(records, known))
    assert [(line.link.request, line.link.method) if line.link else None for line in lines] == [
        (listing, "list"), (quick, "quick"), (bulk, "bulk"), (bulk, "bulk"), ("t1", "test"), None, None,
    ]  # fmt: skip
    assert [line.link.key for line in lines[:2] if line.link] == [NEWS, INVITATION]
    assert [line.message_id for line in record_lines(records, known, unknown_only=True)] == ["1", ""]
    assert [line.status_class for line in lines] == ["sent"] * 7


def test_a_list_without_end_is_left_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaignkit.engine.mailings._MOST_PAGES", 2)
    found = listed(FakeReader({"mailings": page(range(1, 400))}))
    assert (len(found.records), found.complete) == (200, False)
    assert found.notes == ["the provider's list has more than 200 rows; the rest was not asked for"]


def test_people_of_a_mailing_have_the_class_of_their_status() -> None:
    rows = [DeliveryRow(1, FIRST, "read", ""), DeliveryRow(2, None, "ODD", "9")]
    assert [(one.phone, one.status_class, one.error_code) for one in delivery_lines(rows)] == [(FIRST, "read", ""), (None, "unknown", "9")]


def test_a_test_message_without_an_id_is_linked_to_nothing(bench: Bench) -> None:
    bench.store.begin_test(campaign="spring", mailing="code", phone=FIRST, rendered_for=FIRST, at=AT)
    assert by_message_id(bench.store) == {}
