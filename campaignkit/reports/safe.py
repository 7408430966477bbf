"""Words for people: texts of others made harmless for the place they are printed in, numbers with their nouns."""

from __future__ import annotations

import re

from campaignkit.wire.text import clean

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~])")
# Digits that may be a phone: many in a row, or set apart as people write phones. Never part of a word, a hash or a UUID.
_PHONE = re.compile(r"(?<![0-9A-Za-z-])(?:\d{9,15}|(?:\+\d|375|80|8 ?\(0)(?:[ ()-]{0,2}\d){7,13})(?![0-9A-Za-z])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def line(text: str, limit: int = 400) -> str:
    """One line for a terminal or log: no control characters, no escapes, no right-to-left tricks."""
    return clean(text, limit)


def hidden(text: str) -> str:
    """The same text, just as long, with the middle digits of whatever may be a phone masked: for words that others wrote."""
    return _PHONE.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    places = [at for at, character in enumerate(found[0]) if character.isdigit()]
    middle = set(places[5:-4])
    return "".join("•" if at in middle else character for at, character in enumerate(found[0]))


def markdown(text: str, limit: int = 400) -> str:
    """Text inside Markdown: marks are escaped, so that neither links nor HTML come alive."""
    return _MARKDOWN.sub(r"\\\1", clean(text, limit)).replace("@", "@\u200b")


def cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


def plural(number: int, word: str) -> str:
    """A number with its noun: 1 request, 2 requests."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def people(number: int) -> str:
    """A number of persons: 1 person, 2 people."""
    return f"{number:,} {'person' if number == 1 else 'people'}"
