"""Status answers: the documented one, odd ones, and the order of words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.wire import values as odd
from campaignkit.wire.statuses import (
    NotStatusesError,
    StatusEntry,
    StatusRow,
    attribute,
    decode_statuses,
    is_final,
    is_settled,
    merge,
    rank,
    status_class,
)
from campaignkit.wire.text import clean

SAMPLE = [
    {
        "message_id": 1,
        "name": "mailing list 1",
        "alphaname_id": 123,
        "success": [
            {
                "delivery_id": 1001,
                "phone": "375291111111",
                "status": "NEW",
                "status_time": "2024-10-16 22:52:42.497994",
            }
        ],
    },
    {"errors": ["mailing list 3: Content url is not valid"]},
    {"errors": ["mailing list 4: Optimal image size 800x800 px"]},
]


def decoded(value: Any) -> tuple[StatusEntry, ...]:
    return decode_statuses(json.dumps(value).encode()).entries


def test_the_documented_sample() -> None:
    row = StatusRow(375291111111, "NEW", 1001, "2024-10-16 22:52:42.497994")
    assert decoded(SAMPLE) == (
        StatusEntry("mailing list 1", 1, (row,), ()),
        StatusEntry(None, None, (), ("mailing list 3: Content url is not valid",)),
        StatusEntry(None, None, (), ("mailing list 4: Optimal image size 800x800 px",)),
    )
    assert decoded([]) == ()


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ({"phone": 375291111111, "delivery_id": "7"}, StatusRow(375291111111, "", 7, "")),
        ({"phone": "+375291111111", "status": None}, StatusRow(375291111111, "", None, "")),
        ({"phone": True, "delivery_id": 1.5, "x": []}, StatusRow(None, "", None, "")),
        ({"phone": "1" * 16, "delivery_id": "1" * 19}, StatusRow(None, "", None, "")),
        ({"phone": "1", "status": "Queued \x1b" + "x" * 99}, StatusRow(1, r"Queued \x1b" + "x" * 52 + "…", None, "")),
        ({"phone": "1", "status": 5, "status_time": 1700000000}, StatusRow(1, "5", None, "1700000000")),
    ],
)
def test_odd_rows_are_read_as_far_as_they_go(row: dict[str, Any], read: StatusRow) -> None:
    assert decoded([{"success": [row]}])[0].rows == (read,)
    assert decoded([{"success": row}])[0].rows == (read,)


digits = st.text("0123456789", min_size=9, max_size=20)
near_documented = st.fixed_dictionaries(
    {},
    optional={
        "phone": digits | digits.map(int) | st.sampled_from(["٣٧٥٢٩١١١١١١١", "+37529111111", "37529111111²", " 37529111111", True, None]),
        "delivery_id": st.integers(-1, 10**19) | digits | st.sampled_from([True, 10**18 - 1, 10**18, 1.0, None]),
        "status": st.text(max_size=3) | st.sampled_from(["DELIVERED", "x" * 64, "x" * 65, "a\u200b", 5, None, ["NEW"]]),
        "status_time": st.text(max_size=3) | st.sampled_from(["2024-10-16 22:52:42.497994", "x" * 65, 1700000000, False, None]),
    },
)


documented = st.fixed_dictionaries(
    {
        "phone": st.sampled_from(["375291111111", "375292222222"]),
        "delivery_id": st.integers(0, 10**18 - 1),
        "status": st.sampled_from(["DELIVERED", "READ", "x" * 64]),
        "status_time": st.sampled_from(["2024-10-16 22:52:42.497994", ""]),
    }
)
odd_ones = st.tuples(st.lists(documented, min_size=1), near_documented, documented).map(lambda three: [*three[0], three[2] | three[1]])


@given(st.lists(near_documented) | st.lists(documented) | odd_ones)
def test_what_is_taken_as_it_is_is_what_the_readers_of_odd_values_come_to(rows: list[dict[str, Any]]) -> None:
    slowly = tuple(
        StatusRow(
            phone=odd.phone(row.get("phone")),
            status=odd.words(row.get("status"), odd.LONGEST_WORD),
            delivery_id=odd.number(row.get("delivery_id")),
            status_time=odd.words(row.get("status_time"), odd.LONGEST_WORD),
        )
        for row in rows
    )
    [read] = decoded([{"success": rows}])
    assert read.rows == slowly
    assert [list(map(type, row)) for row in read.rows] == [list(map(type, row)) for row in slowly]


@pytest.mark.parametrize(
    "odd_one",
    [
        {"phone": "37529111111"},
        {"phone": "٣٧٥٢٩١١١١١١١"},
        {"phone": 375291111111},
        {"status": "x" * 65},
        {"status": "a\u200b"},
        {"status_time": None},
        {"delivery_id": -1},
        {"delivery_id": 10**18},
        {"delivery_id": True},
    ],
)
def test_one_odd_value_changes_nothing_for_the_others(odd_one: dict[str, Any]) -> None:
    plain = {"phone": "375292222222", "status": "READ", "delivery_id": 7, "status_time": "2024"}
    [read] = decoded([{"success": [plain, plain | odd_one, plain]}])
    [alone] = decoded([{"success": [plain | odd_one, 5]}])
    assert read.rows == (read.rows[0], alone.rows[0], read.rows[0])
    assert read.rows[0] == StatusRow(375292222222, "READ", 7, "2024")


@pytest.mark.parametrize(
    ("entry", "errors"),
    [
        ({"errors": "one"}, ("one",)),
        ({"errors": ["one", None, 5, {"a": "b"}]}, ("one", "5", '{"a": "b"}')),
        ({"error": "one", "success": None}, ("one",)),
        ({"errors": None}, ()),
    ],
)
def test_odd_errors_are_read_as_texts(entry: dict[str, Any], errors: tuple[str, ...]) -> None:
    assert decoded([entry])[0].errors == errors


def test_what_cannot_be_read_is_noted_without_phones() -> None:
    answer = decode_statuses(b'[1, {"success": ["375291111111", {"phone": "375 29"}]}]')
    assert len(answer.entries) == 1
    assert len(answer.notes) == 3
    assert "375" not in " ".join(answer.notes)
    assert len(decode_statuses(b"[" + b"1," * 1000 + b"1]").notes) == 50


@pytest.mark.parametrize(
    ("body", "stated"),
    [
        (b'{"error":"no such \\u202e"}', True),
        (b"{}", False),
        (b"", False),
        (b"<html>", False),
        (b"3", False),
        (b"[" * 9999, False),
    ],
)
def test_no_array_is_no_answer(body: bytes, stated: bool) -> None:
    with pytest.raises(NotStatusesError) as caught:
        decode_statuses(body)
    assert caught.value.stated is stated
    assert clean(str(caught.value), 10_000) == str(caught.value)


keys = st.sampled_from(["success", "errors", "error", "name", "message_id", "phone", "status", "delivery_id", "status_time"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=40)


@given(st.binary() | values.map(lambda v: json.dumps(v).encode()) | st.lists(values).map(lambda v: json.dumps(v).encode()))
def test_no_answer_raises_anything_but_its_own_error(body: bytes) -> None:
    try:
        decode_statuses(body)
    except NotStatusesError:
        return


def test_errors_are_led_back_to_names_and_never_guessed() -> None:
    found, nobodys = attribute(["a 1: bad: link", "b 2: x", "a 1: again", "c: y", "a 1:z", "no name", "", "A 1: w"], ["a 1", "b 2"])
    assert found == {"a 1": ("bad: link", "again"), "b 2": ("x",)}
    assert nobodys == ("c: y", "a 1:z", "no name", "", "A 1: w")
    assert attribute(["a: b: c"], ["a: b"]) == ({"a: b": ("c",)}, ())
    assert attribute(["a: b: c"], ["a", "a: b"]) == ({}, ("a: b: c",))


WORDS = [
    "",
    "new",
    "NEW",
    "SENT",
    "queued?",
    "Odd",
    "UNDELIVERED",
    "Failed",
    "EXPIRED",
    "DELIVERED",
    "delivered",
    "READ",
]
words = st.sampled_from(WORDS) | st.text(max_size=5)


@given(words, words, words)
def test_merging_never_goes_back_and_does_not_depend_on_grouping(a: str, b: str, c: str) -> None:
    assert rank(merge(a, b)) == max(rank(a), rank(b))
    assert merge(a, b) in {a, b}
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a


def test_the_order_of_words() -> None:
    assert [rank(word) for word in ("", "NEW", "SENT", "odd", "failed", "DELIVERED", "Read")] == [-1, 0, 1, 1, 2, 3, 4]
    assert merge("DELIVERED", "delivered") == "delivered"
    assert merge("EXPIRED", "DELIVERED") == "DELIVERED"
    assert merge("READ", "FAILED") == "READ"


@pytest.mark.parametrize(
    ("word", "kind", "settled", "final"),
    [
        ("new", "queued", False, False),
        ("SENT", "sent", False, False),
        ("Delivered", "delivered", True, False),
        ("READ", "read", True, True),
        ("UNDELIVERED", "failed", True, True),
        ("blocked", "failed", True, True),
        ("ACCEPTD", "unknown", False, False),
        ("", "unknown", False, False),
    ],
)
def test_classes(word: str, kind: str, settled: bool, final: bool) -> None:
    assert (status_class(word), is_settled(word), is_final(word)) == (kind, settled, final)
