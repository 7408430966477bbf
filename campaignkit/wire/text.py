"""The provider's words made fit for a terminal, a log and a report."""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls and escapes, format characters (bidi marks, zero widths), lone surrogates, line and paragraph separators."""


def clean(text: str, limit: int) -> str:
    r"""Outside text with everything invisible or active shown as an escape (`\x1b`), cut to `limit` characters.

    Cleaning twice changes nothing. A cut ends in `…`.
    """
    # Every character yields at least one: what stands behind the limit can be dropped first, whatever its size.
    head = text[: limit + 1]
    shown = head if head.isprintable() else "".join(map(_visible, head))
    return shown if len(shown) <= limit else shown[: max(limit - 1, 0)] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
