"""The rules for one mailing's content. Who breaks one learns it from statusBulkViber, not from the send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from campaignkit.sandbox.records import Recipient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LONGEST_LINK = 150

_SIZE = re.compile(r"(?<!\d)(\d{2,5})x(\d{2,5})(?!\d)", re.IGNORECASE | re.ASCII)
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")


def content_errors(message_type: str, content: Mapping[str, str], recipients: Sequence[Recipient]) -> list[str]:
    """What is wrong with a mailing's content, each thing once; nothing where it is fine.

    Args:
        message_type: `bulk` or `personal`.
        content: The string fields of the message's `content`.
        recipients: Its people, with their own texts and links where it is personal.
    """
    # Personal: text and link stand with each person; bulk: in the content, for all.
    shared = [Recipient("", content.get("text", ""), content.get("button_link", ""))]
    parts = recipients if message_type == "personal" else shared
    match content.get("type"):
        case "text":
            found = _text_errors(parts)
        case "image":
            found = _image_errors(message_type, content)
        case "button":
            found = _button_errors(content, parts)
        case _:
            found = iter(["Content type is not valid"])
    return list(dict.fromkeys(found))


def _text_errors(parts: Sequence[Recipient]) -> Iterator[str]:
    if not all(part.text.strip() for part in parts):
        yield "Text is required"


def _image_errors(message_type: str, content: Mapping[str, str]) -> Iterator[str]:
    if message_type == "personal":
        yield "Image is available in bulk messages only"
    yield from _picture_errors(content.get("image_url", ""))


def _button_errors(content: Mapping[str, str], parts: Sequence[Recipient]) -> Iterator[str]:
    # Neither image nor text is said to be required with a button.
    if "image_url" in content:
        yield from _picture_errors(content["image_url"])
    if not content.get("caption", "").strip():
        yield "Button caption is required"
    for link in (part.button_link for part in parts):
        if not link:
            yield "Button link is required"
        elif len(link) > LONGEST_LINK:
            yield f"Button link must not exceed {LONGEST_LINK} characters"
        elif not _is_link(link):
            yield "Button link is not valid"


def _picture_errors(url: str) -> Iterator[str]:
    if not _is_link(url):
        yield "Content url is not valid"
    # Nothing is fetched here: a size in the path stands for the picture's own.
    elif any(size.groups() != ("800", "800") for size in _SIZE.finditer(urlsplit(url).path)):
        yield "Optimal image size 800x800 px"


def _is_link(text: str) -> bool:
    if _UNPRINTABLE.search(text):
        return False
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
