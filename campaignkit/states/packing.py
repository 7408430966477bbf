"""How the people of one batch lie in bytes: a column each, one value after another, so that a batch is one row."""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from campaignkit.model.mailings import FINGERPRINT_BYTES

PHONE_BYTES = 8
ByteOrder = Literal["little", "big"]


def pack_phones(phones: Iterable[int], *, machine: ByteOrder = sys.byteorder) -> bytes:
    """Phones as little-endian 8-byte integers, whichever end this machine puts first; OverflowError beyond 63 bits."""
    packed = array("q", phones)
    if machine == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_phones(packed: bytes, *, machine: ByteOrder = sys.byteorder) -> Sequence[int]:
    """The phones of a batch, in its order; ValueError if the bytes are no whole number of phones."""
    phones = array("q")
    phones.frombytes(packed)
    if machine == "big":
        phones.byteswap()
    return phones


def unpack_fingerprints(packed: bytes) -> list[bytes]:
    """The fingerprints of a batch, in its order."""
    return [packed[start : start + FINGERPRINT_BYTES] for start in range(0, len(packed), FINGERPRINT_BYTES)]


def count_people(phones: bytes, fingerprints: bytes) -> int:
    """How many people two columns hold; ValueError if they are empty or hold different numbers."""
    count, rest = divmod(len(phones), PHONE_BYTES)
    if not count or rest or len(fingerprints) != count * FINGERPRINT_BYTES:
        raise ValueError(f"a batch needs whole columns: {len(phones)} bytes of phones, {len(fingerprints)} of prints")
    return count


def pack_histogram(statuses: bytes) -> bytes:
    """How often each status byte occurs: five bytes each, the status and its little-endian count."""
    counts = sorted(Counter(statuses).items())
    return b"".join(bytes((status,)) + count.to_bytes(4, "little") for status, count in counts)


def unpack_histogram(packed: bytes) -> dict[int, int]:
    """The counts by status byte."""
    return {packed[i]: int.from_bytes(packed[i + 1 : i + 5], "little") for i in range(0, len(packed), 5)}
