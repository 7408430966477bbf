"""Local pictures: whether some bytes are a PNG or JPEG that can be sent, told by their structure alone.

The provider documents no format and no size; its samples are JPEG, and it is known to answer "Optimal image size 800x800 px". Other
Viber gateways take PNG and JPEG.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from campaignkit.protocol.messages import LARGEST_IMAGE

OPTIMAL_SIDE = 800
"""Pixels; larger pictures are warned of."""

_PNG = b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers that begin a frame, and with it tell the size."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN, _END = 0xDA, 0xD9
_NEVER = frozenset({0x00, 0xD8, _END})
"""What no part before the scan begins with."""
_MOST_PARTS = 10_000
"""Far above any real file of this size, so that one built of tiny parts takes no time."""


class BadImageError(ValueError):
    """The bytes are no picture that can be sent; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture is: `png` or `jpeg`, and its pixels."""

    kind: str
    width: int
    height: int


def picture(data: bytes) -> Picture:
    """Look at a whole file.

    Raises:
        BadImageError: It is empty, too large, neither PNG nor JPEG, or broken off.
    """
    if not data:
        raise BadImageError("the file is empty")
    if len(data) > LARGEST_IMAGE:
        raise BadImageError(f"the file has more than {LARGEST_IMAGE >> 20} MiB")
    if data.startswith(_PNG):
        found = _png(data)
    elif data.startswith(b"\xff\xd8\xff"):
        found = _jpeg(data)
    else:
        raise BadImageError("the file is neither PNG nor JPEG")
    if not (found.width and found.height):
        raise BadImageError("the picture has no size")
    return found


def _png(data: bytes) -> Picture:
    at, size, drawn = len(_PNG), (0, 0), False
    for _ in range(_MOST_PARTS):
        if at + 12 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        if struct.unpack_from(">I", data, end - 4)[0] != zlib.crc32(data[at + 4 : end - 4]):
            raise BadImageError("the PNG is damaged: a checksum in it is wrong")
        if at == len(_PNG):
            if kind != b"IHDR" or length != 13:
                raise BadImageError("the PNG does not begin with its header")
            size = struct.unpack_from(">II", data, at + 8)
        drawn |= kind == b"IDAT"
        if kind == b"IEND":
            if not drawn:
                raise BadImageError("the PNG holds no picture")
            return Picture("png", *size)
        at = end
    else:
        raise BadImageError("the PNG is damaged: it has no end of parts")
    raise BadImageError("the PNG is broken off")


def _jpeg(data: bytes) -> Picture:
    at, size = 2, (0, 0)
    for _ in range(_MOST_PARTS):
        if at + 4 > len(data):
            raise BadImageError("the JPEG is broken off")
        marker = data[at + 1]
        if data[at] != 0xFF or marker in _NEVER:
            raise BadImageError("the JPEG is damaged")
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        if length < 2:
            raise BadImageError("the JPEG is damaged")
        if marker in _FRAMES and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = (width, height)
        at += 2 + length
        if marker == _SCAN:
            # Phones put more behind the end; in a scan the two bytes of an end stand for nothing else.
            if data.find(bytes((0xFF, _END)), at) < 0:
                raise BadImageError("the JPEG is broken off")
            return Picture("jpeg", *size)
    raise BadImageError("the JPEG is damaged: it has no end of parts")
