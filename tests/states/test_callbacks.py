"""The inbox of callbacks, as every store must keep it: durable, once each, bounded, and changing no request."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.export import export_records
from campaignkit.states.records import Finding, PlannedRequest, RequestState, Taken
from tests.schemas.documents import problems
from tests.states.conftest import AT, FIRST, INVITATION, LAST_DAY, Run, World, batch, request

SECRET, OTHER = sha256(b"one").digest(), sha256(b"two").digest()
BODY = b'{"uuid":"cc9c8043-8caf-11ef-b035-9e8f47954dec","success":"OK"}'


def addressed(phone: int = FIRST, secret: bytes = SECRET) -> PlannedRequest:
    return replace(request([phone]), callback=secret)


def bodies(run: Run, ref: str = "r1") -> list[bytes]:
    return [one.body for hints in run.store.hints(ref) for one in hints.callbacks]


def test_a_callback_is_kept_once_for_its_request(world: World, run: Run) -> None:
    run.plan(addressed(), addressed(FIRST + 1, OTHER))
    before = run.store.info()
    assert run.store.take_callback(OTHER, BODY, AT) is Taken.STORED
    assert [run.store.take_callback(OTHER, BODY, AT + timedelta(hours=1)) for _ in range(1_000)] == [Taken.REPEATED] * 1_000
    assert run.store.take_callback(SECRET, BODY, AT) is Taken.STORED  # the same words about another request are another callback
    assert run.store.take_callback(OTHER, b"{}", AT) is Taken.STORED
    assert [(hints.ref, [one.body for one in hints.callbacks]) for hints in run.store.hints()] == [("r1", [BODY]), ("r2", [BODY, b"{}"])]
    assert run.store.info() == before
    assert [row.state for row in run.store.requests()] == [RequestState.PLANNED] * 2
    run.store.close()
    [one] = next(world.reader().hints("r1")).callbacks
    assert (one.at, one.body, one.handled) == (AT, BODY, False)


@pytest.mark.parametrize("secret", [OTHER, b"", SECRET[:31], SECRET + b"x", SECRET.hex().encode()])
def test_what_no_request_expects_is_not_kept(run: Run, secret: bytes) -> None:
    run.plan(addressed(), request([FIRST + 1]))  # the second has no address, which no empty guess may meet
    assert not run.store.knows_callback(secret)
    assert run.store.take_callback(secret, BODY, AT) is Taken.UNKNOWN
    assert bodies(run) == bodies(run, "r2") == []
    assert run.store.knows_callback(SECRET)


def test_only_so_many_are_kept_and_none_too_large(run: Run) -> None:
    run.plan(addressed())
    taken = [run.store.take_callback(SECRET, b"%d" % number, AT) for number in range(20)]
    assert taken == [Taken.STORED] * 16 + [Taken.FULL] * 4
    assert run.store.take_callback(SECRET, b"3", AT) is Taken.REPEATED
    with pytest.raises(ValueError, match="larger"):
        run.store.take_callback(SECRET, bytes(65_537), AT)
    assert len(bodies(run)) == 16


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_callback_may_be_faster_than_the_answer_and_later_than_any_end(run: Run, outcome: Outcome) -> None:
    [ref] = run.plan(addressed())
    attempt = run.store.mark_intent(ref, AT)
    assert attempt is not None
    assert run.store.take_callback(SECRET, b"1", AT) is Taken.STORED
    assert run.state(ref) is RequestState.INTENT
    run.store.recover(AT)
    assert run.state(ref) is RequestState.UNKNOWN
    assert run.store.take_callback(SECRET, b"2", AT) is Taken.STORED
    run.store.resolve(ref, RequestState.RELEASED, reason="", at=AT)
    [again] = run.plan(addressed(secret=OTHER))
    run.end(again, outcome, "u")
    assert run.store.take_callback(OTHER, b"3", AT) is Taken.STORED
    assert run.store.take_callback(SECRET, b"4", AT) is Taken.STORED
    assert (bodies(run, ref), bodies(run, again)) == ([b"1", b"2", b"4"], [b"3"])
    assert not run.store.problems()


def test_two_requests_never_share_an_address(run: Run) -> None:
    with pytest.raises(StateError):
        run.plan(addressed(), addressed(FIRST + 1))
    assert not list(run.store.requests())


def test_handled_callbacks_stay_readable_and_are_asked_for_no_more(run: Run) -> None:
    run.plan(addressed())
    run.store.take_callback(SECRET, b"1", AT)
    run.store.take_callback(SECRET, b"2", AT)
    [first, _second] = next(run.store.hints()).callbacks
    run.store.handle_callbacks([first.id])
    assert [[one.handled for one in hints.callbacks] for hints in run.store.hints()] == [[True, False]]
    run.store.handle_callbacks([first.id + 1])
    assert list(run.store.hints()) == []
    assert bodies(run) == [b"1", b"2"]
    assert run.store.take_callback(SECRET, b"1", AT) is Taken.REPEATED
    assert list(run.store.hints()) == []


def test_what_was_asked_is_remembered_and_counted(run: Run) -> None:
    run.plan(addressed())
    later = AT + timedelta(minutes=1)
    run.store.record_verification("r1", "u-1", Finding.NOT_SHOWN, AT)
    run.store.record_verification("r1", "u-2", Finding.FOREIGN, AT)
    run.store.record_verification("r1", "u-1", Finding.VERIFIED, later)
    found = {one.uuid: (one.finding, one.tries, one.at) for hints in run.store.hints("r1") for one in hints.verifications}
    assert found == {"u-1": (Finding.VERIFIED, 2, later), "u-2": (Finding.FOREIGN, 1, AT)}
    with pytest.raises(StateError):
        run.store.record_verification("r9", "u", Finding.FOREIGN, AT)


def test_forgetting_takes_what_came_in_along(world: World, run: Run) -> None:
    """A body may name people: also of a request that stays for another mailing's sake."""
    shared = PlannedRequest(batches=(batch([FIRST]), batch([FIRST], LAST_DAY)), callback=OTHER)
    run.plan(addressed(FIRST + 1), shared)
    for secret in (SECRET, OTHER):
        run.store.take_callback(secret, b'{"phone":"375291111111"}', AT)
    run.store.record_verification("r1", "u", Finding.FOREIGN, AT)
    run.store.forget(INVITATION, reason="asked", at=AT)
    assert bodies(run) == bodies(run, "r2") == []
    assert [row.ref for row in run.store.requests()] == ["r2"]
    assert not run.store.problems()
    run.store.close()
    assert b"375291111111" not in world.path.read_bytes()


def test_a_body_that_is_not_what_came_in_is_found(world: World, run: Run) -> None:
    run.plan(addressed())
    run.store.take_callback(SECRET, BODY, AT)
    run.store.close()
    sql = sqlite3.connect(world.path, isolation_level=None)
    sql.execute("UPDATE callback SET body = x'00'")
    sql.close()
    assert world.reader().problems() == ["callback 1 of r1 is not what came in"]


def test_the_secret_itself_is_nowhere(world: World, run: Run) -> None:
    run.plan(replace(request([FIRST]), callback=sha256(b"not to be found").digest()))
    run.store.close()
    assert b"not to be found" not in world.path.read_bytes()


def test_the_export_tells_them_too(run: Run) -> None:
    run.plan(addressed())
    run.store.take_callback(SECRET, BODY, AT)
    run.store.record_verification("r1", "u", Finding.FOREIGN, AT)
    records = list(export_records(run.store))
    kinds = [record["type"] for record in records]
    assert kinds == ["state", "mailing", "request", "callback", "verification", "event", "event"]
    assert [found for record in records for found in problems("state-export", record)] == []
    [one] = [record for record in records if record["type"] == "callback"]
    assert (one["request"], one["body"], one["handled"]) == ("r1", BODY.decode(), False)
