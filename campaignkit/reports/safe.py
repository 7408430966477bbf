"""Words for people: texts of others made harmless for the place they are printed in, numbers with their nouns."""

from __future__ import annotations

import json
import re

from campaignkit.wire.text import clean

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~])")
# Digits that may be a phone: many in a row, or set apart as people write phones. Never part of a word, a hash or a UUID.
_PHONE = re.compile(r"(?<![0-9A-Za-z-])(?:\d{9,15}|(?:\+\d|375|80|8 ?\(0)(?:[ ()-]{0,2}\d){7,13})(?![0-9A-Za-z])")
_SECRET = re.compile(r"""(\b(?:\w+_)?(?:token|secret|password|passwd)["']?\s*[:=]\s*["']?)([^\s"',}]+)""", re.IGNORECASE)
# Controls beyond ASCII, format characters (bidi, zero widths, tags), line and paragraph separators, lone surrogates.
_ACTIVE = re.compile(
    "[\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u2064\u2066-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U00013438"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_LONGEST_CELL = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def line(text: str, limit: int = 400) -> str:
    """One line for a terminal or log: no control characters, no escapes, no right-to-left tricks, no command to a CI service."""
    shown = clean(text.lstrip(" ") if text.lstrip().startswith("::") else text, limit).replace("##[", r"\x23#[")
    return r"\x3a" + shown[1:] if shown.startswith("::") else shown


def hidden(text: str) -> str:
    """The same text, just as long, with the middle digits of whatever may be a phone masked: for words that others wrote."""
    return _PHONE.sub(_masked, text)


def excerpt(text: str) -> str:
    """A piece of a source line, just as long: without phones, and without what somebody wrote down as a secret."""
    return hidden(_SECRET.sub(lambda found: found[1] + "•" * len(found[2]), line(text)))


def json_text(document: object, *, indent: int | None = None) -> str:
    """A document as JSON in which nothing is invisible or active: such characters stand there as escapes."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return _ACTIVE.sub(_escaped, text).replace("##[", r"\u0023#[")


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def punycode(host: str) -> str:
    """A host with what it is called on the wire, where that is another name: letters of two alphabets look alike."""
    if host.isascii():
        return host
    try:
        return f"{host} = {host.encode('idna').decode()}"
    except UnicodeError:
        return f"{host} = no host's name"


def _masked(found: re.Match[str]) -> str:
    places = [at for at, character in enumerate(found[0]) if character.isdigit()]
    middle = set(places[5:-4])
    return "".join("•" if at in middle else character for at, character in enumerate(found[0]))


def markdown(text: str, limit: int = 400) -> str:
    """Text inside Markdown: marks are escaped, so that neither links nor HTML come alive."""
    return _MARKDOWN.sub(r"\\\1", clean(text, limit)).replace("@", "@\u200b")


def cell(text: str, limit: int = _LONGEST_CELL) -> str:
    """A CSV cell that no spreadsheet takes for a formula, and that stays in its row."""
    return ("'" if text.startswith(_FORMULA) else "") + clean(text, limit)


def plural(number: int, word: str, many: str = "") -> str:
    """A number with its noun: 1 request, 2 requests; `many` is the noun of several where that takes more than an s."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"


def people(number: int) -> str:
    """A number of persons: 1 person, 2 people."""
    return f"{number:,} {'person' if number == 1 else 'people'}"
