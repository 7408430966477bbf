"""Replies, opt-outs and test messages: each stored once, and nothing of them lost or done twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.asides import Reply
from campaignkit.states.export import export_records
from campaignkit.states.store import Store
from tests.schemas.documents import problems
from tests.states.conftest import AT, FIRST, INVITATION, Run, World, result

LATER = AT + timedelta(hours=1)


def reply(number: int, text: str = "Yes", *, phone: int | None = FIRST, request: str = "") -> Reply:
    return Reply(
        provider_id=str(number), message_id="4905", request=request, phone=phone, text=text, received="2022-09-01 10:39:45"
    )  # fmt: skip


def test_an_opt_out_holds_until_a_person_takes_it_back(store: Store) -> None:
    before = store.info()
    assert store.opt_out(FIRST, reason="asked by phone", at=AT, by="anna@desk")
    assert not store.opt_out(FIRST, reason="again", at=LATER, by="anna@desk")
    assert store.opted_out([FIRST - 1, FIRST, FIRST + 1]) == {FIRST}
    [row] = store.optouts()
    assert (row.phone, row.at, row.reason, row.by, row.reply) == (FIRST, AT, "asked by phone", "anna@desk", None)
    out = store.info()
    assert out.claims_version == before.claims_version + 1
    assert out.releases == before.releases
    assert store.opt_in(FIRST, reason="changed her mind", at=LATER, by="anna@desk")
    assert not store.opt_in(FIRST, reason="again", at=LATER, by="anna@desk")
    assert not store.opted_out([FIRST])
    back = store.info()
    assert (back.claims_version, back.releases) == (out.claims_version + 1, out.releases + 1)
    assert back.serial == before.serial + 2
    assert not store.problems()


def test_the_history_tells_of_opt_outs_without_the_phone(store: Store) -> None:
    store.opt_out(FIRST, reason="asked", at=AT, by="anna")
    store.opt_in(FIRST, reason="asked back", at=AT, by="anna")
    events = list(store.events())
    assert [(event.kind, event.subject) for event in events] == [("opt_out", "37529•••1111"), ("opt_in", "37529•••1111")]
    assert str(FIRST) not in "".join(event.detail for event in events)


@pytest.mark.parametrize("column", ["id", "reason", "at"])
def test_a_damaged_opt_out_stops_whoever_asks_for_anybody(world: World, column: str) -> None:
    store = world.store()
    store.opt_out(FIRST, reason="asked", at=AT, by="anna")
    store.close()
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute(f"UPDATE optout SET {column} = iif('{column}' = 'id', id + 64, 'x')")
        sql.commit()
    store = world.store()
    for attempt in (lambda: store.opted_out([FIRST]), lambda: store.opted_out([FIRST + 1]), store.optouts):
        with pytest.raises(StateError, match="an opt-out: the checksum is wrong"):
            attempt()
    assert store.problems()


def test_replies_are_stored_once_with_the_opt_outs_they_ask_for(run: Run) -> None:
    ref = run.accepted(FIRST)
    first = [reply(1234, "стоп", request=ref), reply(1236, "Yes", phone=FIRST + 1, request=ref), reply(1237, "stop", phone=None)]
    why = {"1234": "the reply 'стоп'", "1237": "the reply 'stop'"}
    kept = run.store.keep_replies(first, optouts=why, at=AT, by="inbox")
    assert [row.provider_id for row in kept.new] == ["1234", "1236", "1237"]
    assert (kept.opted_out, kept.altered, kept.unread_again) == ((FIRST,), (), 0)
    [out] = run.store.optouts()
    assert (out.reason, out.reply) == ("the reply 'стоп'", kept.new[0].id)
    run.store.opt_in(FIRST, reason="a mistake", at=AT, by="anna")
    again = run.store.keep_replies([*first, reply(1238)], optouts=why, at=LATER, by="inbox")
    assert [row.provider_id for row in again.new] == ["1238"]
    assert not run.store.optouts()  # what a person decided holds, however often the provider repeats itself
    assert [row.provider_id for row in run.store.replies()] == ["1234", "1236", "1237", "1238"]
    assert [row.pulled_at for row in run.store.replies()] == [AT, AT, AT, LATER]
    assert not run.store.problems()


def test_a_reply_that_comes_otherwise_stays_as_it_was_first(store: Store) -> None:
    store.keep_replies([reply(1, "one")], optouts={}, at=AT, by="inbox")
    kept = store.keep_replies([reply(1, "another"), reply(1, "one")], optouts={}, at=AT, by="inbox")
    assert (kept.new, kept.altered) == ((), ("1",))
    assert [row.text for row in store.replies()] == ["one"]


def test_replies_are_filtered(run: Run) -> None:
    ref = run.accepted(FIRST)
    kept = run.store.keep_replies([reply(1, request=ref), reply(2, phone=FIRST + 1)], optouts={}, at=AT, by="inbox")
    run.store.mark_acked([kept.new[1].id], LATER)
    assert [row.provider_id for row in run.store.replies(campaigns=["spring-sale"])] == ["1"]
    assert [row.provider_id for row in run.store.replies(phone=FIRST + 1)] == ["2"]
    assert [row.provider_id for row in run.store.replies(unread=True)] == ["1"]
    assert not list(run.store.replies(campaigns=["other"]))


def test_many_replies_come_in_their_order(store: Store) -> None:
    store.keep_replies([reply(number) for number in range(1, 701)], optouts={}, at=AT, by="inbox")
    assert [row.provider_id for row in store.replies()] == [str(number) for number in range(1, 701)]


def test_what_the_provider_shows_as_new_again_is_unread_again(store: Store) -> None:
    [row] = store.keep_replies([reply(1)], optouts={}, at=AT, by="inbox").new
    assert store.mark_acked([row.id, 999], LATER) == 1
    assert store.mark_acked([row.id], LATER) == 0
    [acked] = store.replies()
    assert acked.acked_at == LATER
    assert store.keep_replies([reply(1)], optouts={}, at=LATER, by="inbox").unread_again == 1
    assert [found.acked_at for found in store.replies()] == [None]
    assert not store.problems()


def test_forgetting_a_mailing_drops_its_replies_and_ids(run: Run) -> None:
    ref = run.accepted(FIRST)
    run.store.learn_messages(ref, ["8483", "8484", "8483"])
    run.store.learn_messages(ref, ["8484"])
    assert run.store.message_ids() == {ref: ["8483", "8484"]}
    run.store.keep_replies([reply(1, request=ref), reply(2)], optouts={"1": "stop"}, at=AT, by="inbox")
    run.store.forget(INVITATION, reason="asked", at=AT)
    assert [row.provider_id for row in run.store.replies()] == ["2"]
    assert run.store.message_ids() == {}
    assert run.store.opted_out([FIRST]) == {FIRST}  # forgetting a mailing never opens anybody up to messages
    with pytest.raises(StateError):
        run.store.learn_messages(ref, ["8483"])


def test_a_test_message_has_its_intent_and_its_outcome(world: World) -> None:
    store = world.store()
    ids = [store.begin_test(campaign="c", mailing="m", phone=FIRST, rendered_for=FIRST + 1, at=AT) for _ in range(3)]
    store.end_test(ids[0], result(Outcome.ACCEPTED, "8484"), LATER)
    with pytest.raises(StateError):
        store.end_test(ids[0], result(Outcome.REJECTED), LATER)
    store.close()
    store = world.store()
    assert [row.state for row in store.tests()] == ["accepted", "intent", "intent"]
    assert store.recover_tests(LATER) == 2
    assert store.recover_tests(LATER) == 0
    first, second, _ = store.tests()
    assert (first.message_id, first.phone, first.rendered_for, first.http_status, first.done_at) == ("8484", FIRST, FIRST + 1, 200, LATER)
    assert (second.state, "died" in second.reason) == ("unknown", True)
    assert not store.problems()
    assert not store.mailings()


@pytest.mark.parametrize("table", ["incoming", "message", "test_send"])
def test_a_damaged_row_is_not_believed(world: World, table: str) -> None:
    store = world.store()
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    ref = run.accepted(FIRST)
    store.keep_replies([reply(1)], optouts={}, at=AT, by="inbox")
    store.learn_messages(ref, ["8483"])
    test = store.begin_test(campaign="c", mailing="m", phone=FIRST, rendered_for=FIRST, at=AT)
    store.close()
    with closing(sqlite3.connect(world.path)) as sql:
        sql.execute(f"UPDATE {table} SET checksum = checksum + 1")
        sql.commit()
    store = world.store()
    attempts: dict[str, list[Callable[[], object]]] = {
        "incoming": [
            lambda: list(store.replies()),
            lambda: store.mark_acked([1], AT),
            lambda: store.keep_replies([reply(1)], optouts={}, at=AT, by="inbox"),
        ],
        "message": [store.message_ids],
        "test_send": [store.tests, lambda: store.end_test(test, result(Outcome.ACCEPTED, "1"), AT), lambda: store.recover_tests(AT)],
    }
    for attempt in attempts[table]:
        with pytest.raises(StateError, match="checksum is wrong"):
            attempt()


def test_all_of_it_is_exported_whole(run: Run) -> None:
    ref = run.accepted(FIRST)
    run.store.learn_messages(ref, ["8483"])
    kept = run.store.keep_replies([reply(1, "стоп\x1b[2J", request=ref), reply(2, phone=None)], optouts={"1": "stop"}, at=AT, by="inbox")
    run.store.mark_acked([kept.new[1].id], LATER)
    test = run.store.begin_test(campaign="c", mailing="m", phone=FIRST, rendered_for=0, at=AT)
    run.store.end_test(test, result(Outcome.UNKNOWN), LATER)
    records = list(export_records(run.store))
    assert [found for record in records for found in problems("state-export", record)] == []
    by_type = {kind: [record for record in records if record["type"] == kind] for kind in ("request", "reply", "optout", "test")}
    assert [record["message_ids"] for record in by_type["request"]] == [["8483"]]
    assert [(record["text"], record["phone"], record["request"]) for record in by_type["reply"]] == [
        ("стоп\x1b[2J", str(FIRST), ref),
        ("Yes", None, None),
    ]
    assert [(record["phone"], record["reply"]) for record in by_type["optout"]] == [(str(FIRST), 1)]
    assert [(record["phone"], record["state"]) for record in by_type["test"]] == [(str(FIRST), "unknown")]
