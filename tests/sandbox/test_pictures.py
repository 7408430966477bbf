"""What is a picture is seen from its structure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.sandbox.pictures import picture_type

from .pictures import HEADER, JPEG, PNG, SIGNATURE, chunk


def test_whole_pictures_are_known() -> None:
    assert picture_type(PNG) == "png"
    assert picture_type(JPEG) == "jpeg"
    assert picture_type(JPEG[:2] + b"\xff" + JPEG[2:]) == "jpeg", "fill bytes may stand before a marker"


@pytest.mark.parametrize("picture", [PNG, JPEG], ids=["png", "jpeg"])
def test_one_that_is_cut_off_anywhere_is_none(picture: bytes) -> None:
    assert [length for length in range(len(picture)) if picture_type(picture[:length])] == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg/>",
        SIGNATURE + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
        SIGNATURE + chunk(b"IHDR", b"") + chunk(b"IEND", b""),
        SIGNATURE + HEADER,
        PNG[:20] + b"\xff" + PNG[21:],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff\xda\x00\x02\xff\xd9",
        b"\xff\xd8" + b"\xff\xe0\x00\x00" * 4,
    ],
)
def test_anything_else_is_none(content: bytes) -> None:
    assert picture_type(content) is None


@given(st.binary(max_size=80), st.sampled_from([b"", b"\xff\xd8", SIGNATURE, SIGNATURE + HEADER]))
def test_no_bytes_break_it(rest: bytes, start: bytes) -> None:
    assert picture_type(start + rest) in {None, "png", "jpeg"}
