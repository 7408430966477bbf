"""Pictures made byte by byte, so that they can be spoilt byte by byte."""

from __future__ import annotations

import struct
import zlib


def part(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 3, *more: bytes) -> bytes:
    """A black PNG, with further chunks before its pixels."""
    head = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = part(b"IDAT", zlib.compress(bytes((3 * width + 1) * height)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + pixels + part(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    """A marker of a JPEG with its data."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(width: int = 2, height: int = 3, *more: bytes, frame: int = 0xC0) -> bytes:
    """The structure of a grey JPEG, with further segments before its frame; its scan is a few bytes."""
    head = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    table = segment(0xDB, bytes(65))
    size = segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    codes = segment(0xC4, bytes(17))
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + head + table + b"".join(more) + size + codes + scan + b"\xff\xd9"
