"""The provider's words before they are shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.wire.text import clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Привет, мир", "Привет, мир"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\r\nb\tc\x00\x9b", r"a\x0d\x0ab\x09c\x00\x9b"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("\u2028\ud800\U000e0041", r"\u2028\ud800\U000e0041"),
    ],
)
def test_what_is_invisible_or_active_becomes_visible(text: str, shown: str) -> None:
    assert clean(text, 100) == shown


def test_a_cut_is_shown() -> None:
    assert clean("abcdef", 4) == "abc…"
    assert clean("abcd", 4) == "abcd"
    assert clean("\x1b" * 10**6, 9) == r"\x1b\x1b…"


@given(st.text(), st.integers(1, 60))
def test_cleaned_text_is_bounded_safe_and_stays_as_it_is(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    assert clean(shown, limit) == shown
