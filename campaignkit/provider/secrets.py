"""The token taken out of texts before anything of them is kept, logged or shown, in whatever form it is echoed."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

MARK = "[token]"
"""Stands where the token stood."""

SHORTEST = 8
"""Characters of a token that is blotted: a shorter one is no secret, and blotting it would garble ordinary words."""

_PIECE = 6
"""Characters of the token's beginning that are blotted where a cut text ends in them."""

SLICE = 12
"""Characters in a row of the token, from anywhere within it, that are blotted: what a provider shows of a key it names."""

_STRIDE = SLICE - _PIECE + 1
"""Every slice holds one whole piece that begins at a multiple of this."""

_ESCAPES = ("\\", "%", "&#")

Text = TypeVar("Text", str, bytes)


class Redactor:
    """Blots one token out of texts.

    Found are the token as it is, and with any of its characters escaped as JSON, as percent code (also twice) or as HTML
    does; 12 or more characters of it in a row; as hexadecimal digits; in base64 of either alphabet, alone or inside a
    longer encoded text; and the beginning of any of them where a text was cut.

    Args:
        token: The secret; empty where there is none.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._literal: tuple[str, ...] = ()
        if len(token) < SHORTEST:
            self._patterns: tuple[re.Pattern[str], ...] = ()
            self._starts: tuple[str, ...] = ()
            return
        raw = token.encode("utf-8", "surrogatepass")
        # Bytes are searched as Latin-1 text, one character a byte, so that one language of patterns serves both kinds.
        literal = {*_encoded(raw), raw.decode("latin-1")}
        self._literal = (token, *literal)
        # Two patterns: each begins with known characters, which lets the engine skip the rest of a text quickly.
        self._patterns = (
            re.compile("".join(map(_any_form, token))),
            re.compile("|".join(map(re.escape, sorted(literal)))),
        )
        self._starts = tuple(sorted({token, token.replace("/", "\\/"), *literal}))

    def blot(self, text: Text) -> Text:
        """The same text with `[token]` wherever the token stood."""
        if isinstance(text, bytes):
            return self._blotted(text.decode("latin-1")).encode("latin-1")
        return self._blotted(text)

    def holds(self, text: str) -> bool:
        """Whether the token stands in a text as it is."""
        return len(self._token) >= SHORTEST and self._token in text

    def _blotted(self, text: str) -> str:
        if self._may_stand_in(text):
            for pattern in self._patterns:
                text = pattern.sub(MARK, text)
        if len(self._token) > SLICE:
            text = self._without_slices(text)
        for start in self._starts:
            tail = text[-len(start) :]
            at = tail.find(start[:_PIECE])
            while at >= 0 and not start.startswith(tail[at:]):
                at = tail.find(start[:_PIECE], at + 1)
            if at >= 0:
                text = text[: len(text) - len(tail) + at] + MARK
        return text

    def _may_stand_in(self, text: str) -> bool:
        """Whether the patterns are worth a search, which is slow in a large text: every escaped form needs one of these characters."""
        if not self._token.isascii():  # its characters may stand in either of two ways, each for itself
            return True
        return any(begin in text for begin in _ESCAPES) or any(form in text for form in self._literal)

    def _without_slices(self, text: str) -> str:
        spans = sorted(self._slices(text))
        pieces, done = [], 0
        for start, end in spans:
            if start >= done:
                pieces += [text[done:start], MARK]
            done = max(done, end)
        return "".join((*pieces, text[done:])) if spans else text

    def _slices(self, text: str) -> Iterator[tuple[int, int]]:
        """Where 12 or more characters in a row of the token stand."""
        token = self._token
        for at in range(0, len(token) - _PIECE + 1, _STRIDE):
            piece = token[at : at + _PIECE]
            seen = text.find(piece)
            while seen >= 0:
                start = seen - _alike(reversed(token[:at]), reversed(text[max(seen - at, 0) : seen]))
                end = seen + _alike(token[at:], text[seen : seen + len(token)])
                if end - start >= SLICE:
                    yield start, end
                seen = text.find(piece, end)


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    """How many characters two texts begin with alike."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _any_form(character: str) -> str:
    """A pattern of one character in any of its escaped forms."""
    code = ord(character)
    raw = ("\\\\?" if character in '/"\\' else "") + re.escape(character)
    if not character.isascii():  # in bytes it stands as several
        raw = re.escape(character.encode("utf-8", "surrogatepass").decode("latin-1")) + "|" + raw
    utf16 = character.encode("utf-16-be", "surrogatepass")
    json = "".join(rf"\\u(?i:{utf16[at : at + 2].hex()})" for at in range(0, len(utf16), 2))
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass"))
    html = f"&#(?:0*{code}|[xX]0*(?i:{code:x}));"
    return f"(?:{html}|{percent}|{json}|{raw})"  # the bare character last: it may begin an escaped form


def _encoded(raw: bytes) -> set[str]:
    """The token in hexadecimal, and in base64 as it looks at each of the three alignments within a longer text."""
    forms = {raw.hex(), raw.hex().upper()}
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw).decode("ascii")
        # The characters at both ends also depend on the neighbours: only those of the token's own bits are sure.
        sure = whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        forms |= {sure, sure.replace("+", "-").replace("/", "_")}
    return forms
