"""Where a run over an audience stood at the end of its file: a longer file of the same beginning goes on from there.

The operator keeps these bytes in its cache and hands them back; they are trusted no more than the child that made them, and only
for the very definitions, settings and claims that they were made with (docs/decisions/0024-a-longer-audience.md).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from campaignkit.compiler.seen import Seen
from campaignkit.compiler.tally import Figures, RowProblems, Tallies
from campaignkit.protocol.codec import decode, encode

_LENGTH: Final = struct.Struct("<I")
PIECE: Final = 1 << 20


@dataclass(slots=True, kw_only=True)
class Stand:
    """What a run came to, before what stands twice was settled; `size`, `sha256` and `lines` are those of the file that was read."""

    figures: Figures
    problems: RowProblems
    tallies: Tallies
    size: int = 0
    sha256: str = ""
    lines: int = 0


class Snapshot(NamedTuple):
    """Where a run over an audience stood."""

    stand: Stand
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What goes before the columns of phones, and how long they are."""

    stand: Stand
    first: int
    later: int


def pack(snapshot: Snapshot) -> Iterator[bytes]:
    """The bytes of a snapshot, in pieces."""
    seen = snapshot.seen
    head = encode(_Head(stand=snapshot.stand, first=len(seen.first), later=len(seen.later)))
    yield _LENGTH.pack(len(head)) + head
    for columns in (seen.first, seen.later):
        for column in columns.columns():
            data = memoryview(column).cast("B")
            for at in range(0, len(data), PIECE):
                yield bytes(data[at : at + PIECE])


def read_stand(data: bytes) -> Stand:
    """What a snapshot says of itself, before its columns are read.

    Raises:
        MessageError: It says nothing.
    """
    return _head(data).stand


def unpack(data: bytes) -> Snapshot:
    """A snapshot from its bytes.

    Raises:
        MessageError: It says nothing of itself.
        ValueError: Its columns are not whole.
    """
    head = _head(data)
    return Snapshot(head.stand, Seen.again_from(memoryview(data)[_columns_at(data) :], head.first, head.later))


def _head(data: bytes) -> _Head:
    return decode(_Head, data[_LENGTH.size : _columns_at(data)])


def _columns_at(data: bytes) -> int:
    return _LENGTH.size + int.from_bytes(data[: _LENGTH.size], "little")
