"""What an earlier run could not store is stored by the next, or kept for a person."""

from __future__ import annotations

from pathlib import Path

from campaignkit.engine.taking_in import take_in
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.states.records import RequestState
from campaignkit.states.spills import Spilled, SpillFile
from tests.engine import lists, test_quick
from tests.engine.conftest import Bench, mailing, quick_mailing
from tests.engine.test_applier import apply, states
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeSender, result

UUID = "00000000-0000-11f1-8000-00000000000a"


def unknown(bench: Bench) -> None:
    one = mailing()
    apply(bench, bench.batches(one, 5), FakeSender(result(Outcome.UNKNOWN)), one)


def spill(
    bench: Bench, outcome: Outcome = Outcome.ACCEPTED, *, ref: str = "r1", attempt: int = 1, uuid: str = UUID, count: int | None = None
) -> Path:
    given = uuid if outcome is Outcome.ACCEPTED else ""
    ended = SendResult(outcome=outcome, phase=Phase.DONE, reason="as spilled", uuid=given, count=count)
    with SpillFile(bench.path, lineage="l", run="a", elsewhere=None) as file:
        path = file.keep(Spilled(ref=ref, attempt=attempt, result=ended, at=FakeClock().now()))
    assert path is not None
    return path


def taken(bench: Bench) -> list[str]:
    words: list[str] = []
    take_in(bench.store, elsewhere=None, clock=FakeClock(), tell=words.append)
    return words


def test_an_acceptance_is_stored_and_its_file_goes(bench: Bench) -> None:
    unknown(bench)
    path = spill(bench)
    assert "r1" in taken(bench)[0]
    row = bench.store.request("r1")
    assert row is not None
    assert (row.state, row.uuid, row.reason) == (RequestState.ACCEPTED, UUID, "as spilled")
    assert not path.exists()
    assert taken(bench) == []


def test_a_refusal_frees_its_people(bench: Bench) -> None:
    unknown(bench)
    spill(bench, Outcome.REJECTED)
    taken(bench)
    assert states(bench) == ["rejected"]
    assert bench.store.mailings()[0].claimed == 0


def test_taking_in_twice_changes_nothing(bench: Bench) -> None:
    """As after a death between storing it and removing the file."""
    unknown(bench)
    path = spill(bench)
    content = path.read_bytes()
    taken(bench)
    path.write_bytes(content)
    assert taken(bench) == []
    assert not path.exists()


def test_a_quick_message_that_was_taken_gets_its_id_once(bench: Bench) -> None:
    one = quick_mailing()
    apply(bench, test_quick.batches(bench, one, 1), FakeSender(result(Outcome.UNKNOWN)), one)
    path = spill(bench, uuid="8484")
    content = path.read_bytes()
    assert "accepted" in taken(bench)[0]
    row = lists.row_of(bench)
    assert (row.method, row.state, row.uuid) == ("quick", RequestState.ACCEPTED, "8484")
    path.write_bytes(content)
    assert taken(bench) == []
    assert not path.exists()


def test_a_list_that_was_made_is_a_draft_again(bench: Bench) -> None:
    lists.apply(bench, FakeSender(result(Outcome.UNKNOWN)))
    path = spill(bench, uuid="4905", count=3)
    content = path.read_bytes()
    assert "draft" in taken(bench)[0]
    row = lists.row_of(bench)
    assert row.listing is not None
    assert (row.state, row.uuid, row.listing.subscribers) == (RequestState.DRAFT, "4905", 3)
    path.write_bytes(content)
    assert taken(bench) == []
    assert not path.exists()


def test_a_confirm_that_counted_is_no_draft_any_more(bench: Bench) -> None:
    lists.apply(bench, FakeSender(None, result(Outcome.UNKNOWN)))
    path = spill(bench, attempt=2, uuid="")
    content = path.read_bytes()
    assert "accepted" in taken(bench)[0]
    row = lists.row_of(bench)
    assert (row.state, row.uuid) == (RequestState.ACCEPTED, "4905")
    path.write_bytes(content)
    assert taken(bench) == []
    assert not path.exists()


def test_a_confirm_that_counted_although_the_draft_was_thought_to_wait_is_kept_and_told(bench: Bench) -> None:
    """Its file came to light late: whoever confirms the draft again messages the whole list twice."""
    lists.apply(bench, FakeSender(None, result(Outcome.UNKNOWN)))
    bench.store.resolve("r1", RequestState.DRAFT, reason="not confirmed", at=FakeClock().now())
    path = spill(bench, attempt=2, uuid="")
    assert "r1 was accepted by the provider, but stands as draft" in taken(bench)[0]
    assert path.with_name(path.name + ".kept").exists()


def test_what_contradicts_a_persons_word_is_kept_and_told(bench: Bench) -> None:
    unknown(bench)
    bench.store.resolve("r1", RequestState.RELEASED, reason="looked", at=FakeClock().now())
    path = spill(bench)
    [words] = taken(bench)
    assert "r1 was accepted by the provider, but stands as released" in words
    assert "sent to twice" in words
    assert [kept.name for kept in path.parent.glob("*.kept")] == [path.name + ".kept"]
    assert [event.kind for event in bench.store.events()][-1] == "spill_kept"
    assert taken(bench) == []


def test_of_another_attempt_or_no_request_is_kept(bench: Bench) -> None:
    unknown(bench)
    spill(bench, attempt=2)
    assert "stands as unknown" in taken(bench)[0]
    spill(bench, ref="r77")
    assert "is not in the state" in taken(bench)[0]
    assert states(bench) == ["unknown"]


def test_garbage_is_kept_and_told(bench: Bench) -> None:
    bench.path.with_name(bench.path.name + ".spill-z").write_bytes(b"garbage\n")
    assert "can't be read" in taken(bench)[0]
