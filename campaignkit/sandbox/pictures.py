"""Whether an upload is a whole PNG or JPEG, by its structure; no pixel is looked at."""

from __future__ import annotations

import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
# Markers without a length: TEM and the restarts.
_BARE = {0x01, *range(0xD0, 0xD8)}
# The starts of a frame: without one there is no picture.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SCAN, _END = 0xDA, 0xD9


def picture_type(content: bytes) -> str | None:
    """`png` or `jpeg`; nothing for anything else, and for one that is cut off."""
    if content.startswith(_PNG):
        return "png" if _is_png(content) else None
    if content.startswith(_JPEG):
        return "jpeg" if _is_jpeg(content) else None
    return None


def _is_png(content: bytes) -> bool:
    at, first = len(_PNG), True
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        kind, end = content[at + 4 : at + 8], at + 12 + size
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            return False
        if first and (kind != b"IHDR" or size != 13):
            return False
        if kind == b"IEND":
            return True
        at, first = end, False
    return False


def _is_jpeg(content: bytes) -> bool:
    at, framed = len(_JPEG), False
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker == _SCAN:
            return framed and bytes((0xFF, _END)) in content[at:]
        else:
            framed = framed or marker in _FRAMES
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return False
