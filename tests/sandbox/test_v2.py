"""The nine methods of v2 over a real socket, as the documentation describes them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from campaignkit.sandbox.app import Seen
from campaignkit.sandbox.ledger import Counts
from campaignkit.sandbox.scenario_reading import read_scenario
from campaignkit.sandbox.server import EmbeddedServer
from tests.canary import TOKEN

from .asking import (
    CONFIRM,
    DELIVERIES,
    FORM,
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
    multipart,
    quick,
    refused,
    result,
    send,
    statuses,
    v2,
)
from .conftest import NOON, Clock
from .pictures import JPEG, PNG

if TYPE_CHECKING:
    from pathlib import Path

FOUR = ["375291111111", "375292222222", "375293333333", "375294444444"]


def scripted(clock: Clock, **keys: Any) -> EmbeddedServer:
    return EmbeddedServer(clock=clock, scenario=read_scenario(keys))


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


def test_a_picture_is_uploaded(server: EmbeddedServer) -> None:
    for content, kind in ((PNG, "png"), (JPEG, "jpeg")):
        fields = {"token": TOKEN, "vibername_id": "12", "phone": FOUR[0], "type_message": "IMAGE"}
        body, headers = multipart(fields, {"image": content})
        assert ask(server.url, QUICK, body, headers=headers).status == 200
        *_, kept = server.ledger.quick_messages()
        assert (kept.token_place, kept.body.image_file[-len(kind) - 1 :]) == ("multipart", f".{kind}")
    body, headers = multipart(fields, {"image": b"GIF89a"})
    got = ask(server.url, QUICK, body, headers=headers)
    assert (got.status, got.document) == (400, {"error": "image must be a PNG or JPEG"})
    assert refused(server.url, QUICK, **quick(type_message="IMAGE", image="a.png")) == (400, "image must be a file")


def test_a_list_mailing_is_a_draft_until_it_is_confirmed(server: EmbeddedServer, clock: Clock) -> None:
    answered = result(server.url, LIST, **mailing(name="news", d_schedule="2024-10-30 13:00"))
    assert answered == {"message_id": 1, "count_subscribers": 4}
    draft = {
        "message_id": 1,
        "message_type": "TEXT",
        "message": "hello",
        "button_caption": "",
        "button_link": "",
        "image_file": "",
        "status": "DRAFT",
        "d_create": "2024-10-30 12:00:00",
        "d_schedule": "2024-10-30 13:00:00",
        "cost": "0.00000 EUR",
    }
    clock.now += 7200
    found = result(server.url, MAILING, message_id=1)
    assert (found, list(found)) == (draft, list(draft))
    assert result(server.url, DELIVERIES, message_id=1) == []
    assert server.ledger.counts() == Counts(0, 0, 0, phones=0, drafts=1)
    assert server.ledger.times_accepted() == {}

    got = v2(server.url, CONFIRM, message_id=1)
    assert (got.status, got.document) == (200, {"status": "OK"})
    assert result(server.url, MAILING, message_id=1) == draft | {"status": "SENT", "cost": "0.19600 EUR"}
    rows = result(server.url, DELIVERIES, message_id=1)
    assert [list(row) for row in rows] == [["delivery_id", "phone", "status", "error_code"]] * 4
    assert [(row["delivery_id"], row["phone"], row["status"]) for row in rows] == [
        (1001 + number, phone, "NEW") for number, phone in enumerate(FOUR)
    ]
    clock.now += 10
    assert {row["status"] for row in result(server.url, DELIVERIES, message_id=1)} <= {"DELIVERED", "READ"}
    assert server.ledger.counts() == Counts(0, 0, 0, phones=4, confirmed=1)
    assert list(server.ledger.accepted_phones()) == [("news", phone) for phone in FOUR]


def test_a_confirmed_mailing_waits_for_its_schedule(server: EmbeddedServer, clock: Clock) -> None:
    result(server.url, LIST, **mailing(d_schedule="2024-10-30 13:00"))
    result(server.url, CONFIRM, message_id=1)
    clock.now = NOON + 3599
    assert {row["status"] for row in result(server.url, DELIVERIES, message_id=1)} == {"NEW"}
    clock.now = NOON + 3605
    assert {row["status"] for row in result(server.url, DELIVERIES, message_id=1)} <= {"DELIVERED", "READ"}


@pytest.mark.parametrize(("repeat", "status"), [(None, 400), ("error", 400), ("ok", 200)])
def test_a_repeated_confirmation_never_debits_again(clock: Clock, repeat: str | None, status: int) -> None:
    with scripted(clock, balance="0.2", **({} if repeat is None else {"repeat_confirm": repeat})) as server:
        result(server.url, LIST, **mailing())
        assert [v2(server.url, CONFIRM, message_id=1).status for _ in range(3)] == [200, status, status]
        assert str(server.ledger.spent()) == "0.196"
        assert set(server.ledger.times_accepted().values()) == {1}


def test_many_confirm_at_once_and_it_counts_once(tmp_path: Path) -> None:
    scenario = read_scenario({"repeat_confirm": "ok"})
    data = tmp_path / "data"
    with EmbeddedServer(data, scenario=scenario) as one, EmbeddedServer(data, scenario=scenario) as two:
        result(one.url, LIST, **mailing())
        got: list[int] = []

        def confirm(url: str) -> None:
            got.extend(v2(url, CONFIRM, message_id=1).status for _ in range(5))

        threads = [threading.Thread(target=confirm, args=(server.url,)) for server in (one, two) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [200] * 40
        assert str(two.ledger.spent()) == "0.196"
        assert two.ledger.times_accepted() == dict.fromkeys(FOUR, 1)


def test_too_small_a_balance_confirms_nothing(clock: Clock) -> None:
    with scripted(clock, balance="0.39", price="0.05") as server:
        for _ in range(2):
            result(server.url, LIST, **mailing())
        result(server.url, CONFIRM, message_id=1)
        assert refused(server.url, CONFIRM, message_id=2) == (400, "Not enough money")
        assert result(server.url, MAILING, message_id=2)["status"] == "DRAFT"
        assert ask(server.url, "/sandbox/ledger", method="GET").document["balance"] == "0.19000"
    with scripted(clock, balance="0.4", price="0.05") as server:
        for number in (1, 2):
            result(server.url, LIST, **mailing())
            result(server.url, CONFIRM, message_id=number)


def test_lists_are_known_by_their_number(server: EmbeddedServer, clock: Clock) -> None:
    assert result(server.url, LIST, **mailing(list_id=78))["count_subscribers"] == 0
    assert refused(server.url, LIST, **mailing(list_id=79)) == (404, "list_id is not found")
    assert result(server.url, CONFIRM, message_id=1) is None
    assert result(server.url, DELIVERIES, message_id=1) == []
    with scripted(clock, lists={"5": [FOUR[0]]}) as other:
        assert result(other.url, LIST, **mailing(list_id=5))["count_subscribers"] == 1
        assert refused(other.url, LIST, **mailing(list_id=77))[0] == 404


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


def test_mailings_come_in_pages(clock: Clock) -> None:
    with scripted(clock) as server:
        for number in range(105):
            result(server.url, LIST, **mailing(name=f"n{number}", message=f"m{number}"))
        pages = [[row["message"] for row in result(server.url, MAILINGS, limit_offset=start)] for start in (0, 100, 105)]
        assert [len(page) for page in pages] == [100, 5, 0]
        assert pages[0] + pages[1] == [f"m{number}" for number in range(105)]
        assert [row["message_id"] for row in result(server.url, MAILINGS, limit_offset=2, limit_rows=3)] == [3, 4, 5]
        assert result(server.url, MAILINGS) == result(server.url, MAILINGS, limit_offset=0, limit_rows=100)
        assert refused(server.url, MAILINGS, limit_rows=0) == (400, "limit_rows must be at least 1")
        assert refused(server.url, MAILINGS, limit_offset=-1) == (400, "limit_offset must be an integer")
    with scripted(clock, ignore_offset=True) as server:
        result(server.url, LIST, **mailing())
        assert result(server.url, MAILINGS, limit_offset=7) == result(server.url, MAILINGS)


def test_what_else_is_listed_is_a_matter_of_the_scenario(clock: Clock) -> None:
    with scripted(clock, listed=["list", "quick", "bulk"]) as server:
        picture = {"type": "button", "text": "t", "caption": "c", "button_link": "https://a.by/b", "image_url": "https://a.by/i.png"}
        send(server.url, bulk("a", FOUR[0]), bulk("bad", content={}), bulk("b", *FOUR[:2], content=picture))
        result(server.url, QUICK, **quick())
        result(server.url, LIST, **mailing())
        rows = result(server.url, MAILINGS)
        assert [(row["message_id"], row["status"], row["cost"]) for row in rows] == [
            (1, "SENT", "0.04900 EUR"),
            (2, "SENT", "0.09800 EUR"),
            (3, "SENT", "0.04900 EUR"),
            (4, "DRAFT", "0.00000 EUR"),
        ]
        assert result(server.url, MAILING, message_id=2) == rows[1]
        assert [rows[1][key] for key in ("message_type", "button_caption", "button_link", "image_file")] == [
            *("BUTTON", "c", "https://a.by/b", "https://a.by/i.png"),
        ]
        assert rb'"https:\/\/a.by\/b"' in v2(server.url, MAILINGS).body
        assert [row["phone"] for row in result(server.url, DELIVERIES, message_id=2)] == FOUR[:2]


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


def test_replies_arrive_and_come_again_until_they_are_marked(server: EmbeddedServer, clock: Clock) -> None:
    result(server.url, LIST, **mailing(name="news"))
    clock.now += 60
    assert result(server.url, INCOMING, message_id=1) == [], "nobody answers a draft"
    result(server.url, CONFIRM, message_id=1)
    result(server.url, QUICK, **quick())
    send(server.url, bulk("a", FOUR[1]))
    assert [result(server.url, INCOMING, message_id=number) for number in (1, 2, 3)] == [[], [], []]
    clock.now += 2.5
    assert [len(result(server.url, INCOMING, message_id=number)) for number in (1, 2, 3)] == [1, 1, 0]
    clock.now += 60
    first, second = found = result(server.url, INCOMING, message_id=1)
    assert first == {"id": first["id"], "phone": FOUR[0], "message": "Thank you!", "d_receiver": "2024-10-30 12:01:02"}
    assert (second["phone"], second["message"], second["d_receiver"]) == (FOUR[1], "стоп", "2024-10-30 12:01:03")
    assert result(server.url, INCOMING, message_id=1) == found
    (third,) = result(server.url, INCOMING, message_id=2)
    (fourth,) = result(server.url, INCOMING, message_id=3)
    ids = [one["id"] for one in (first, second, third, fourth)]
    assert len(set(ids)) == 4
    assert all(isinstance(one, str) and one.isdigit() for one in ids)

    marked = f"{ids[0]},{ids[2]},999999,5,{ids[0]}"
    assert result(server.url, MARK, incoming_messages=marked) == "Number of flagged messages: 2"
    assert result(server.url, MARK, incoming_messages=marked) == "Number of flagged messages: 0"
    assert [result(server.url, INCOMING, message_id=number) for number in (1, 2, 3)] == [[second], [], [fourth]]


def test_a_reply_that_has_not_come_yet_is_not_marked(server: EmbeddedServer, clock: Clock) -> None:
    result(server.url, QUICK, **quick())
    assert result(server.url, MARK, incoming_messages="100100") == "Number of flagged messages: 0"
    clock.now += 60
    assert [one["id"] for one in result(server.url, INCOMING, message_id=1)] == ["100100"]
    assert result(server.url, MARK, incoming_messages="100100") == "Number of flagged messages: 1"


def test_replies_follow_the_scenario(clock: Clock) -> None:
    replies = [
        {"phone": "*", "text": "late", "after": 9, "match": "news"},
        {"phone": FOUR[0], "text": "early", "after": 1},
    ]
    with scripted(clock, replies=replies, speed=2.0, marks_at_most=2) as server:
        for name in ("news", "offer"):
            result(server.url, LIST, **mailing(name=name))
        for number in (1, 2):
            result(server.url, CONFIRM, message_id=number)
        clock.now += 4
        assert [one["message"] for one in result(server.url, INCOMING, message_id=1)] == ["early"]
        clock.now += 1
        found = result(server.url, INCOMING, message_id=1)
        assert [one["message"] for one in found] == ["early", *["late"] * 4]
        assert [one["message"] for one in result(server.url, INCOMING, message_id=2)] == ["early"]
        marked = ",".join(one["id"] for one in found)
        assert result(server.url, MARK, incoming_messages=marked) == "Number of flagged messages: 2"
        assert result(server.url, INCOMING, message_id=1) == found[2:]
    with scripted(clock, replies=[]) as server:
        result(server.url, QUICK, **quick())
        clock.now += 600
        assert result(server.url, INCOMING, message_id=1) == []


@pytest.mark.parametrize("ids", ["", " , ", "a", "1;2", "1,-2"])
def test_ids_to_mark_have_to_be_ids(server: EmbeddedServer, ids: str) -> None:
    assert refused(server.url, MARK, incoming_messages=ids)[0] == 400


NO_MESSAGE = {
    "message is required": [{"message": ""}, {"message": " \r\n"}, {"type_message": "TEXT", "message": ""}],
    "image or image_url is required": [{"type_message": "IMAGE"}],
    "image_url is not valid": [{"type_message": "IMAGE", "image_url": "ftp://a.by/i.png"}, {"image_url": "http://[::1"}],
    "button is required": [{"type_message": "BUTTON", "button_link": "https://a.by"}],
    "button_link is required": [{"type_message": "BUTTON", "button": "b"}],
    "button_link is not valid": [{"type_message": "BUTTON", "button": "b", "button_link": "shop"}, {"button_link": "https://a b"}],
    "type_message must be TEXT, IMAGE or BUTTON": [{"type_message": "VIDEO"}],
    "vibername_id is required": [{"vibername_id": ""}],
    "vibername_id must be an integer": [{"vibername_id": "shop"}, {"vibername_id": "1" * 19}],
    "vibername_id must be at least 1": [{"vibername_id": "0"}],
}


@pytest.mark.parametrize(("words", "changes"), [(words, one) for words, several in NO_MESSAGE.items() for one in several])
def test_what_can_be_no_message_is_refused_by_both_modes(words: str, changes: dict[str, object]) -> None:
    for strict in (False, True):
        with EmbeddedServer(strict=strict) as server:
            for path, one in ((QUICK, quick), (LIST, mailing)):
                status, said = refused(server.url, path, **one(**changes))
                assert status == 400
                assert strict or said == words
            assert server.ledger.counts() == Counts(0, 0, 0, 0)


@pytest.mark.parametrize("phone", ["", "12", "37529111111", "3752911111111", "phone"])
def test_a_wrong_phone_is_refused(server: EmbeddedServer, phone: str) -> None:
    assert refused(server.url, QUICK, **quick(phone=phone)) == (400, "incorrect phone number")


@pytest.mark.parametrize("schedule", ["2024-10-30", "2024-10-30T13:00", "2024-10-30 13:00:00", "2024-13-30 13:00", "soon"])
def test_a_wrong_schedule_is_refused(server: EmbeddedServer, schedule: str) -> None:
    assert refused(server.url, LIST, **mailing(d_schedule=schedule)) == (400, "d_schedule must have the format YYYY-MM-DD HH:MM")


def test_a_lenient_reading_takes_what_could_be_meant(server: EmbeddedServer) -> None:
    result(server.url, QUICK, **quick(type_message="text", phone="+375 (29) 111-11-11", forwarding_message=1, forwarding_time=61))
    result(server.url, QUICK, **quick(forwarding_message=1, forwarding_time=4, odd="x"))
    result(server.url, QUICK, **quick(forwarding_message=1))
    result(server.url, QUICK, **quick(forwarding_time=20))
    link = "https://a.by/" + "x" * 200
    result(server.url, QUICK, **quick(type_message="BUTTON", button="b", button_link=link))
    assert [one.forward_after for one in server.ledger.quick_messages()] == [60, 5, 60, None, None]
    assert server.ledger.times_accepted() == {FOUR[0]: 5}
    both = {"token": TOKEN, "vibername_id": "12", "phone": FOUR[0], "type_message": "IMAGE", "image_url": "https://a.by/i.png"}
    body, headers = multipart(both, {"image": PNG})
    assert ask(server.url, QUICK, body, headers=headers).status == 200


def test_the_token_of_every_method_may_stand_anywhere_and_its_place_is_seen(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "data") as server:
        fields = {name: str(value) for name, value in quick().items()}
        ask(server.url, QUICK, urlencode(fields | {"token": TOKEN}), headers=FORM)
        body, headers = multipart(fields | {"token": TOKEN}, {})
        ask(server.url, QUICK, body, headers=headers)
        ask(server.url, QUICK, quick() | {"token": TOKEN})
        ask(server.url, f"{QUICK}?token={TOKEN}", urlencode(fields), headers=FORM)
        ask(server.url, CONFIRM, {"token": TOKEN, "message_id": 1})
        assert ask(server.url, MAILING, {"message_id": 1}).status == 403
        assert [one.token_place for one in server.ledger.quick_messages()] == ["form", "multipart", "json", "query"]
        assert server.seen[-2:] == [Seen("confirmViberMessage", "json"), Seen("getViberMessageData", "")]
    assert b"s3cr3t" not in (tmp_path / "data").read_bytes()


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
