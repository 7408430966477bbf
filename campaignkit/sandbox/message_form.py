"""The message that a call of sendQuickViberMessage or sendViberMessageList shows, checked at once."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from campaignkit.sandbox.content import LONGEST_LINK
from campaignkit.sandbox.exchange import Refusal
from campaignkit.sandbox.pictures import picture_type
from campaignkit.sandbox.reading import text, upload
from campaignkit.sandbox.v2_records import Body

if TYPE_CHECKING:
    from campaignkit.sandbox.exchange import Call

TYPES = ("TEXT", "IMAGE", "BUTTON")

# Also in the OpenAPI document, so nothing that engines of regular expressions read differently.
LINK = r"^https?://[^\u0000-\u0020\u007f/?#@:\[\]\\]+(:[1-9][0-9]{0,3})?([/?#][^\u0000-\u0020\u007f]*)?$(?!\n)"
_LINK = re.compile(LINK)
_SHOWN = re.compile("[^ \t\r\n]")


def read_body(call: Call, *, strict: bool) -> Body:
    """The message of a call.

    Args:
        call: The call.
        strict: Also refuse what could be sent and is not documented.

    Raises:
        Refusal: It is no message.
    """
    kind = text(call, "type_message") or "TEXT"
    if not strict:
        kind = kind.upper()
    if kind not in TYPES:
        raise Refusal(400, "type_message must be TEXT, IMAGE or BUTTON")
    body = Body(
        type=kind,
        message=text(call, "message"),
        button=text(call, "button"),
        button_link=text(call, "button_link"),
        image_file=_image(call, strict=strict),
    )
    if kind == "TEXT" and not _SHOWN.search(body.message):
        raise Refusal(400, "message is required")
    if kind == "IMAGE" and not body.image_file:
        raise Refusal(400, "image or image_url is required")
    if kind == "BUTTON":
        _check_button(body)
    if body.button_link:
        _check_link(body.button_link, strict=strict)
    return body


def _image(call: Call, *, strict: bool) -> str:
    url, content = text(call, "image_url"), upload(call, "image")
    if url and not _LINK.match(url):
        raise Refusal(400, "image_url is not valid")
    if content is None:
        return url
    kind = picture_type(content)
    if kind is None:
        raise Refusal(400, "image must be a PNG or JPEG")
    if url and strict:
        raise Refusal(400, "image and image_url exclude each other")
    # "Transferring an image via image_url is preferable."
    return url or f"images/{sha256(content).hexdigest()[:16]}.{kind}"


def _check_button(body: Body) -> None:
    if not _SHOWN.search(body.button):
        raise Refusal(400, "button is required")
    if not body.button_link:
        raise Refusal(400, "button_link is required")


def _check_link(link: str, *, strict: bool) -> None:
    if not _LINK.match(link):
        raise Refusal(400, "button_link is not valid")
    if strict and len(link) > LONGEST_LINK:
        raise Refusal(400, f"button_link must not exceed {LONGEST_LINK} characters")
