"""Opt-out words: the whole message or nothing, whatever its case, its marks and what can't be seen of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.engine.wishes import near_word, opt_out_word

WORDS = ("stop", "стоп", "адпісацца")
DECORATION = st.text(st.sampled_from(" \t\n\r\u00a0\u200b\u2060\ufeff"), max_size=4)
CLOSING = st.text(st.sampled_from(".!?,;:…)»\"' \n"), max_size=4)


@given(word=st.sampled_from(WORDS), before=DECORATION, after=DECORATION, closing=CLOSING, upper=st.booleans())
def test_the_whole_message_is_the_word(*, word: str, before: str, after: str, closing: str, upper: bool) -> None:
    said = before + (word.upper() if upper else word) + closing + after
    assert opt_out_word(said, WORDS) == word
    assert near_word(said, WORDS) == word


@pytest.mark.parametrize(
    "text",
    ["", " ", "...", "yes", "stop it", "не стоп", "stop2", "«stop", "nonstop", "s t o p", "s.t.o.p", "сто п", "stop\nnow"],
)
def test_anything_else_is_none(text: str) -> None:
    assert opt_out_word(text, WORDS) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Stop it!", "stop"),
        ("please STOP sending", "stop"),
        ("«Стоп»", "стоп"),
        ("sotp", "stop"),
        ("stp", "stop"),
        ("stopp", "stop"),
        ("step", "stop"),
        ("стооп!", "стоп"),
        ("адписацца", "адпісацца"),
        ("отпісацца", ""),
        ("Yes, please", ""),
        ("top", "stop"),
        ("to", ""),
        ("", ""),
        ("…", ""),
        ("x" * 4_000 + "stop", "stop"),
    ],
)
def test_what_comes_near_is_told(text: str, word: str) -> None:
    assert near_word(text, WORDS) == word


def distance(one: str, other: str) -> int:
    """Of Damerau and Levenshtein, each pair of neighbours changed about at most once: as its definition says."""
    rows = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (one[i - 1] != other[j - 1]))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(st.text("abc", min_size=1, max_size=5), st.text("abc", min_size=1, max_size=5))
def test_near_is_a_distance_of_one_or_a_part(word: str, said: str) -> None:
    assert bool(near_word(said, [word])) == (word in said or distance(word, said) <= 1)


@given(st.text(), st.lists(st.text(max_size=5), max_size=3))
def test_no_text_and_no_word_breaks_it(text: str, words: list[str]) -> None:
    found = opt_out_word(text, words)
    assert found == "" or found in words
    near_word(text, words)
