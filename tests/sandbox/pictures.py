"""The smallest pictures there are."""

from __future__ import annotations

import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0")
PNG = SIGNATURE + HEADER + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")

_APP0 = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
_FRAME = b"\xff\xc0\x00\x0b\x08\0\1\0\1\1\1\x11\0"
_SCAN = b"\xff\xda\x00\x08\1\1\0\0\x3f\0\x7f\xff\0"
JPEG = b"\xff\xd8" + _APP0 + _FRAME + _SCAN + b"\xff\xd9"
