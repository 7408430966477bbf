"""No form of the token outlives the redactor."""

from __future__ import annotations

import base64
import html
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.provider.secrets import MARK, Redactor

tokens = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=60)
ascii_tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=80).filter(
    lambda token: len(set(token)) > 3
)


@given(tokens)
def test_every_usual_form_is_blotted(token: str) -> None:
    redactor = Redactor(token)
    forms = {
        token,
        json.dumps(token)[1:-1],
        json.dumps(token, ensure_ascii=False)[1:-1],
        json.dumps(token)[1:-1].replace("/", "\\/"),
        quote(token, safe=""),
        quote(token),
        quote(quote(token, safe=""), safe=""),
        "".join(f"&#{ord(c)};" for c in token),
        token.encode().hex(),
    }
    for form in forms:
        if "\\" not in token and not any(ord(c) < 32 for c in token):
            assert redactor.blot(f"<{form}>") == f"<{MARK}>"
            assert redactor.blot(f"<{form}>".encode()) == f"<{MARK}>".encode()


@given(ascii_tokens, st.binary(max_size=5), st.binary(max_size=5))
def test_base64_is_blotted_at_every_alignment(token: str, before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + token.encode() + after).decode()
    shown = Redactor(token).blot(f"{encoded}!")
    assert MARK in shown
    assert len(shown) - len(MARK) <= len(encoded) - len(token.encode()) * 4 // 3 + 4


@given(ascii_tokens, st.integers(6, 80))
def test_a_beginning_at_a_cut_is_blotted(token: str, length: int) -> None:
    assert Redactor(token).blot(f"\n{token[:length]}") == f"\n{MARK}"


def test_what_only_begins_like_it_does_not_hide_the_beginning_behind_it() -> None:
    redactor = Redactor("abcdefghijklmnopqrstuvwxyz")
    assert redactor.blot("key abcdef is no abcdefg") == f"key abcdef is no {MARK}"
    assert redactor.blot("key abcdef is no key") == "key abcdef is no key"
    assert Redactor("aaaaaaabcdefghijk").blot("-aaaaaaaaab") == f"-aa{MARK}"


@given(ascii_tokens.filter(lambda token: len(token) > 12), st.integers(0, 70), st.integers(12, 80))
def test_a_longer_piece_from_anywhere_is_blotted(token: str, start: int, length: int) -> None:
    piece = token[min(start, len(token) - 12) :][:length]
    assert Redactor(token).blot(f"\n{piece}\n and \n{piece}\n") == f"\n{MARK}\n and \n{MARK}\n"


def test_a_shorter_piece_stays_and_a_longer_one_leaves_its_neighbours() -> None:
    redactor = Redactor("abcdefghijklmnopqrstuvwxyz")
    assert redactor.blot("key cdefghijklm is wrong") == "key cdefghijklm is wrong"
    assert redactor.blot("key Xcdefghijklmnopqrstu!cdefghijklmnX is wrong") == f"key X{MARK}!{MARK}X is wrong"


def test_a_token_of_several_bytes_a_character_is_blotted_whole_in_bytes() -> None:
    assert Redactor("0000000Ã").blot("<0000000Ã>".encode()) == f"<{MARK}>".encode()


def test_a_token_whose_characters_are_encoded_here_and_not_there_is_blotted() -> None:
    assert Redactor("0000000Ãé").blot(f"<0000000{'Ã'.encode().decode('latin-1')}é>") == f"<{MARK}>"


@given(st.text(), st.binary(), st.sampled_from(["no-such-token-anywhere", "", "short", "abcdefgh"]))
def test_other_text_stays(text: str, data: bytes, token: str) -> None:
    assert Redactor(token).blot(text) == text
    assert Redactor(token).blot(data) == data


@pytest.mark.parametrize("beside", ["", "100%", "\\", "&#", "&"])
def test_each_form_is_found_beside_whatever_other_characters(beside: str) -> None:
    token = "tests-only-token-of-nobody"
    for form in (token, token.encode().hex(), token.encode().hex().upper(), token.replace("-", "%2D"), token.replace("-", "&#45;")):
        assert Redactor(token).blot(f"{beside} {form} {beside}") == f"{beside} {MARK} {beside}"


def test_html_entities_of_an_escaper_do_not_hide_it() -> None:
    assert html.escape("abc-tests-only") == "abc-tests-only"
    assert Redactor("abc/tests=only").blot("abc&#x2F;tests&#61;only") == MARK


@pytest.mark.parametrize("filler", [b'{"phone":"375291111111","status":"NEW"},', b"e", b"%", b"\\u0065"])
def test_blotting_a_large_answer_is_quick(filler: bytes) -> None:
    data = filler * ((1 << 20) // len(filler))
    redactor = Redactor("eyJpdiI6IjJzOFlFcXBmOUZE-tests-only" * 4)
    began = time.process_time()
    assert redactor.blot(data) == data
    assert time.process_time() - began < 1.0
