"""The provider's records: the documented answers, odd ones, and never an exception of another kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.wire.records import (
    DeliveryRow,
    IncomingMessage,
    Listing,
    MailingRecord,
    NotRecordsError,
    QuickStatus,
    decode_deliveries,
    decode_flagged,
    decode_incoming,
    decode_mailing,
    decode_mailings,
    decode_quick_status,
    is_reply_id,
)
from campaignkit.wire.text import clean

MAILING = {
    "message_id": 8495,
    "message_type": "BUTTON",
    "message": "",
    "button_caption": "Go to site",
    "button_link": "https://site.by",
    "image_file": "",
    "status": "SENT",
    "d_create": "2024-02-02 09:30:00",
    "d_schedule": "2024-02-03 10:00:00",
    "cost": "0.04900 EUR",
}
RECORD = MailingRecord(
    "8495",
    "BUTTON",
    "",
    "Go to site",
    "https://site.by",
    "",
    "SENT",
    "2024-02-02 09:30:00",
    "2024-02-03 10:00:00",
    "0.04900 EUR",
)
DECODERS: list[Callable[[bytes], Any]] = [
    decode_quick_status,
    decode_mailing,
    decode_mailings,
    decode_deliveries,
    decode_incoming,
    decode_flagged,
]
LISTS: list[Callable[[bytes], Listing[Any]]] = [decode_mailings, decode_deliveries, decode_incoming]


def ok(result: Any) -> bytes:
    return json.dumps({"status": "OK", "result": result}).encode()


def test_the_documented_samples() -> None:
    assert decode_quick_status(ok({"phone": "375293332211", "status": "READ", "error_code": 0})) == QuickStatus(375293332211, "READ", "")
    assert decode_mailing(ok(MAILING).replace(b"/", b"\\/")) == RECORD
    assert decode_mailings(ok([{**MAILING, "message_id": 8483}, MAILING]))[1] == RECORD
    assert decode_deliveries(ok([{"delivery_id": 100, "phone": "375293332211", "status": "DELIVERED", "error_code": 0}])) == (
        DeliveryRow(100, 375293332211, "DELIVERED", ""),
    )
    reply = {"id": "1236", "phone": "375293332212", "message": "Yes", "d_receiver": "2022-09-01 11:29:50"}
    assert decode_incoming(ok([reply])) == (IncomingMessage("1236", 375293332212, "Yes", "2022-09-01 11:29:50"),)
    assert decode_flagged(ok("Number of flagged messages: 3")) == 3


@pytest.mark.parametrize(
    ("code", "kept"),
    [(0, ""), ("0", ""), (" 0 ", ""), (None, ""), ("", ""), (False, ""), (8, "8"), ("9", "9"), ("USER \x1b", r"USER \x1b"), ([1], "[1]")],
)
def test_error_codes_are_kept_as_words(code: object, kept: str) -> None:
    assert decode_quick_status(ok({"error_code": code})) == QuickStatus(None, "", kept)
    assert decode_deliveries(ok([{"error_code": code, "phone": 1}])) == (DeliveryRow(None, 1, "", kept),)


@pytest.mark.parametrize(
    ("result", "rows", "entries"),
    [
        ([], 0, 0),
        (None, 0, 0),
        ({}, 0, 0),
        ({"0": MAILING, "7": MAILING}, 2, 2),
        (MAILING, 1, 1),
        ([MAILING, None, 5, [MAILING], "x"], 1, 5),
    ],
)
def test_lists_in_other_shapes(result: Any, rows: int, entries: int) -> None:
    listing = decode_mailings(ok(result))
    assert (len(listing), listing.entries) == (rows, entries)
    assert len(listing.notes) == entries - rows
    assert set(listing) <= {RECORD}


def test_an_array_may_stand_for_the_whole() -> None:
    assert decode_mailings(json.dumps([MAILING]).encode()) == (RECORD,)
    assert decode_mailing(json.dumps([MAILING]).encode()) == RECORD
    assert decode_mailing(ok([MAILING])) == RECORD


def test_odd_rows_are_kept_and_noted_without_what_they_hold() -> None:
    deliveries = decode_deliveries(ok([{"phone": "375 29", "delivery_id": "x"}, {"phone": "+375291111111"}]))
    assert deliveries.notes == ("entry 1 has no readable phone",)
    assert deliveries == (DeliveryRow(None, None, "", ""), DeliveryRow(None, 375291111111, "", ""))
    mailings = decode_mailings(ok([{"viber_id": "7"}, {"message_id": "x"}, {"message_id": 0}]))
    assert [row.message_id for row in mailings] == ["7", "", ""]
    assert mailings.notes == ("entry 2 has no readable message_id", "entry 3 has no readable message_id")
    replies = decode_incoming(ok([{"id": "1,2"}, {"id": 7}, {"id": None}, {"id": True}, {"id": "a-b_c"}]))
    assert [row.id for row in replies] == ["", "7", "", "", "a-b_c"]
    assert len(replies.notes) == 3
    assert len(decode_incoming(ok([1] * 1000)).notes) == 50


def test_a_reply_is_kept_as_it_was_written() -> None:
    def written(message: object) -> str:
        return decode_incoming(ok([{"id": 1, "message": message}]))[0].message

    assert written("Стоп\n\u200d\x1b") == "Стоп\n\u200d\x1b"
    assert written("a\ud800") == "a\ufffd"
    assert written("x" * 5000) == "x" * 4000
    assert written(None) == ""
    assert written(5) == "5"


def test_a_mailings_words_are_cleaned_and_cut() -> None:
    record = decode_mailing(ok({"message": "a\x1b\n" + "x" * 5000, "status": "S" * 99, "cost": 0.5, "message_id": "7"}))
    assert record.message.startswith(r"a\x1b\x0a")
    assert len(record.message) == 4000
    assert (len(record.status), record.cost) == (64, "0.5")


@pytest.mark.parametrize(
    ("result", "count"),
    [
        ("Number of flagged messages: 3", 3),
        ("2 of 5", 5),
        ("none", None),
        (3, 3),
        ("", None),
        (None, None),
        (True, None),
        ([3], None),
        ({"count": 3}, None),
        (3.5, None),
        ("9" * 400, 9),
    ],
)
def test_how_many_were_marked(result: object, count: int | None) -> None:
    found = decode_flagged(ok(result))
    assert found == count or (result == "9" * 400 and found is not None)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    ("body", "stated"),
    [
        (b'{"error":"no such \\u202e"}', True),
        (b'{"status":"error","message":"no such mailing"}', True),
        (b'{"error":"no","result":{"message_id":1}}', True),
        (b'{"status":"OK"}', False),
        (b"{}", False),
        (b"", False),
        (b"<html>", False),
        (b"3", False),
        (b"[" * 9999, False),
    ],
)
def test_what_is_no_answer(decode: Callable[[bytes], Any], body: bytes, stated: bool) -> None:
    with pytest.raises(NotRecordsError) as caught:
        decode(body)
    assert caught.value.stated is stated
    assert clean(str(caught.value), 10_000) == str(caught.value)


@pytest.mark.parametrize("result", ["x", 5, True])
def test_what_is_neither_list_nor_object(result: object) -> None:
    for decode in (*LISTS, decode_mailing, decode_quick_status):
        with pytest.raises(NotRecordsError, match="the result is no"):
            decode(ok(result))


@pytest.mark.parametrize("result", [[], {}, None, [MAILING, MAILING], [5]])
def test_what_is_no_single_record(result: object) -> None:
    with pytest.raises(NotRecordsError, match="no object"):
        decode_mailing(ok(result))


def test_a_listing_is_its_rows() -> None:
    assert Listing() == ()
    assert Listing().notes == ()
    assert (Listing([1, 2], ["n"]).entries, Listing([1], entries=3).entries) == (2, 3)


def test_ids_of_replies() -> None:
    assert is_reply_id("1234")
    assert not any(map(is_reply_id, ["", "1,2", "1 2", "x" * 65, "1\n", "١"]))


keys = st.sampled_from(["status", "result", "error", "message", "message_id", "id", "phone", "delivery_id", "error_code", "d_receiver"])
sound = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text() | st.text(st.characters(categories=["Cs", "Cf", "Cc"]))
scalars = sound | st.integers() | st.floats()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=40)
rows = st.lists(st.dictionaries(keys, sound) | sound, max_size=5)


@given(st.sampled_from(DECODERS), st.binary() | values.map(lambda v: json.dumps(v).encode()) | rows.map(ok) | values.map(ok))
def test_no_answer_raises_anything_but_its_own_error(decode: Callable[[bytes], Any], body: bytes) -> None:
    try:
        found = decode(body)
    except NotRecordsError:
        return
    repr(found).encode("utf-8")
    if isinstance(found, Listing):
        assert len(found) <= found.entries


@given(rows)
def test_every_object_is_a_row(given_rows: list[Any]) -> None:
    for decode in LISTS:
        listing = decode(ok(given_rows))
        assert listing.entries == len(given_rows)
        assert len(listing) == sum(isinstance(row, dict) for row in given_rows)
