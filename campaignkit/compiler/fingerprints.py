"""Hashes that identify: what a person got, what an author defined.

A fingerprint is blake2b-128 over a version and length-prefixed fields, so that no two different messages share their
bytes; what is equal for all rows of a mailing is hashed once and copied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from campaignkit.model.mailings import FINGERPRINT_BYTES

_VERSION = b"campaignkit fingerprint 1"


def fingerprinter(
    *, message_type: str, content_type: str, sender: str, schedule: str, image: str, caption: str
) -> Callable[[Sequence[str], Sequence[str]], list[bytes]]:
    """A function from texts and links to their fingerprints, for one mailing; `schedule` is UTC or empty."""
    base = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
    for part in (
        _VERSION,
        *(field.encode() for field in (message_type, content_type, sender, schedule, image, caption)),
    ):
        base.update(b"%d:" % len(part) + part)
    copy = base.copy

    def fingerprints(texts: Sequence[str], links: Sequence[str]) -> list[bytes]:
        found = []
        for text, link in zip(map(str.encode, texts), map(str.encode, links), strict=True):
            hashed = copy()
            hashed.update(b"%d:%b%d:%b" % (len(text), text, len(link), link))
            found.append(hashed.digest())
        return found

    return fingerprints


class Fingerprinted(Protocol):
    """What of a mailing is the same for all who get it."""

    @property
    def fingerprint_kind(self) -> str:
        """How it is sent."""
        ...

    @property
    def content_type(self) -> str:
        """Text, image or button."""
        ...

    @property
    def sender(self) -> str:
        """Who sends it."""
        ...

    @property
    def schedule_utc(self) -> str:
        """When, in UTC; empty for at once."""
        ...

    @property
    def picture(self) -> str:
        """Which picture it shows."""
        ...

    @property
    def once(self) -> Mapping[str, str]:
        """Its rendered content."""
        ...


def fingerprints_of(mailing: Fingerprinted) -> Callable[[Sequence[str], Sequence[str]], list[bytes]]:
    """The function from texts and links to their fingerprints, for this mailing."""
    return fingerprinter(
        message_type=mailing.fingerprint_kind,
        content_type=mailing.content_type,
        sender=mailing.sender,
        schedule=mailing.schedule_utc,
        image=mailing.picture,
        caption=mailing.once.get("caption", ""),
    )


def canonical_digest(value: object) -> str:
    """SHA-256 over the canonical JSON of plain data: sorted keys, no white space, UTF-8."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
