"""The nine methods of v2 over a real socket: a quick message, and what holds for all of them: ids, failures, what a restart leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from campaignkit.sandbox.ledger import Counts
from campaignkit.sandbox.server import EmbeddedServer

from .asking import (
    CONFIRM,
    DELIVERIES,
    INCOMING,
    LIST,
    MAILING,
    MAILINGS,
    MARK,
    QUICK,
    QUICK_DATA,
    ask,
    bulk,
    mailing,
    quick,
    refused,
    result,
    send,
    statuses,
    v2,
)
from .conftest import FOUR, Clock, scripted


def test_a_quick_message_is_accepted_and_followed(server: EmbeddedServer, clock: Clock) -> None:
    answered = result(server.url, QUICK, **quick(forwarding_message=1, forwarding_time=30, alphaname_id=7))
    assert answered == {"message_id": 1}
    assert result(server.url, QUICK_DATA, message_id=1) == {"phone": "375291111111", "status": "NEW", "error_code": 0}
    clock.now += 10
    assert result(server.url, QUICK_DATA, message_id=1)["status"] in {"DELIVERED", "READ"}
    (kept,) = server.ledger.quick_messages()
    assert (kept.forward_after, kept.alphaname_id, kept.token_place, kept.body.type) == (30, 7, "form", "TEXT")
    assert server.ledger.counts() == Counts(0, 0, 0, phones=1, quick=1)
    assert list(server.ledger.accepted_phones()) == [("", "375291111111")]


def test_ids_of_other_kinds_are_unknown(server: EmbeddedServer) -> None:
    send(server.url, bulk("a", FOUR[0]))
    result(server.url, QUICK, **quick())
    result(server.url, LIST, **mailing())
    expected = {QUICK_DATA: {2}, CONFIRM: {3}, MAILING: {3}, DELIVERIES: {3}, INCOMING: {1, 2, 3}}
    for path, known in expected.items():
        for number in (1, 2, 3, 4, 0, 10**17):
            got = v2(server.url, path, message_id=number)
            assert (got.status == 200) == (number in known), (path, number, got.body)
        assert refused(server.url, path, message_id="x") == (400, "message_id must be an integer")
        assert refused(server.url, path) == (400, "message_id is required")
        assert refused(server.url, path, message_id=4) == (404, "message_id is not found")


def test_failures_come_with_their_codes(clock: Clock) -> None:
    phones = {"*1111": ["NEW", "SENT", "FAILED:8"], "*2222": ["UNDELIVERED:9"], "*3333": ["NEW", "EXPIRED:10"], "*4444": []}
    with scripted(clock, phones=phones) as server:
        result(server.url, LIST, **mailing())
        result(server.url, CONFIRM, message_id=1)
        for phone in FOUR:
            result(server.url, QUICK, **quick(phone=phone))
        found = send(server.url, bulk("a", *FOUR))
        clock.now += 10
        expected = [(FOUR[0], "FAILED", 8), (FOUR[1], "UNDELIVERED", 9), (FOUR[2], "EXPIRED", 10)]
        assert [(row["phone"], row["status"], row["error_code"]) for row in result(server.url, DELIVERIES, message_id=1)] == expected
        assert [tuple(result(server.url, QUICK_DATA, message_id=number).values()) for number in (2, 3, 4)] == expected
        assert v2(server.url, QUICK_DATA, message_id=5).status == 404
        assert [(row["phone"], row["status"]) for row in statuses(server.url, found)[0]["success"]] == [one[:2] for one in expected]


@pytest.mark.parametrize(("form", "kind"), [("number", int), ("text", str)])
def test_ids_are_written_as_the_scenario_says(clock: Clock, form: str, kind: type) -> None:
    with scripted(clock, ids=form, id_field="viber_id") as server:
        assert result(server.url, LIST, **mailing()) == {"viber_id": kind(1), "count_subscribers": 4}
        assert result(server.url, QUICK, **quick()) == {"viber_id": kind(2)}
        result(server.url, CONFIRM, message_id=1)
        assert result(server.url, MAILINGS)[0]["viber_id"] == kind(1)
        assert result(server.url, DELIVERIES, message_id=1)[0]["delivery_id"] == kind(1001)
        (entry,) = statuses(server.url, send(server.url, bulk()))
        assert (entry["message_id"], entry["success"][0]["delivery_id"]) == (kind(3), kind(1006))


def test_refusals_on_demand_look_at_names_and_phones(clock: Clock) -> None:
    with scripted(clock, refusals={"poor": "Not enough money", "2222": "Not a Viber user"}) as server:
        assert refused(server.url, LIST, **mailing(name="poor one")) == (400, "Not enough money")
        assert refused(server.url, QUICK, **quick(phone=FOUR[1])) == (400, "Not a Viber user")
        result(server.url, QUICK, **quick())


def test_everything_is_remembered_over_a_restart(tmp_path: Path, clock: Clock) -> None:
    with EmbeddedServer(tmp_path / "data", clock=clock) as server:
        result(server.url, LIST, **mailing(name="news", message="привет"))
        result(server.url, LIST, **mailing())
        result(server.url, QUICK, **quick())
        result(server.url, CONFIRM, message_id=1)
        clock.now += 60
        result(server.url, MARK, incoming_messages=result(server.url, INCOMING, message_id=1)[0]["id"])
        told = ask(server.url, "/sandbox/ledger", method="GET").document
        seen = [v2(server.url, path, message_id=1).body for path in (MAILING, DELIVERIES, INCOMING)]
    with EmbeddedServer(tmp_path / "data", clock=clock) as server:
        assert ask(server.url, "/sandbox/ledger", method="GET").document == told
        assert [v2(server.url, path, message_id=1).body for path in (MAILING, DELIVERIES, INCOMING)] == seen
        assert refused(server.url, CONFIRM, message_id=1)[0] == 400
        assert result(server.url, QUICK, **quick()) == {"message_id": 4}
        assert server.ledger.counts() == Counts(0, 0, 0, phones=6, quick=2, drafts=1, confirmed=1)
    assert told["lists"][0]["name"] == "news"
    assert told["lists"][1] | {"at": ""} == {
        "message_id": 2,
        "at": "",
        "name": "Viber mailing 2",
        "list_id": 77,
        "phones": FOUR,
        "confirmed_at": None,
    }
    assert told["times"] == dict.fromkeys(FOUR, 1) | {FOUR[0]: 2}
    assert json.dumps(told["quick"]).count("message_id") == 1
