"""A person's word about an unknown request: believed where it is safe, verified where it is not."""

from __future__ import annotations

import pytest

from campaignkit.engine.resolver import Resolution, resolve, unknowns
from campaignkit.errors import ProviderError, RefusedError, UsageError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.records import RequestState
from campaignkit.wire.statuses import StatusAnswer, StatusEntry
from tests.engine.conftest import Bench, mailing
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


def answer(*names: str) -> FakeReader:
    entries = tuple(StatusEntry(name=name, message_id=1, rows=(), errors=()) for name in names)
    return FakeReader({UUID: StatusAnswer(entries=entries)})


def test_a_uuid_that_shows_our_mailing_is_believed(bench: Bench, unknown: str) -> None:
    row, count = resolve(bench.store, FakeClock(), unknown.rsplit(maxsplit=1)[-1], accepted(), answer(unknown))
    assert (row.ref, count) == ("r1", 5)
    found = bench.store.request("r1")
    assert found is not None
    assert (found.state, found.uuid) == (RequestState.ACCEPTED, UUID)


def test_an_error_that_names_our_mailing_is_proof_too(bench: Bench, unknown: str) -> None:
    entry = StatusEntry(name=None, message_id=None, rows=(), errors=(f"{unknown}: Content url is not valid",))
    resolve(bench.store, FakeClock(), "r1", accepted(), FakeReader({UUID: StatusAnswer(entries=(entry,))}))
    assert unknowns(bench.store, alive=False) == []


@pytest.mark.parametrize("names", [(), ("another's mailing",), ("ours", "another's mailing")])
def test_a_uuid_of_something_else_changes_nothing(bench: Bench, unknown: str, names: tuple[str, ...]) -> None:
    shown = tuple(unknown if name == "ours" else name for name in names)
    with pytest.raises(RefusedError):
        resolve(bench.store, FakeClock(), "r1", accepted(), answer(*shown))
    assert [one.ref for one in unknowns(bench.store, alive=False)] == ["r1"]


def test_a_provider_that_does_not_answer_verifies_nothing(bench: Bench, unknown: str) -> None:
    with pytest.raises(RefusedError, match="can't be verified"):
        resolve(bench.store, FakeClock(), "r1", accepted(), FakeReader({UUID: ProviderError("no answer")}))


def test_abandoned_people_stay_claimed_and_released_ones_are_free(bench: Bench, unknown: str) -> None:
    resolve(bench.store, FakeClock(), "r1", Resolution(to=RequestState.ABANDONED, reason="old"), None)
    assert claimed(bench) == 5
    with pytest.raises(RefusedError, match="not unknown"):
        resolve(bench.store, FakeClock(), "r1", Resolution(to=RequestState.RELEASED, reason="x"), None)


def test_releasing_frees_the_keys_and_is_counted(bench: Bench, unknown: str) -> None:
    before = bench.store.info().releases
    resolve(bench.store, FakeClock(), "r1", Resolution(to=RequestState.RELEASED, reason="log shows nothing"), None)
    assert (claimed(bench), bench.store.info().releases) == (0, before + 1)


def test_an_unknown_name_is_wrong_usage(bench: Bench) -> None:
    with pytest.raises(UsageError):
        resolve(bench.store, FakeClock(), "r99", accepted(), None)
