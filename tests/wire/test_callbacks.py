"""The address of one request, and the reading of whatever is posted to it."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.wire.callbacks import (
    LARGEST_BODY,
    PLACEHOLDER_SECRET,
    BadCallbackError,
    CallbackWords,
    callback_address,
    new_secret,
    read_callback,
    secret_hash,
    secret_of,
)
from campaignkit.wire.text import clean

UUID = "cc9c8043-8caf-11ef-b035-9e8f47954dec"


def test_a_secret_is_43_characters_of_all_the_randomness() -> None:
    assert new_secret(bytes(32)) == "A" * 43
    assert new_secret(b"\xff" * 32) == "_" * 42 + "8"
    assert len({new_secret(bytes(31) + bytes([last])) for last in range(256)}) == 256
    for wrong in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="32"):
            new_secret(wrong)


@given(st.binary(min_size=32, max_size=32))
def test_what_is_made_is_found_again_and_is_never_the_placeholder(random_bytes: bytes) -> None:
    secret = new_secret(random_bytes)
    assert secret_of(callback_address("https://hooks.example.by/ck?x=/1", secret)) == secret
    assert secret != PLACEHOLDER_SECRET
    assert len(secret) == len(PLACEHOLDER_SECRET)
    assert secret_hash(secret) == sha256(secret.encode()).digest()


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://hooks.example.by/ck", "https://hooks.example.by/ck/S"),
        ("https://hooks.example.by/ck/", "https://hooks.example.by/ck/S"),
        ("https://hooks.example.by", "https://hooks.example.by/S"),
        ("https://hooks.example.by?site=1&x=/y", "https://hooks.example.by/S?site=1&x=/y"),
        ("https://hooks.example.by/ck/?site=1#f", "https://hooks.example.by/ck/S?site=1#f"),
        ("http://[half/webhook.php", "http://[half/webhook.php/S"),
    ],
)
def test_the_secret_is_the_last_segment_and_a_query_stays_behind(url: str, made: str) -> None:
    assert callback_address(url, "S") == made


@pytest.mark.parametrize("target", ["", "/", "/ck", "/" + "A" * 42, "/" + "A" * 44, "/" + "A" * 42 + "é", "/?" + "A" * 43, f"/{'A' * 43}/"])
def test_other_targets_hold_no_secret(target: str) -> None:
    assert secret_of(target) == ""


@pytest.mark.parametrize(
    ("body", "uuids", "error"),
    [
        ({"uuid": UUID, "success": "OK"}, (UUID,), ""),
        ({"data": [{"UUID": UUID}, {"uuid": UUID}]}, (UUID,), ""),
        ([{"uuid": f"{number:08}"} for number in range(9)], ("00000000", "00000001", "00000002"), ""),
        ({"error": "Not enough money"}, (), "Not enough money"),
        ({"errors": ["a: bad\x1b[2J"]}, (), '["a: bad\\u001b[2J"]'),
        ({"uuid": "short"}, (), ""),
        ({"uuid": 5, "error": None}, (), ""),
        ({"uuid": f"{UUID}\n"}, (), ""),
        ("OK", (), ""),
    ],
)
def test_uuids_and_refusals_are_read_wherever_they_stand(body: object, uuids: tuple[str, ...], error: str) -> None:
    assert read_callback(json.dumps(body).encode()) == CallbackWords(uuids, error)


def test_what_may_be_a_token_is_not_among_the_words() -> None:
    """The receiver and the list of `resolve` hold no token, so they cannot know it when they see it."""
    tag = "ck-7k3m5x2p7k3m5x2p7k3m5x2p7k"
    token = "eyJpdiI6IjJzOFlFcXBmOUZEcGJlYzlzeFJValE9PSIsInZhbHV"
    said = read_callback(json.dumps({"error": f"token {token} is invalid; {tag}: too long"}).encode()).error
    assert said == f"token ••• is invalid; {tag}: too long"


def test_a_form_is_read_as_well() -> None:
    assert read_callback(f"uuid={UUID}&success=OK".encode()) == CallbackWords((UUID,), "")
    assert read_callback(b"error=Not+enough+money") == CallbackWords((), "Not enough money")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b" " * (LARGEST_BODY + 1), "bytes, more than"),
        (b"a=" + b"x" * LARGEST_BODY, "bytes, more than"),
        (b"[" * 9 + b"]" * 9, "deeper than 8"),
        (b"[" * 60_000, "deeper than 8"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "deeper than 8"),
        (b'{"a":"b=c"', "not JSON"),
        (b"\x1f\x8b\x08", "not UTF-8"),
        (b"&".join(b"a=1" for _ in range(101)), "not JSON"),
        (b'{"uuid":"1","uuid":"2"}', "twice"),
    ],
)
def test_what_is_neither_is_refused_in_words_that_hold_none_of_it(body: bytes, words: str) -> None:
    with pytest.raises(BadCallbackError, match=words):
        read_callback(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([UUID, "uuid"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["uuid", "error", "x"]) | st.text(), inner, max_size=4),
    max_leaves=30,
)


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()) | st.text().map(lambda text: f"uuid={text}".encode()))
def test_no_body_does_more_than_be_read_or_refused(body: bytes) -> None:
    try:
        found = read_callback(body)
    except BadCallbackError:
        return
    assert len(found.uuids) <= 3
    assert all(8 <= len(uuid) <= 64 and uuid.isascii() for uuid in found.uuids)
    assert found.error == clean(found.error, 300)
