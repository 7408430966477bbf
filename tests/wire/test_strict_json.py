"""The strict parser: it reads JSON as everyone does, and refuses what people read in different ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from campaignkit.wire import strict_json
from campaignkit.wire.strict_json import DEEPEST, BadJSONError, parse

scalars = st.none() | st.booleans() | st.integers(-(10**28), 10**28) | st.text() | st.sampled_from(['"', "[", "\\", '\\"['])
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=200)
jsonish = st.lists(st.sampled_from([*'[]{}",:\\0e-.', "null", "NaN", '"uuid"', '"error"', "\ud83d", "1" * 31])).map("".join)


@given(values, st.booleans())
def test_valid_json_reads_as_with_the_standard_library(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert parse(text, limit=len(text)) == json.loads(text)


texts = st.sampled_from(["a", "b", '":', ":", "a:b", '\\":', "\\\\", "[", "9" * 29, "9" * 30, "é", "2024-10-16 22:52:42.497994"])
numbers = st.integers() | st.floats() | st.sampled_from([10**29, -(10**29), 10**30, -(10**28), 1e300])
lots = st.recursive(numbers | texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=30)
written = st.builds(
    lambda value, blank, ascii_only: json.dumps(value, ensure_ascii=ascii_only, separators=(f"{blank},{blank}", f"{blank}:{blank}")),
    lots, st.sampled_from(["", " ", "\n\t"]), st.booleans(),
)  # fmt: skip
spoilt = st.tuples(
    written, st.sampled_from(['"a"', '"b"', "1", ":", "{", "}"]), st.sampled_from(['"a"', '"b"', "1e999", "NaN", ",", ""])
).map(lambda given: given[0].replace(*given[1:]))


@given(written | spoilt | jsonish)
def test_the_quick_way_and_the_careful_one_come_to_the_same(text: str) -> None:
    data = text.encode("utf-8", "replace")
    assume(text.count("[") + text.count("{") <= DEEPEST)  # deeper ones are refused before either reads them

    def came_to(read: Callable[[], Any]) -> str:
        try:
            return repr(read())
        except BadJSONError as error:
            return f"refused: {error}"

    assert came_to(lambda: parse(data, limit=10**6)) == came_to(lambda: strict_json._carefully(data.decode()))


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '{"a" :1,"b":{"a":1,"a"\t:2}}', '[{"a":":"},{"b":1,"b":":"}]', '{"\\\\":1,"\\\\":2}'])
def test_a_key_that_stands_twice_is_not_made_up_for_by_what_a_string_holds(text: str) -> None:
    with pytest.raises(BadJSONError, match="twice"):
        parse(text.encode(), limit=100)


def test_an_answer_as_documented_is_read_by_the_parser_in_c_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(strict_json, "_carefully")
    answer = [{"name": 'a: "b"', "id": 4, "success": [{"phone": "375291111111", "at": "2024-10-16 22:52:42.497994"}] * 40}]
    assert parse(json.dumps(answer).encode(), limit=10_000) == answer


@given(st.binary() | jsonish.map(lambda text: text.encode("utf-8", "replace")))
def test_only_its_own_error_is_raised(data: bytes) -> None:
    try:
        parse(data, limit=1000)
    except BadJSONError:
        return


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_depth_is_exact_and_checked_before_parsing(opening: bytes) -> None:
    levels = opening.count(b"[") + opening.count(b"{")
    closing = opening[::-1].translate(bytes.maketrans(b"[{", b"]}"), b':"a')

    def nested(depth: int) -> bytes:
        return opening * (depth // levels) + b'"[[{\\"["' + closing * (depth // levels)

    parse(nested(DEEPEST), limit=10**6)
    parse(b"[" + b"[]," * 500 + b"0]", limit=10**6)
    for depth in (DEEPEST + levels, 100_000):
        with pytest.raises(BadJSONError, match="nest deeper"):
            parse(nested(depth), limit=10**7)
    with pytest.raises(BadJSONError, match="do not close"):
        parse(opening * 100_000, limit=10**7)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b'{"uuid":"a","uuid":"b"}', "twice"),
        (b'{"a":{"b":1,"b":1}}', "twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "infinite"),
        (b"[1e999]", "infinite"),
        (b"1" * 31, "30 digits"),
        (b"0." + b"1" * 40, "30 digits"),
        (b"1" * 5000, "30 digits"),
        (b'"\xff"', "UTF-8"),
        (b'"a" x', "not JSON"),
        (b'"\n"', "not JSON"),
        (json.dumps({"a": 1}).encode("utf-16"), "UTF-8"),
        (b" " * 1001 + b"1" * 9000, "more than 10000"),
    ],
)
def test_what_has_two_readings_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadJSONError, match=why):
        parse(data, limit=10_000)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse(b'\xef\xbb\xbf{"uuid":1}', limit=100) == {"uuid": 1}
