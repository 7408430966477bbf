"""Whether a reply says that somebody wants nothing more. Pure: words in, a verdict out."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_INVISIBLE = frozenset({"Cc", "Cf"})


def opt_out_word(text: str, words: Sequence[str]) -> str:
    """The opt-out word that this whole message is; empty if it is none.

    Neither case nor white space around it count, nor punctuation behind it, nor what can't be seen.
    """
    said = _bare(text)
    return next((word for word in words if said and said == _bare(word)), "")


def near_word(text: str, words: Sequence[str]) -> str:
    """The opt-out word that a message comes near to: it holds it, or is one letter away from it; empty if it does neither."""
    said = _bare(text)
    for word in words:
        wanted = _bare(word)
        if wanted and said and (wanted in said or _one_away(said, wanted)):
            return word
    return ""


def _bare(text: str) -> str:
    shown = "".join(character for character in text if unicodedata.category(character) not in _INVISIBLE or character.isspace())
    said = unicodedata.normalize("NFKC", shown).casefold().strip()
    while said and (said[-1].isspace() or unicodedata.category(said[-1]).startswith("P")):
        said = said[:-1]
    return said


def _one_away(one: str, other: str) -> bool:
    """Whether one letter more, less, other, or two neighbours changed about make the one of the other."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    left, right = one[start:], other[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])
    return left[1:] == right or left == right[1:]
