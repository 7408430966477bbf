"""Text of other people made harmless for the place it is printed in."""

from __future__ import annotations

import re

from campaignkit.wire.text import clean

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def line(text: str, limit: int = 400) -> str:
    """One line for a terminal or log: no control characters, no escapes, no right-to-left tricks."""
    return clean(text, limit)


def markdown(text: str, limit: int = 400) -> str:
    """Text inside Markdown: marks are escaped, so that neither links nor HTML come alive."""
    return _MARKDOWN.sub(r"\\\1", clean(text, limit)).replace("@", "@\u200b")


def cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text
