"""Which bytes are a picture that can be sent."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.compiler.images import BadImageError, Picture, picture
from campaignkit.protocol.messages import LARGEST_IMAGE

from .pictures import jpeg, part, png, segment

WRONG_SUM = bytearray(png())
WRONG_SUM[20] ^= 1
EXIF = segment(0xE1, b"Exif\0\0" + jpeg(7, 7))


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (png(), Picture("png", 2, 3)),
        (png(800, 1, part(b"tEXt", b"a\0b")), Picture("png", 800, 1)),
        (png() + b"more", Picture("png", 2, 3)),
        (jpeg(), Picture("jpeg", 2, 3)),
        (jpeg(65535, 1), Picture("jpeg", 65535, 1)),
        *[(jpeg(4, 5, frame=frame), Picture("jpeg", 4, 5)) for frame in (0xC1, 0xC2, 0xC9, 0xCF)],
        (jpeg(2, 3, EXIF), Picture("jpeg", 2, 3)),
        (jpeg(2, 3, b"\xff\xff"), Picture("jpeg", 2, 3)),
        (jpeg(2, 3, b"\xff\x01\xff\xd7"), Picture("jpeg", 2, 3)),
        (jpeg() + b"\0\0SEFT", Picture("jpeg", 2, 3)),
        (png() + bytes(LARGEST_IMAGE - len(png())), Picture("png", 2, 3)),
    ],
)
def test_a_picture_is_known_with_its_size(data: bytes, wanted: Picture) -> None:
    assert picture(data) == wanted


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (png() + bytes(LARGEST_IMAGE + 1 - len(png())), "more than 2 MiB"),
        (b"GIF89a" + bytes(50), "neither PNG nor JPEG"),
        (b"RIFF\x30\0\0\0WEBPVP8 " + bytes(40), "neither PNG nor JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither PNG nor JPEG"),
        (b"\xff\xd8", "neither PNG nor JPEG"),
        (b"\x89PNG\r\r\n\x1a\n" + png()[8:], "neither PNG nor JPEG"),
        (png(0, 3), "no size"),
        (png(3, 0), "no size"),
        (jpeg(0, 3), "no size"),
        (jpeg(3, 0), "no size"),
        (png()[:8], "PNG is broken off"),
        (png()[:-12], "PNG is broken off"),
        (png()[:-1], "PNG is broken off"),
        (bytes(WRONG_SUM), "a checksum in it is wrong"),
        (png()[:8] + part(b"tEXt", b"") + png()[8:], "does not begin with its header"),
        (png()[:8] + part(b"IHDR", b"") + png()[8:], "does not begin with its header"),
        (png()[:33] + part(b"IEND", b""), "holds no picture"),
        (png()[:33] + struct.pack(">I", 0xFFFFFFFF) + b"IDAT" + bytes(20), "PNG is broken off"),
        (png(2, 3, part(b"tEXt", b"") * 20_000), "no end of parts"),
        (jpeg()[:-2], "JPEG is broken off"),
        (jpeg()[:50], "JPEG is broken off"),
        (b"\xff\xd8\xff\xe0", "JPEG is broken off"),
        (jpeg(2, 3, b"\x00"), "JPEG is damaged"),
        (jpeg(2, 3, b"\xff\xe1\0\1"), "JPEG is damaged"),
        (jpeg(2, 3, b"\xff\xd8"), "JPEG is damaged"),
        (jpeg(2, 3, b"\xff\xd9"), "JPEG is damaged"),
        (jpeg(2, 3, b"\xff\x00"), "JPEG is damaged"),
        (jpeg(2, 3, EXIF)[: len(jpeg()) + 20], "JPEG is broken off"),
        (jpeg(frame=0xC8), "no size"),
        (b"\xff\xd8" + b"\xff" * 1_000_000, "no end of parts"),
        (b"\xff\xd8" + b"\xff\xd0" * 1_000_000, "no end of parts"),
    ],
)
def test_anything_else_is_refused_with_its_reason(data: bytes, words: str) -> None:
    with pytest.raises(BadImageError, match=words):
        picture(data)


beginnings = st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", png(), jpeg()])


@settings(deadline=None)
@given(beginnings, st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_refused(start: bytes, rest: bytes) -> None:
    with contextlib.suppress(BadImageError):
        found = picture(start + rest)
        assert found.kind in {"png", "jpeg"}
        assert min(found.width, found.height) > 0


@settings(deadline=None)
@given(st.sampled_from([png(40, 2), jpeg(40, 2, EXIF)]), st.data())
def test_a_picture_that_is_cut_is_never_sent(data: bytes, draw: st.DataObject) -> None:
    with pytest.raises(BadImageError):
        picture(data[: draw.draw(st.integers(0, len(data) - 1))])


@settings(deadline=None)
@given(st.data())
def test_a_png_with_one_byte_changed_is_no_picture(draw: st.DataObject) -> None:
    data = bytearray(png(40, 2))
    data[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(BadImageError):
        picture(bytes(data))
