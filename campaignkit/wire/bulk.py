"""The body of `sendBulkViber`, in the shape and key order of the documentation's sample.

Delivery elements arrive already encoded, joined by commas, from the process that renders: they are checked, and the
body is put together from bytes, so what was checked is what is sent.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from campaignkit.model.secret import SecretBytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONTENT_ORDER = ("type", "image_url", "button_link", "caption", "text")
_PERSONAL_KEYS = frozenset({("phone", "text"), ("phone", "text", "button_link"), ("phone", "button_link")})
_QUICK_KEYS = _PERSONAL_KEYS | {("phone",)}


def encode_batch(
    *,
    alphaname_id: str,
    name: str,
    message_type: str,
    content: Mapping[str, str],
    elements: bytes,
    schedule_time: str = "",
) -> bytes:
    """One element of `messages[]`.

    Args:
        alphaname_id: The sender; the sample writes ids as strings.
        name: From `wire.names.batch_name`.
        message_type: `personal` or `bulk`.
        content: The `content` object; its keys are put in the sample's order.
        elements: Encoded elements of `delivery_list`, joined by commas.
        schedule_time: `YYYY-MM-DDTHH:mm:ss` in the provider's zone; left out when empty.

    Raises:
        ValueError: `content` has a key that the sample has not, or a text is no Unicode (a lone surrogate).
    """
    if unknown := set(content) - set(_CONTENT_ORDER):
        raise ValueError(f"content has keys that the API does not know: {', '.join(sorted(unknown))}")
    head: dict[str, object] = {"alphaname_id": alphaname_id, "name": name, "message_type": message_type}
    if schedule_time:
        head["schedule_time"] = schedule_time
    head["content"] = {key: content[key] for key in _CONTENT_ORDER if key in content}
    return b"".join((_dumps(head)[:-1], b',"delivery_list":[', elements, b"]}"))


def encode_request(batches: Sequence[bytes], *, token: str = "", callback_url: str | None = None) -> bytes:
    """The whole body of one POST.

    Args:
        batches: Elements from `encode_batch`, in order.
        token: The API key, where the sample has it; left out when empty, as `compile` shows it.
        callback_url: Where the provider reports to; left out when there is none.
    """
    head: dict[str, object] = {}
    if token:
        head["token"] = token
    if callback_url:
        head["callback_url"] = callback_url
    opening = SecretBytes(_dumps(head)[:-1] + b"," if head else b"{")
    body = b"".join((opening, b'"messages":[', b",".join(batches), b"]}"))
    return SecretBytes(body) if token else body


def check_elements(joined: bytes, phones: Sequence[int], kind: str) -> None:
    """Check encoded delivery elements before they are sent: exactly these phones, in this order, documented keys only.

    They come from the child that parses what authors write; this is why it needs no trust. An object must have its
    keys once and in the sample's order, every value must be a string of valid Unicode.

    Args:
        joined: The elements, joined by commas.
        phones: The claimed phones; on the wire they are digits, foreign ones too without `+`.
        kind: `personal` or `bulk`; `quick`, which may also have no text; or `list`, which has one element that is a word.

    Raises:
        ValueError: Anything differs. The message holds no phone and no text.
    """
    if kind == "list":
        if joined != b'"list"' or list(phones) != [0]:
            raise ValueError("the delivery element of a list mailing is not the one there is")
        return
    try:
        # Objects become tuples of pairs: a key given twice stays visible, and lists stay apart from objects.
        elements = json.loads(b"".join((b"[", joined, b"]")).decode("utf-8"), object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"delivery elements are no JSON list: {type(error).__name__}") from None
    found = elements if kind == "bulk" else _personal_phones(elements, _QUICK_KEYS if kind == "quick" else _PERSONAL_KEYS)
    if found != list(map(str, phones)):
        raise ValueError("delivery elements are not exactly the claimed phones in their order")


def _personal_phones(elements: Sequence[object], keys: frozenset[tuple[str, ...]]) -> list[object]:
    shapes: set[object] = set()
    found: list[object] = []
    texts: list[object] = []
    for element in elements:
        if type(element) is not tuple or not element:
            raise ValueError(_MISSHAPEN)
        names, values = zip(*element, strict=True)
        shapes.add(names)
        found.append(values[0])
        texts += values[1:]
    if not shapes <= keys or not {*map(type, texts), *map(type, found)} <= {str}:
        raise ValueError(_MISSHAPEN)
    # An escape like \ud800 passes every JSON parser and is text to none: UnicodeEncodeError is a ValueError.
    "".join(cast("list[str]", texts)).encode("utf-8")
    return found


_MISSHAPEN = "a delivery element is not {phone, text?, button_link?} with strings only"


def _dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
