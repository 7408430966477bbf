"""The table that decides whether people may be messaged again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.model.outcomes import Outcome
from campaignkit.wire.outcomes import Classified, classify, parse_retry_after

UUID = "cc9c8043-8caf-11ef-b035-9e8f47954dec"
OK = b'{"uuid":"cc9c8043-8caf-11ef-b035-9e8f47954dec","success":"OK"}'
ERROR = b'{"error":"token is invalid"}'
A, R, T, U = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.THROTTLED, Outcome.UNKNOWN


def read(
    status: int,
    body: bytes = b"",
    *,
    complete: bool = True,
    after: str | None = None,
    throttled_is: str = "not_sent",
    error_in_200_is: str = "rejected",
) -> Classified:
    return classify(status, body, complete, after, throttled_is=throttled_is, error_in_200_is=error_in_200_is)


TABLE = [
    # accepted: a valid uuid in a complete body
    (200, OK, A),
    (200, b"\xef\xbb\xbf" + OK, A),
    (200, b'{"uuid":"abcdefgh"}', A),
    (200, b'{"uuid":"abcdefgh","error":"but"}', A),
    (200, b'{"uuid":"abcdefgh","success":"NO"}', A),
    (201, OK, A),
    (202, OK, A),
    (203, OK, A),
    # 200 with an error and no id
    (200, ERROR, R),
    (200, b'{"error":{"code":5}}', R),
    (200, b'{"error":["a","b"],"uuid":null}', R),
    (200, b'{"error":17,"success":"OK"}', R),
    # 200 that says neither
    (200, b"", U),
    (200, b"<html>", U),
    (200, b"[]", U),
    (200, b"null", U),
    (200, b"{}", U),
    (200, b'{"success":"OK"}', U),
    (200, b'{"error":null}', U),
    (200, b'{"error":"","success":"OK"}', U),
    (200, b'{"error":"x","message_id":5}', U),
    (200, b'{"error":"x","uuid":"short"}', U),
    (200, b'{"error":"x","result":[{"uuid":"abcdefgh"}]}', U),
    (200, b'{"uuid":"short"}', U),
    (200, b'{"uuid":"' + b"a" * 65 + b'"}', U),
    (200, b'{"uuid":"abcdefgh\\n"}', U),
    (200, b'{"uuid":12345678}', U),
    (200, b'{"uuid":["abcdefgh"]}', U),
    (200, b'{"uuid":"abcdefgh","uuid":"ijklmnop"}', U),
    (200, b'{"uuid":"abcdefgh","n":NaN}', U),
    (200, OK[:-1], U),
    (200, OK + OK, U),
    (200, b"[" * 100_000, U),
    (200, b'{"uuid":"abcdefgh","n":' + b"9" * 5000 + b"}", U),
    (200, b'{"uuid":"abcdefgh","p":"' + b"x" * (1 << 20) + b'"}', U),
    # other kinds of success are no acceptance
    (204, b"", U),
    (206, OK, U),
    (299, OK, U),
    (201, ERROR, U),
    (100, b"", U),
    (103, b"", U),
    # definite refusals
    *[(status, body, R) for status in (400, 401, 403, 404, 405, 413, 414, 415, 422, 431) for body in (b"", b"<p>", ERROR)],
    (400, OK, U),
    (400, b'{"error":"x","data":{"uuid":"abcdefgh"}}', U),
    (404, b'[{"uuid":"abcdefgh"}]', U),
    (429, b'{"error":"x","data":{"uuid":"abcdefgh"}}', U),
    (422, b'{"error":"x","data":{"id":7}}', R),
    (429, OK, U),
    # other refusals need a whole object that says so
    *[(status, ERROR, R) for status in (402, 408, 409, 410, 421, 425, 451, 499)],
    *[(status, b"", U) for status in (402, 408, 409, 410, 421, 425, 451, 499)],
    (409, b'{"error":"exists","id":7}', U),
    (409, b'[{"error":"x"}]', U),
    # throttles
    (429, b"", T),
    (429, ERROR, T),
    (403, b'{"error":"Limit excided"}', T),
    (403, b'{"error":"limit"}', R),
    # redirects and servers in trouble say nothing
    *[(status, body, U) for status in (301, 302, 303, 304, 307, 308) for body in (b"", OK)],
    *[(status, body, U) for status in (500, 502, 503, 504, 520, 599, 600, 999) for body in (b"", ERROR, OK)],
]


@pytest.mark.parametrize(("status", "body", "outcome"), TABLE, ids=lambda v: v[:40] if isinstance(v, bytes) else str(v))
def test_the_table(status: int, body: bytes, outcome: Outcome) -> None:
    said = read(status, body)
    assert said.outcome is outcome
    assert bool(said.uuid) == (outcome is A)
    assert str(status) in said.reason


@given(st.integers(100, 999), st.binary() | st.sampled_from([OK, ERROR]), st.booleans(), st.text())
def test_only_a_whole_success_with_a_uuid_is_accepted(status: int, body: bytes, complete: bool, after: str) -> None:
    said = read(status, body, complete=complete, after=after)
    assert (said.outcome is A) == (bool(said.uuid))
    if said.outcome is A:
        assert complete
        assert status in {200, 201, 202, 203}
    if status >= 500 or status < 200:
        assert said.outcome is U


@pytest.mark.parametrize("status", [301, 307, 308, 401, 403, 404])
def test_these_stop_the_whole_run(status: int) -> None:
    assert read(status).halt


@pytest.mark.parametrize("status", [200, 400, 405, 413, 422, 429, 500])
def test_these_do_not(status: int) -> None:
    assert not read(status).halt
    assert not read(403, b'{"error":"limit excided"}').halt


def test_settings_turn_the_undocumented_into_unknown() -> None:
    assert read(429, throttled_is="unknown").outcome is U
    assert read(403, b'{"error":"limit excided"}', throttled_is="unknown").outcome is U
    assert read(200, ERROR, error_in_200_is="unknown").outcome is U
    assert read(400, ERROR, error_in_200_is="unknown").outcome is R


def test_a_uuid_in_half_a_body_is_a_hint_only() -> None:
    said = read(200, OK[:-3], complete=False)
    assert (said.outcome, said.uuid) == (U, "")
    assert UUID in said.reason
    assert read(409, ERROR, complete=False).outcome is U
    for refusal in (400, 403, 404, 429):
        assert read(refusal, OK[:-3], complete=False).outcome is U
        assert read(refusal, ERROR, complete=False).outcome is not U


def test_an_error_beside_a_uuid_is_a_warning() -> None:
    assert "Optimal image" in read(200, b'{"uuid":"abcdefgh","error":"Optimal image size"}').reason


def test_the_providers_words_are_blotted_cleaned_and_cut_in_this_order() -> None:
    body = b'{"error":"\\u001b[31m' + b"x" * 290 + b'the-secret and more"}'
    said = classify(
        400,
        body,
        True,
        None,
        blot=lambda text: text.replace("the-secret", "[token]"),
    )
    assert r"\x1b[31m" in said.reason
    assert "the-s" not in said.reason
    assert len(said.reason) < 330


NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("-5", None),
        ("1.5", None),
        ("", None),
        (None, None),
        ("soon", None),
        ("9" * 400, None),
        ("١٢", None),
        ("Mon, 23 Nov 2026 10:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 10:01:30 -0000", 90.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", None),
        ("Mon, 99 Nov 99999 09:00:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_raises(value: str) -> None:
    parse_retry_after(value, NOW)


def test_a_date_needs_a_present() -> None:
    assert parse_retry_after("Mon, 23 Nov 2026 10:01:30 GMT") is None
    assert read(429, after="7").retry_after == 7.0
    assert read(503, after="7").retry_after is None
