"""The forms of the v2 methods: documented names in the documentation's order, urlencoded or, with an image, multipart."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from campaignkit.model.mailings import LONGEST_LINK
from campaignkit.model.secret import SecretBytes

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES = ("TEXT", "IMAGE", "BUTTON")
"""Of `type_message`; a definition has them in small letters."""

URLENCODED = "application/x-www-form-urlencoded"

_CONTENT_KEYS = frozenset({"type", "text", "image_url", "caption", "button_link"})
_NUMBER = re.compile(r"[0-9]{1,18}")
_PHONE = re.compile(r"[0-9]{1,15}")
_NUMBERS = ("vibername_id", "list_id", "alphaname_id")
_LINK = re.compile(rf"(?s:.){{0,{LONGEST_LINK}}}")
_MINUTES = re.compile(r"[5-9]|[1-5][0-9]|60")
_SCHEDULE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}")
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9._-]")
_IMAGE_TYPES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"))


@dataclass(frozen=True, slots=True)
class Form:
    """The body of one request and what it is."""

    content_type: str
    body: bytes


def quick_fields(
    *,
    vibername_id: str,
    phone: int,
    content: Mapping[str, str],
    text: str = "",
    button_link: str = "",
    sms_alphaname_id: str = "",
    sms_after: int = 0,
) -> dict[str, str]:
    """The fields of `sendQuickViberMessage`, without token and image.

    Args:
        vibername_id: The Viber sender.
        phone: One recipient.
        content: With the definition's keys: `type`, `image_url`, `caption`, and what is the same for everybody.
        text: The person's own text; stands in place of one in `content`.
        button_link: The person's own link, likewise.
        sms_alphaname_id: Whom that SMS comes from; left out when empty.
        sms_after: Minutes until a message that is not delivered goes out as SMS; 0: it never does.

    Raises:
        ValueError: `content` has a key or a type that the API does not know.
    """
    own = {"text": text, "button_link": button_link}
    fields = {"vibername_id": vibername_id, "phone": str(phone)}
    fields |= _content_fields({**content, **{key: value for key, value in own.items() if value}})
    if sms_after:
        fields |= {"forwarding_message": "1", "forwarding_time": str(sms_after)}
        if sms_alphaname_id:
            fields["alphaname_id"] = sms_alphaname_id
    return fields


def list_fields(*, name: str, vibername_id: str, list_id: str, content: Mapping[str, str], schedule_time: str = "") -> dict[str, str]:
    """The fields of `sendViberMessageList`, without token and image.

    Args:
        name: From `wire.names.batch_name`; left out when empty, the provider makes one up then.
        vibername_id: The Viber sender.
        list_id: The provider's list of subscribers.
        content: With the definition's keys: `type`, `text`, `image_url`, `caption`, `button_link`.
        schedule_time: `YYYY-MM-DD HH:MM` in the provider's zone; left out when empty.

    Raises:
        ValueError: `content` has a key or a type that the API does not know.
    """
    fields = {"name": name} if name else {}
    fields |= {"vibername_id": vibername_id, "list_id": list_id, **_content_fields(content)}
    if schedule_time:
        fields["d_schedule"] = schedule_time
    return fields


def check_fields(fields: Mapping[str, str], *, image: bytes = b"") -> None:
    """Hold the fields of either sending method against the limits of the documentation.

    Raises:
        ValueError: One is broken; the message names the field, and holds no text and no phone.
    """
    kind, has_url, has_button = fields["type_message"], "image_url" in fields, "button" in fields and "button_link" in fields
    rules = (
        *((fields.get(name), _NUMBER, f"{name} is the provider's number of it, digits only") for name in _NUMBERS),
        (fields.get("phone"), _PHONE, "phone is digits only, at most 15"),
        (fields.get("button_link"), _LINK, f"button_link has more than {LONGEST_LINK} characters"),
        (fields.get("forwarding_time"), _MINUTES, "an SMS is sent after 5 to 60 minutes"),
        (fields.get("d_schedule"), _SCHEDULE, "schedule_time is YYYY-MM-DD HH:MM"),
    )
    broken = [words for value, form, words in rules if value is not None and not form.fullmatch(value)]
    broken += [
        words
        for is_broken, words in (
            (kind == "TEXT" and "message" not in fields, "a TEXT message needs a text"),
            (kind == "TEXT" and (bool(image) or has_url), "a TEXT message has no image"),
            (kind == "IMAGE" and not image and not has_url, "an IMAGE message needs image or image_url"),
            (bool(image) and has_url, "either image or image_url is sent, not both"),
            (kind == "BUTTON" and not has_button, "a BUTTON message needs caption and button_link"),
        )
        if is_broken
    ]
    if broken:
        raise ValueError(broken[0])


def encode_form(fields: Mapping[str, str], *, token: str = "", image: bytes = b"", image_name: str = "") -> Form:
    """The body of one POST; the same fields give the same bytes.

    Args:
        fields: Documented names with their values, in order.
        token: The API key, put first; left out when empty.
        image: The bytes of an image to upload; without one the form is urlencoded.
        image_name: Its file name. What is no letter or digit of ASCII becomes `_`: servers differ in how they unquote.

    Raises:
        ValueError: A value is no Unicode (a lone surrogate).
    """
    if not image:
        # The token by itself: a value that breaks the encoding leaves none of it in the variables of a traceback.
        plain = urlencode(fields).encode("ascii")
        if not token:
            return Form(URLENCODED, plain)
        return Form(URLENCODED, SecretBytes(b"&".join((urlencode({"token": token}).encode("ascii"), *filter(None, [plain])))))
    name = _UNNAMEABLE.sub("_", image_name) or "image"
    kind = next((kind for start, kind in _IMAGE_TYPES if image.startswith(start)), "application/octet-stream")
    parts = [_part(f'name="{field}"', value.encode("utf-8")) for field, value in fields.items()]
    parts.append(_part(f'name="image"; filename="{name}"\r\nContent-Type: {kind}', image))
    boundary = _boundary(b"".join(parts))
    if token:
        parts.insert(0, SecretBytes(_part('name="token"', SecretBytes(token.encode("utf-8")))))
    line = f"--{boundary}".encode("ascii")
    body = b"".join((*(piece for part in parts for piece in (line, b"\r\n", part, b"\r\n")), line, b"--\r\n"))
    return Form(f"multipart/form-data; boundary={boundary}", SecretBytes(body) if token else body)


def _content_fields(content: Mapping[str, str]) -> dict[str, str]:
    if unknown := set(content) - _CONTENT_KEYS:
        raise ValueError(f"content has keys that the API does not know: {', '.join(sorted(unknown))}")
    kind = content.get("type", "").upper()
    if kind not in TYPES:
        raise ValueError("the type of content is text, image or button")
    fields = {
        "type_message": kind,
        "message": content.get("text", ""),
        "image_url": content.get("image_url", ""),
        "button": content.get("caption", ""),
        "button_link": content.get("button_link", ""),
    }
    return {name: value for name, value in fields.items() if value}


def _part(head: str, value: bytes) -> bytes:
    return b"Content-Disposition: form-data; %b\r\n\r\n%b" % (head.encode("ascii"), value)


def _boundary(content: bytes) -> str:
    """A boundary made of what it separates, so that it is the same again, and occurs nowhere in it.

    The token is no part of it: a header says nothing about a secret. Nor can it hold one: it would have to hold the hash.
    """
    boundary = hashlib.sha256(content).hexdigest()
    while boundary.encode("ascii") in content:  # nobody has ever seen this
        boundary = hashlib.sha256(boundary.encode("ascii")).hexdigest()
    return boundary
