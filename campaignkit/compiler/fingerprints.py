"""Hashes that identify: what a person got, what an author defined.

A fingerprint is blake2b-128 over a version and length-prefixed fields, so that no two different messages share their
bytes; what is equal for all rows of a mailing is hashed once and copied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from campaignkit.protocol.messages import FINGERPRINT_BYTES

_VERSION = b"campaignkit fingerprint 1"


def fingerprinter(
    *, message_type: str, content_type: str, sender: str, schedule: str, image: str, caption: str
) -> Callable[[bytes, bytes], bytes]:
    """A function from (text, link) to the fingerprint, for one mailing; `schedule` is UTC or empty."""
    base = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
    for part in (
        _VERSION,
        *(field.encode() for field in (message_type, content_type, sender, schedule, image, caption)),
    ):
        base.update(b"%d:" % len(part) + part)
    copy = base.copy

    def fingerprint(text: bytes, link: bytes) -> bytes:
        hashed = copy()
        hashed.update(b"%d:%b%d:%b" % (len(text), text, len(link), link))
        return hashed.digest()

    return fingerprint


def canonical_digest(value: object) -> str:
    """SHA-256 over the canonical JSON of plain data: sorted keys, no white space, UTF-8."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
