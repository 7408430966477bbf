"""The provider's rules on rendered content, and the undocumented limits that warn.

Sources, provider-api.txt (sendBulkViber): a button link has at most 150 characters; images are for bulk only (the schema
sees to that). 1000 characters of text and 30 of caption are what other Viber gateways take; this provider names no limit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import methodcaller

from campaignkit.model.mailings import LONGEST_LINK

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NEVER = r"\s\\\"<>\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
"""Nor invisible characters and those that turn the order: a person would read another address than the one opened."""
_START = rf"https?://([^/?#@:\[\]{_NEVER}]+)(?::[0-9]{{1,5}})?"
_LINK = re.compile(rf"{_START}(?:[/?#][^{_NEVER}]*)?")
_TO_PATH = re.compile(rf"{_START}[/?#]")
_NEVER_OF_ASCII = ' \\"<>'
"""What of it can be printed, and is ASCII."""
_ANY_NEVER = re.compile(f"[{_NEVER}]")

hosts_in = re.compile(r"https?://([^\s/?#@\\:\[\]]+)").findall
"""The hosts of the links in a text, as they come."""


def clean_text(text: str) -> str:
    """Text as it is sent: CRLF becomes a newline, nothing else is altered."""
    return text.replace("\r\n", "\n") if "\r" in text else text


def text_fault(text: str) -> str:
    """What forbids to send this text, or nothing."""
    if not text or text.isspace():
        return "the text is empty"
    if found := _CONTROL.search(text):
        return f"the text holds the control character U+{ord(found[0]):04X}"
    return ""


def texts_are_fine(texts: Sequence[str]) -> bool:
    """Whether `text_fault` finds nothing in any of them: one look over all."""
    if not all(map(str.strip, texts)):
        return False
    # What can be printed holds no control character; most texts can, and to ask that is many times as fast.
    return "".join(texts).isprintable() or _CONTROL.search("\n".join(texts)) is None


def common_host(links: Sequence[str]) -> str | None:
    """The host of all of these links, if they begin alike and each may be sent; None: each is to be looked at."""
    start = _TO_PATH.match(links[0])
    if start is None or max(map(len, links)) > LONGEST_LINK:
        return None
    joined = "".join(links)
    plain = joined.isascii() and joined.isprintable() and not any(map(joined.__contains__, _NEVER_OF_ASCII))
    if not plain and _ANY_NEVER.search(joined):
        return None
    begin = start[0]
    return start[1].lower() if all(map(methodcaller("startswith", begin), links)) else None


def link_host(link: str) -> str | None:
    """The host of a link that may be sent, or None."""
    match = _LINK.fullmatch(link)
    return match[1].lower() if match else None


def link_fault(link: str, *, longest: int | None = LONGEST_LINK) -> str:
    """What forbids to send this link, or nothing."""
    if longest is not None and len(link) > longest:
        return f"the link has {len(link)} characters; the provider takes at most {longest}"
    if not link:
        return "the link is empty"
    if _LINK.fullmatch(link):
        return ""
    if not link.startswith(("http://", "https://")):
        return "a link begins with https:// or http://"
    if "@" in link.split("/")[2] or "\\" in link:
        return "a link may hold no @ before its path and no backslash"
    return "this is no link: white space, quotes, control or invisible characters, or an empty host"
