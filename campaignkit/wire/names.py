"""Batch names: what leads a status error, a callback or a search in the provider's cabinet back to one batch.

`spring-sale/invitation 2of7 ck-<26 base32 characters>`: ASCII, at most 100 characters, no colon (the provider writes
errors as `<name>: <text>`). Every name ends in a tag of one length, the third word of three: so no name is a prefix of
another.
"""

from __future__ import annotations

import base64
import re

LONGEST = 100
"""Characters of a name; the provider documents no limit, this is ours."""

TAG_BYTES = 17
"""Random bytes of a tag: 136 bits, of which 26 base32 characters keep 130."""

_TAG_CHARACTERS = 26
_MARK = "ck-"
PLACEHOLDER_TAG = _MARK + "0" * _TAG_CHARACTERS
"""Stands for a tag until apply makes one: of the same length, and never equal to one, since base32 has no zero."""

_PART = re.compile(r"[A-Za-z0-9._-]+")
_TAG = re.compile(r"ck-[a-z0-7]{26}")


def new_tag(random_bytes: bytes) -> str:
    """A batch's tag, made of randomness that the caller brings.

    Args:
        random_bytes: Exactly `TAG_BYTES` bytes of good randomness.

    Raises:
        ValueError: There are more or fewer bytes.
    """
    if len(random_bytes) != TAG_BYTES:
        raise ValueError(f"a tag is made of {TAG_BYTES} random bytes, not {len(random_bytes)}")
    return _MARK + base64.b32encode(random_bytes).decode("ascii")[:_TAG_CHARACTERS].lower()


def batch_name(campaign: str, mailing: str, number: int, of: int, tag: str) -> str:
    """The name of one batch on the wire.

    A name too long loses the ends of its campaign and mailing (a `~` shows it), never its figures or its tag.

    Args:
        campaign: Campaign id.
        mailing: Mailing name.
        number: Which batch of the mailing, from 1.
        of: How many batches it has.
        tag: From `new_tag`, or `PLACEHOLDER_TAG`.

    Raises:
        ValueError: A part breaks the form that makes names unambiguous.
    """
    if not (_PART.fullmatch(campaign) and _PART.fullmatch(mailing) and _TAG.fullmatch(tag)) or number < 1 or of < 1:
        raise ValueError("a batch name is made of a checked campaign id, a checked mailing name, figures from 1 and a tag")
    ending = f" {number}of{of} {tag}"
    room = LONGEST - len(ending) - 1
    share = room // 2
    # The shorter of the two leaves what it does not need to the longer one.
    campaign = _cut(campaign, max(share, room - len(mailing)))
    mailing = _cut(mailing, room - len(campaign))
    return f"{campaign}/{mailing}{ending}"


def _cut(part: str, limit: int) -> str:
    return part if len(part) <= limit else part[: limit - 1] + "~"
