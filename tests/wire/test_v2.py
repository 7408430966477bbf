"""The same table for the v2 methods: what says yes differs, what everything else means does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.model.outcomes import Outcome
from campaignkit.wire.outcomes import Classified, Method, classify
from campaignkit.wire.text import clean
from campaignkit.wire.v2 import CONFIRM, CREATE, id_seen, stated_error

A, R, T, U = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.THROTTLED, Outcome.UNKNOWN
QUICK = b'{"status":"OK","result":{"message_id":8484}}'
LIST = b'{"status":"OK","result":{"message_id":4905,"count_subscribers":4}}'
OK = b'{"status":"OK"}'
ERROR = b'{"error":"token is invalid"}'
STATED = b'{"status":"error","message":"no such list"}'


def read(method: Method, status: int, body: bytes, *, complete: bool = True, error_in_200_is: str = "rejected") -> Classified:
    return classify(status, body, complete, None, method=method, error_in_200_is=error_in_200_is)


CREATED = [
    # accepted: one id in a whole object
    (200, QUICK, A),
    (202, QUICK, A),
    (200, b'{"status":"OK","result":{"message_id":"8484"}}', A),
    (200, b'{"status":"OK","result":{"viber_id":8484}}', A),
    (200, b'{"status":"OK","result":[{"message_id":8484}]}', A),
    (200, b'{"status":"OK","message_id":8484}', A),
    (200, b'{"message_id":8484,"result":{"viber_id":"8484","x":"https:\\/\\/a.by\\/"}}', A),
    (200, b'{"status":"error","message":"low balance","result":{"message_id":8484}}', A),
    (200, b'{"error":"image is large","message_id":8484}', A),
    (200, b'{"result":{"message_id":8484,"viber_id":null}}', A),
    # an error and no id
    (200, ERROR, R),
    (200, STATED, R),
    (200, b'{"status":" Error "}', R),
    (200, b'{"status":"OK","error":"phone"}', R),
    (200, b'{"status":"error","message":{"phone":["is wrong"]},"result":{"message_id":0}}', R),
    # neither
    (200, b"", U),
    (200, b"<html>", U),
    (200, b"[]", U),
    (200, b'[{"message_id":8484}]', U),
    (200, b"8484", U),
    (200, OK, U),
    (200, b'{"status":"OK","result":8484}', U),
    (200, b'{"status":"OK","result":null}', U),
    (200, b'{"status":"OK","result":{"message_id":null}}', U),
    (200, b'{"status":"OK","result":{"message_id":0}}', U),
    (200, b'{"status":"OK","result":{"message_id":"000"}}', U),
    (200, b'{"status":"OK","result":{"message_id":-5}}', U),
    (200, b'{"status":"OK","result":{"message_id":true}}', U),
    (200, b'{"status":"OK","result":{"message_id":8484.5}}', U),
    (200, b'{"status":"OK","result":{"message_id":"84 84"}}', U),
    (200, b'{"status":"OK","result":{"message_id":"\xd9\xa1"}}', U),
    (200, b'{"status":"OK","result":{"message_id":' + b"1" * 19 + b"}}", U),
    (200, b'{"status":"OK","result":{"message_id":1,"viber_id":2}}', U),
    (200, b'{"status":"OK","message_id":1,"result":{"message_id":2}}', U),
    (200, b'{"status":"OK","result":[{"message_id":1},{"message_id":2}]}', U),
    (200, b'{"status":"error","message":"x","data":{"message_id":8484}}', U),
    (200, b'{"error":"x","id":7}', U),
    (200, b'{"error":"x","data":{"viber_id":"a"}}', U),
    (200, b'{"uuid":"abcdefgh","success":"OK"}', U),
    (200, QUICK[:-1], U),
    (201, ERROR, U),
    (204, b"", U),
    # refusals, unless an id stands in them
    *[(status, body, R) for status in (400, 401, 403, 404, 422) for body in (b"", b"<p>", ERROR, STATED)],
    (409, STATED, R),
    (409, b"", U),
    (400, QUICK, U),
    (400, b'{"error":"x","message_id":8484}', U),
    (400, b'{"error":"x","data":{"viber_id":"8484"}}', U),
    (400, b'{"error":"x","message_id":0}', R),
    # the rest
    (429, b"", T),
    (403, b'{"error":"limit excided"}', T),
    (403, b'{"status":"error","message":"Limit excided"}', T),
    *[(status, body, U) for status in (302, 307, 500, 502, 503) for body in (b"", ERROR, STATED, QUICK)],
]

CONFIRMED = [
    (200, OK, A),
    (200, b'{"status":"ok"}', A),
    (200, b'{"status":" Success ","result":null,"error":null}', A),
    (202, OK, A),
    (200, ERROR, R),
    (200, STATED, R),
    (200, b'{"error":"unknown message","message_id":4905}', R),
    (200, b'{"status":"OK","error":"already confirmed"}', U),
    (200, b'{"status":"SENT"}', U),
    (200, b'{"status":true}', U),
    (200, b'{"status":["OK"]}', U),
    (200, b'{"result":"OK"}', U),
    (200, b'{"message_id":4905}', U),
    (200, b'["OK"]', U),
    (200, b'"OK"', U),
    (200, b"OK", U),
    (200, b"", U),
    (200, OK[:-1], U),
    (201, ERROR, U),
    (204, b"", U),
    (206, OK, U),
    (400, OK, U),
    (400, ERROR, R),
    (404, b'{"error":"unknown message","message_id":4905}', R),
    (409, STATED, R),
    *[(status, b'{"status":"OK","error":"x"}', U) for status in (400, 403, 404, 409, 422, 429)],
    (400, b'{"error":"x","status":"OK', R),
    (400, b'{"error":"x","status":"OK",', U),
    (400, b"<p>status: OK</p>", R),
    (429, b"", T),
    (302, OK, U),
    (500, OK, U),
    (500, STATED, U),
]


def shown(value: object) -> str:
    return value[:50].decode("latin-1") if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize(("status", "body", "outcome"), CREATED, ids=shown)
def test_what_says_that_something_was_created(status: int, body: bytes, outcome: Outcome) -> None:
    said = read(CREATE, status, body)
    assert said.outcome is outcome
    assert said.uuid == ("8484" if outcome is A else "")
    assert str(status) in said.reason


@pytest.mark.parametrize(("status", "body", "outcome"), CONFIRMED, ids=shown)
def test_what_says_that_something_was_confirmed(status: int, body: bytes, outcome: Outcome) -> None:
    said = read(CONFIRM, status, body)
    assert (said.outcome, said.uuid, said.count) == (outcome, "", None)
    assert str(status) in said.reason


@pytest.mark.parametrize(
    ("count", "read_as"),
    [("4", 4), ('"4"', 4), ("0", 0), ("null", None), ("-1", None), ("true", None), ("4.5", None), ('"many"', None), ("[4]", None)],
)
def test_how_many_a_draft_would_reach(count: str, read_as: int | None) -> None:
    for body in ('{"result":{"message_id":1,"count_subscribers":%s}}', '{"result":{"message_id":1},"count_subscribers":%s}'):
        said = read(CREATE, 200, (body % count).encode())
        assert (said.outcome, said.count) == (A, read_as)
    assert read(CREATE, 200, LIST).count == 4
    assert read(CREATE, 200, QUICK).count is None


def test_an_error_beside_an_id_is_a_warning() -> None:
    said = read(CREATE, 200, b'{"status":"error","message":"low balance","result":{"message_id":8484}}')
    assert said.reason == "HTTP 200, accepted, with a warning: low balance"


def test_words_of_what_is_unknown() -> None:
    assert read(CREATE, 200, OK).reason == "HTTP 200 without a valid message_id"
    assert read(CONFIRM, 200, b"{}").reason == "HTTP 200 without a valid status OK"
    assert read(CREATE, 400, QUICK).reason == "HTTP 400, yet with message_id 8484"
    assert read(CONFIRM, 400, OK).reason == "HTTP 400, yet with status OK"
    assert read(CONFIRM, 400, b'{"status":"ok","error":"x"}').reason == "HTTP 400, yet: x (a status OK was seen: ok)"
    assert read(CREATE, 500, STATED).reason == "HTTP 500: no such list"
    assert "(a message_id was seen: 8484)" in read(CREATE, 500, QUICK[:-1], complete=False).reason


@pytest.mark.parametrize("method", [CREATE, CONFIRM])
def test_the_setting_turns_an_error_in_200_into_unknown(method: Method) -> None:
    assert read(method, 200, ERROR, error_in_200_is="unknown").outcome is U
    assert read(method, 200, STATED, error_in_200_is="unknown").outcome is U
    assert read(method, 400, STATED, error_in_200_is="unknown").outcome is R


def test_half_an_answer_is_never_believed() -> None:
    assert read(CREATE, 200, QUICK, complete=False).outcome is U
    assert read(CONFIRM, 200, OK, complete=False).outcome is U
    assert read(CREATE, 400, QUICK[:-1], complete=False).outcome is U
    assert read(CREATE, 400, ERROR[:-3], complete=False).outcome is R


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (b'{"result":{"message_id":8484', ""),
        (b'{"result":{"message_id":8484}', "8484"),
        (b'<p>"viber_id" : "0042" ', "0042"),
        (b'"message_id":0}', ""),
        (b'"message_id":"x"', ""),
        (b'"message_id":1234567890123456789 ', ""),
        (b"", ""),
    ],
)
def test_a_whole_id_is_a_hint(answer: bytes, seen: str) -> None:
    assert id_seen(answer) == seen


@given(
    st.sampled_from([CREATE, CONFIRM]),
    st.integers(100, 999),
    st.binary() | st.sampled_from([QUICK, LIST, OK, ERROR, STATED]),
    st.booleans(),
)
def test_only_a_whole_success_is_accepted(method: Method, status: int, body: bytes, complete: bool) -> None:
    said = read(method, status, body, complete=complete)
    if said.outcome is A:
        assert complete
        assert status in {200, 201, 202, 203}
        assert bool(said.uuid) == (method is CREATE)
    if status >= 500 or status < 200 or 300 <= status < 400:
        assert said.outcome is U


keys = st.sampled_from(["status", "result", "error", "message", "message_id", "viber_id", "count_subscribers", "id"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["OK", "error", "8484", 8484])
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(st.sampled_from([CREATE, CONFIRM]), st.sampled_from([200, 400, 409, 429, 500]), values)
def test_no_json_is_too_odd_for_the_table(method: Method, status: int, value: object) -> None:
    said = read(method, status, json.dumps(value).encode())
    assert clean(said.reason, 10_000) == said.reason
    if said.outcome is A and method is CREATE:
        assert said.uuid.isdigit()


def test_the_stated_error_is_blotted() -> None:
    assert stated_error({"status": "error", "message": "the-secret"}, lambda text: text.replace("the-secret", "[token]")) == "[token]"
    assert stated_error({"status": "error"}) == "its status is error"
    assert stated_error({"status": "OK", "message": "fine"}) == ""
