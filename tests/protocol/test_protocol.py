"""What crosses between the processes: chunks, messages, frames, each held to its shape and bounds."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.model.mailings import LIST_PHONE
from campaignkit.protocol.codec import MessageError, decode, encode
from campaignkit.protocol.frames import LARGEST, Channel, ChannelClosedError
from campaignkit.protocol.messages import CHUNK_ROWS, Chunk, Done, FileHead, Index, MailingEnd, MailingHead, Select

phones = st.integers(1, 999_999_999_999_999)
people = st.lists(st.tuples(phones, st.binary(min_size=16, max_size=16), st.binary(max_size=30)), max_size=20)


def chunk(rows: list[tuple[int, bytes, bytes]], *, elements: bool) -> Chunk:
    return Chunk(
        array("q", [row[0] for row in rows]),
        b"".join(row[1] for row in rows),
        array("I", [len(row[2]) for row in rows] if elements else []),
        b"".join(row[2] for row in rows) if elements else b"",
    )


@settings(deadline=None)
@given(people, st.booleans())
def test_a_chunk_comes_back_equal(rows: list[tuple[int, bytes, bytes]], elements: bool) -> None:
    one = chunk(rows, elements=elements)
    assert Chunk.unpack(one.pack()) == one


@settings(deadline=None)
@given(people, st.booleans(), st.data())
def test_a_chunk_that_lost_or_gained_bytes_is_refused(rows: list[tuple[int, bytes, bytes]], elements: bool, data: st.DataObject) -> None:
    packed = chunk(rows, elements=elements).pack()
    cut = data.draw(st.integers(0, len(packed) - 1))
    for wrong in (packed[:cut], packed + b"x"):
        with pytest.raises(ValueError, match="chunk"):
            Chunk.unpack(wrong)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_chunk_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        found = Chunk.unpack(data)
        assert len(found.fingerprints) == 16 * len(found.phones)
        assert sum(found.lengths) == len(found.elements)


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (struct.pack("<III", 2, 0, 0) + struct.pack("<qq", 0, 1) + bytes(32), "the phone of a list among others"),
        (struct.pack("<III", 1, 0, 0) + struct.pack("<q", -5) + bytes(16), "negative phone"),
        (struct.pack("<III", 1, 0, 0) + struct.pack("<q", 10**15) + bytes(16), "16 digits"),
        (struct.pack("<III", 1, 1, 2) + struct.pack("<q", 5) + bytes(16) + struct.pack("<I", 3) + b"ab", "lengths beyond the bytes"),
        (struct.pack("<III", 2, 1, 2) + struct.pack("<qq", 5, 6) + bytes(32) + struct.pack("<I", 2) + b"ab", "fewer lengths than people"),
        (struct.pack("<III", 0, 0, 1) + b"a", "elements of nobody"),
        (
            struct.pack("<III", CHUNK_ROWS + 1, 0, 0) + struct.pack("<q", 5) * (CHUNK_ROWS + 1) + bytes(16) * (CHUNK_ROWS + 1),
            "too many people",
        ),
        (struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF), "a head of lies"),
    ],
)
def test_columns_that_disagree_are_refused(packed: bytes, why: str) -> None:
    with pytest.raises(ValueError, match="chunk"):
        Chunk.unpack(packed)
    assert why


@pytest.mark.parametrize("elements", [b"", b'"list"'])
def test_a_list_is_the_only_one_of_its_chunk(elements: bytes) -> None:
    lengths = [len(elements)] if elements else []
    one = Chunk(array("q", [LIST_PHONE]), bytes(16), array("I", lengths), elements)
    assert Chunk.unpack(one.pack()) == one
    for phones in ([LIST_PHONE, LIST_PHONE], [375291111111, LIST_PHONE]):
        with pytest.raises(ValueError, match="chunk"):
            Chunk.unpack(Chunk(array("q", phones), bytes(32), array("I"), b"").pack())


INDEX = MailingHead(name="m", revision=1, line=3, moved_from="")


@pytest.mark.parametrize(
    "message",
    [
        INDEX,
        Index(campaigns=()),
        Select(paths=("a.yaml", "я.yaml"), environment="sandbox", check=True, elements=False),
        Done(suppressions=""),
        FileHead(path="\u2028\"'\\\n"),
    ],
)
def test_a_message_comes_back_equal(message: object) -> None:
    assert decode(type(message), encode(message)) == message


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff", b'"Done"', b"{}", b'{"suppressions": 5}', b'{"suppressions": null}', b'{"suppressions": ["a"]}',
        b'{"suppressions": "a", "more": 1}', b'{"Suppressions": "a"}', b"[" * 100_000, b'{"suppressions": "' + b"a" * 1_000_001 + b'"}',
    ],
)  # fmt: skip
def test_what_does_not_fit_its_type_is_refused(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode(Done, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """Every kind of field there is."""

    whole: int
    part: float
    yes: bool
    maybe: int | None
    names: tuple[str, ...]
    counts: dict[str, int]


MIXED = '{"whole": 1, "part": 2, "yes": true, "maybe": null, "names": ["a"], "counts": {"b": 2}}'


def test_whole_numbers_may_stand_for_fractions_and_null_for_what_may_lack() -> None:
    assert decode(Mixed, MIXED.encode()) == Mixed(whole=1, part=2.0, yes=True, maybe=None, names=("a",), counts={"b": 2})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"whole": 1', '"whole": true'), ('"whole": 1', '"whole": 1.0'), ('"whole": 1', '"whole": "1"'), ('"whole": 1', '"whole": null'),
        ('"part": 2', '"part": true'), ('"part": 2', '"part": NaN'), ('"part": 2', '"part": Infinity'), ('"part": 2', '"part": "2"'),
        ('"yes": true', '"yes": 1'), ('"maybe": null', '"maybe": "x"'), ('"names": ["a"]', '"names": "a"'),
        ('"names": ["a"]', '"names": [1]'),
        ('"names": ["a"]', '"names": {"a": 1}'), ('"counts": {"b": 2}', '"counts": {"b": "2"}'), ('"counts": {"b": 2}', '"counts": [2]'),
    ],
)  # fmt: skip
def test_nothing_is_guessed(old: str, new: str) -> None:
    assert old in MIXED
    with pytest.raises(MessageError):
        decode(Mixed, MIXED.replace(old, new).encode())


def test_more_items_than_there_may_be_are_refused() -> None:
    data = MIXED.replace('["a"]', "[" + '"a",' * 500_000 + '"a"]')
    with pytest.raises(MessageError, match="too long"):
        decode(Mixed, data.encode())


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers(0, 10**9), max_size=5), st.text(st.characters(codec="utf-8")))
def test_figures_of_a_mailing_come_back(hosts: dict[str, int], sample: str) -> None:
    hosts = {name: count for name, count in hosts.items() if not any("\ud800" <= c <= "\udfff" for c in name)}
    end = MailingEnd(
        rows=1, filtered=0, invalid=0, duplicate=0, suppressed=0, live=1, audience="", shortest=0, longest=9, characters=9,
        hosts=hosts, sample=sample, sample_link="", sample_phone=375291111111, outline="",
    )  # fmt: skip
    assert decode(MailingEnd, encode(end)) == end


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with Channel(one, timeout=5) as first, Channel(two, timeout=5) as second:
        yield first, second


def test_frames_keep_their_order_and_bytes(pair: tuple[Channel, Channel]) -> None:
    sender, receiver = pair
    frames = [(7, b""), (1, b"x"), (255, bytes(70_000)), (2, b"y" * 65_536), (3, b"z" * 3_000_000)]

    def send() -> None:
        for kind, payload in frames:
            sender.send(kind, payload)

    thread = threading.Thread(target=send)
    thread.start()
    assert [receiver.receive() for _ in frames] == frames
    thread.join()


def test_open_files_come_with_their_frames_in_order(pair: tuple[Channel, Channel], tmp_path: Path) -> None:
    sender, receiver = pair
    for number in range(30):
        path = tmp_path / str(number)
        path.write_text(str(number))
        with path.open() as stream:
            sender.send(2, b"%d" % number, file=stream.fileno())
    for number in range(30):
        assert receiver.receive() == (2, b"%d" % number)
        descriptor = receiver.take_file()
        assert descriptor is not None
        with os.fdopen(descriptor) as stream:
            assert stream.read() == str(number)
    assert receiver.take_file() is None


def test_a_file_nobody_took_is_closed_with_the_channel(tmp_path: Path) -> None:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    reading, writing = os.pipe()
    with Channel(one, timeout=5) as sender, Channel(two, timeout=5) as receiver:
        sender.send(2, b"", file=writing)
        os.close(writing)
        receiver.receive()
    assert os.read(reading, 1) == b""  # its last writer is gone
    os.close(reading)


def test_a_frame_too_large_is_neither_sent_nor_received() -> None:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with Channel(one, timeout=5) as sender, two:
        with pytest.raises(ChannelClosedError, match="too large"):
            sender.send(1, bytes(LARGEST + 1))
        two.sendall(struct.pack("<BI", 1, LARGEST + 1))
        with pytest.raises(ChannelClosedError, match="too large"):
            sender.receive()


@pytest.mark.parametrize("sent", [b"", b"\x01", struct.pack("<BI", 1, 5) + b"abcd"])
def test_a_side_that_hangs_up_in_a_frame_is_gone(sent: bytes) -> None:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with Channel(one, timeout=5) as channel:
        two.sendall(sent)
        two.close()
        with pytest.raises(ChannelClosedError, match="closed the channel"):
            channel.receive()
        with pytest.raises(ChannelClosedError):
            channel.send(1, b"x")


def test_a_silent_side_is_given_up() -> None:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with Channel(one, timeout=0.05) as channel, two, pytest.raises(ChannelClosedError, match="timed out"):
        channel.receive()
