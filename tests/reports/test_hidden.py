"""Words that others wrote keep their shape and lose the middle of every phone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.model.phones import masked, quoted
from campaignkit.reports.safe import hidden


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("phone 375291111111 is barred", "phone 37529•••1111 is barred"),
        ("+375291111111", "+37529•••1111"),
        ("+375 29 111-11-11", "+375 29 •••-11-11"),
        ("8 (029) 111-11-11", "8 (029) 1••-11-11"),
        ("80291111111,Anna", "80291••1111,Anna"),
        ("'75291111111,Anna'", "'75291••1111,Anna'"),
        ('["375291111111", "375292222222"]', '["37529•••1111", "37529•••2222"]'),
        ("48123456789012", "48123•••••9012"),
    ],
)
def test_a_phone_is_masked_however_it_is_written(text: str, shown: str) -> None:
    assert hidden(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00", "2026-01-01 10:00:00.4", "cc9c8043-8caf-11ef-b035-9e8f47954dec", "11111111-2222-3333-4444-555555555555",
        "ck-7k3m9x2p", "sha256:9f2c1f5d0c6ad0e4b1d7a0b7f9c3c2d4", "1,000,000 rows", "Optimal image size 800x800 px", "HTTP 500", "80", "",
    ],
)  # fmt: skip
def test_what_is_no_phone_stays(text: str) -> None:
    assert hidden(text) == text


@given(st.integers(10**11, 10**15 - 1), st.text("abc ,;\"'()[]{}:\n", max_size=5), st.text(" ,;\"'()[]{}:\n", max_size=5))
def test_no_run_of_digits_as_long_as_a_phone_survives(phone: int, before: str, after: str) -> None:
    text = f"{before} {phone}{after}"
    assert str(phone) not in hidden(text)
    assert len(hidden(text)) == len(text)
    assert hidden(hidden(text)) == hidden(text)


def test_a_message_shows_its_own_phone_only_when_asked() -> None:
    text = "?p=375291111111"
    assert quoted(text, 375291111111, reveal=False) == f"?p={masked(375291111111)}"
    assert quoted(text, 375291111111, reveal=True) == text
