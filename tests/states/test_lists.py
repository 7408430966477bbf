"""A mailing to a list of the provider: made, then confirmed, each call with its own intent; what it became is known afterwards."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing

import pytest

from campaignkit.errors import StateError
from campaignkit.model.mailings import LIST_PHONE
from campaignkit.model.outcomes import Outcome
from campaignkit.states.export import export_records
from campaignkit.states.packing import pack_phones
from campaignkit.states.records import Listing, RequestState, Step
from campaignkit.states.store import ClaimConflictError
from tests.states.conftest import AT, FIRST, NEWS, Run, World, list_request, result

ENDS = [Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT]


@pytest.fixture
def draft(run: Run) -> str:
    """A draft for four subscribers."""
    [ref] = run.plan(list_request())
    assert run.end(ref, Outcome.ACCEPTED, "4905", count=4) is RequestState.DRAFT
    return ref


def test_a_create_leaves_a_draft_that_holds_its_key(run: Run, draft: str) -> None:
    row = run.store.request(draft)
    assert row is not None
    assert row.listing is not None
    assert (row.state, row.step, row.uuid, row.recipients) == (RequestState.DRAFT, Step.CREATE, "4905", 4)
    assert row.listing.subscribers == 4
    assert run.holds(LIST_PHONE, key=NEWS) == {LIST_PHONE}
    with pytest.raises(ClaimConflictError):
        run.plan(list_request())
    assert [mailing.accepted for mailing in run.store.mailings()] == [0]
    assert run.store.problems() == []


def test_the_confirm_is_an_intent_of_its_own(run: Run, draft: str) -> None:
    run.store.note_draft(draft, "DRAFT")
    assert run.store.mark_intent(draft, AT) == 2
    assert run.store.mark_intent(draft, AT) is None
    assert run.store.record(draft, 2, result(Outcome.ACCEPTED), AT) is RequestState.ACCEPTED
    row = run.store.request(draft)
    assert row is not None
    assert row.listing is not None
    assert (row.step, row.uuid, row.listing.draft_word, row.attempts) == (Step.CONFIRM, "4905", "DRAFT", 2)
    assert run.store.mark_intent(draft, AT) is None


@pytest.mark.parametrize("outcome", ENDS)
@pytest.mark.parametrize("again", [True, False])
def test_a_confirm_that_did_not_count_leaves_the_draft(run: Run, draft: str, outcome: Outcome, again: bool) -> None:
    assert run.end(draft, outcome, again=again) is RequestState.DRAFT
    assert run.holds(LIST_PHONE, key=NEWS) == {LIST_PHONE}
    assert run.end(draft, Outcome.ACCEPTED) is RequestState.ACCEPTED
    assert run.store.problems() == []


@pytest.mark.parametrize("outcome", ENDS)
def test_a_create_that_did_not_count_frees_the_key(run: Run, outcome: Outcome) -> None:
    [ref] = run.plan(list_request())
    run.end(ref, outcome)
    assert run.holds(LIST_PHONE, key=NEWS) == set()
    run.plan(list_request())


def test_a_draft_outlives_its_run_and_an_intent_of_its_confirm_becomes_unknown(world: World, run: Run, draft: str) -> None:
    assert run.store.recover(AT).unknown_requests == ()
    assert run.state(draft) is RequestState.DRAFT
    run.store.mark_intent(draft, AT)
    assert run.store.recover(AT).unknown_requests == (draft,)
    row = run.store.request(draft)
    assert row is not None
    assert (row.state, row.step, row.uuid) == (RequestState.UNKNOWN, Step.CONFIRM, "4905")


def test_an_id_that_another_list_has_is_no_draft_but_the_same_number_of_a_quick_message_is(run: Run, draft: str) -> None:
    [ref] = run.plan(list_request(NEWS._replace(mailing="other")))
    assert run.end(ref, Outcome.ACCEPTED, "4905", count=1) is RequestState.UNKNOWN
    quick = dataclasses.replace(list_request(NEWS._replace(mailing="quick")), method="quick")
    [ref] = run.plan(quick)
    assert run.end(ref, Outcome.ACCEPTED, "4905") is RequestState.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "uuid", "state", "held"),
    [
        (RequestState.ACCEPTED, "", RequestState.ACCEPTED, True),
        (RequestState.ABANDONED, "", RequestState.ABANDONED, True),
        (RequestState.RELEASED, "", RequestState.RELEASED, False),
        (RequestState.DRAFT, "4905", RequestState.DRAFT, True),
    ],
)
def test_answers_to_a_lost_create(run: Run, answer: RequestState, uuid: str, state: RequestState, held: bool) -> None:
    [ref] = run.plan(list_request())
    run.end(ref, Outcome.UNKNOWN)
    assert run.store.resolve(ref, answer, uuid=uuid, reason="looked", at=AT) == 1
    assert run.state(ref) is state
    assert bool(run.holds(LIST_PHONE, key=NEWS)) is held
    assert run.store.problems() == []


def test_a_lost_create_is_no_draft_without_its_id(run: Run) -> None:
    [ref] = run.plan(list_request())
    run.end(ref, Outcome.UNKNOWN)
    with pytest.raises(ValueError, match="can't be answered with draft"):
        run.store.resolve(ref, RequestState.DRAFT, reason="x", at=AT)


@pytest.mark.parametrize("answer", [RequestState.ACCEPTED, RequestState.ABANDONED, RequestState.DRAFT])
def test_answers_to_a_lost_confirm_keep_the_id(run: Run, draft: str, answer: RequestState) -> None:
    run.end(draft, Outcome.UNKNOWN)
    assert run.store.resolve(draft, answer, reason="looked", at=AT) == 4
    row = run.store.request(draft)
    assert row is not None
    assert (row.state, row.uuid) == (answer, "4905")


def test_a_lost_confirm_is_not_made_anew_while_its_draft_can_be_looked_at(run: Run, draft: str) -> None:
    run.end(draft, Outcome.UNKNOWN)
    with pytest.raises(ValueError, match="can't be answered with released"):
        run.store.resolve(draft, RequestState.RELEASED, reason="x", at=AT)


@pytest.mark.parametrize("answer", [RequestState.ACCEPTED, RequestState.ABANDONED, RequestState.RELEASED])
def test_a_person_may_decide_about_a_draft(run: Run, draft: str, answer: RequestState) -> None:
    run.store.resolve(draft, answer, reason="looked", at=AT)
    assert run.state(draft) is answer
    assert bool(run.holds(LIST_PHONE, key=NEWS)) is (answer is not RequestState.RELEASED)


def test_only_lost_creates_are_discarded(run: Run, draft: str) -> None:
    [lost] = run.plan(list_request(NEWS._replace(mailing="other")))
    run.end(lost, Outcome.UNKNOWN)
    run.end(draft, Outcome.UNKNOWN)
    before = run.store.info().releases
    assert run.store.discard_drafts(AT) == [lost]
    assert run.store.discard_drafts(AT) == []
    assert (run.state(draft), run.state(lost)) == (RequestState.UNKNOWN, RequestState.RELEASED)
    assert run.store.info().releases == before
    assert run.store.problems() == []


def test_after_lost_history_nobody_knows_whether_it_was_confirmed(run: Run, draft: str) -> None:
    [lost] = run.plan(list_request(NEWS._replace(mailing="other")))
    run.end(lost, Outcome.UNKNOWN)
    run.store.lose_history([list_request(NEWS._replace(mailing="third"))], since=1, at_least=5, at=AT)
    rows = list(run.store.requests())
    assert [(row.state, row.step) for row in rows] == [(RequestState.UNKNOWN, Step.CONFIRM)] * 3
    assert run.store.discard_drafts(AT) == []


def test_a_poll_names_the_people(run: Run, draft: str) -> None:
    run.end(draft, Outcome.ACCEPTED)
    read = run.store.word_id("READ")
    listing = Listing(
        subscribers=4, draft_word="", cost="0.19600 EUR", phones=pack_phones([FIRST, FIRST + 1]), statuses=bytes([read, 0]), details=b""
    )
    assert run.store.record_poll(draft, [], final=False, at=AT, seen=None, listing=listing)
    row = run.store.request(draft)
    assert row is not None
    assert row.listing == listing
    assert (row.recipients, listing.listed) == (4, 2)
    assert [(found.ref, index, place) for found, index, place in run.store.holders(FIRST + 1)] == [(draft, 0, 1)]
    assert run.store.holders(FIRST + 2) == []
    [exported] = [record for record in export_records(run.store) if record["type"] == "request"]
    assert exported["list"]["recipients"][0]["status"] == "READ"  # type: ignore[index]  # JSON, as deep as it looks
    assert run.store.problems() == []


def test_a_list_is_stored_whole_and_only_where_one_was_made(run: Run, draft: str) -> None:
    run.end(draft, Outcome.ACCEPTED)
    uneven = Listing(subscribers=1, draft_word="", cost="", phones=b"", statuses=b"\0", details=b"")
    with pytest.raises(ValueError, match="the same people"):
        run.store.record_poll(draft, [], final=False, at=AT, seen=None, listing=uneven)
    bulk = run.accepted(FIRST)
    with pytest.raises(StateError, match="no mailing to a list"):
        run.store.record_poll(bulk, [], final=False, at=AT, seen=None, listing=dataclasses.replace(uneven, statuses=b""))


def test_the_word_of_a_draft_is_kept_only_of_drafts(run: Run, draft: str) -> None:
    run.store.note_draft(draft, "DRAFT")
    run.end(draft, Outcome.ACCEPTED)
    with pytest.raises(StateError, match="as a draft"):
        run.store.note_draft(draft, "SENT")


def test_forgetting_takes_its_people_along(run: Run, draft: str) -> None:
    run.end(draft, Outcome.ACCEPTED)
    assert run.store.forget(NEWS, reason="asked", at=AT) == 1
    assert run.store.request(draft) is None
    assert run.store.problems() == []


def test_a_damaged_list_and_a_damaged_wish_are_not_believed(world: World, run: Run, draft: str) -> None:
    run.store.opt_out(FIRST, reason="asked", at=AT, by="a person")
    run.store.close()
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute("UPDATE listing SET subscribers = 5")
        sql.execute("UPDATE optout SET reason = 'axed'")
        sql.commit()
    reader = world.reader()
    with pytest.raises(StateError, match=f"the list of {draft}"):
        reader.request(draft)
    with pytest.raises(StateError, match="checksum is wrong"):
        reader.opted_out([FIRST])


def test_a_wish_that_is_damaged_later_is_not_believed_either(world: World, run: Run) -> None:
    run.store.opt_out(FIRST, reason="asked", at=AT, by="a person")
    assert run.store.opted_out([FIRST, FIRST + 1]) == {FIRST}
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute("UPDATE optout SET reason = 'axed'")
        sql.commit()
    with pytest.raises(StateError, match="checksum is wrong"):
        run.store.opted_out([FIRST])
