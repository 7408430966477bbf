"""Where a run over an audience stood at the end of its file: a longer file of the same beginning goes on from there.

The operator keeps these bytes in its cache and hands them back; they are trusted no more than the child that made them, and only
for the very definitions, settings and claims that they were made with (docs/decisions/0024-a-longer-audience.md).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from campaignkit.compiler.seen import Seen
from campaignkit.compiler.tally import Figures, Occurrences, RowProblems, Tallies
from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.protocol.codec import decode, encode
from campaignkit.protocol.messages import DiagnosticMessage

_HEAD: Final = struct.Struct("<I")
PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What goes with the columns of phones; `size`, `sha256` and `lines` are those of the file that was read."""

    size: int
    sha256: str
    lines: int
    rows: int
    filtered: int
    suppressed: int
    live: int
    shortest: int
    longest: int
    characters: int
    hosts: dict[str, int]
    sample_text: str
    sample_link: str
    sample_phone: int
    invalid: int
    hidden: int
    problems: tuple[DiagnosticMessage, ...]
    odd: tuple[int, ...]
    empty: tuple[int, ...]
    long: tuple[int, ...]
    first: int
    later: int


@dataclass(slots=True, kw_only=True)
class Snapshot:
    """A run over an audience, before what stands twice in it was settled; `size`, `sha256` and `lines` are those of its file."""

    figures: Figures
    problems: RowProblems
    tallies: Tallies
    seen: Seen
    size: int = 0
    sha256: str = ""
    lines: int = 0


def pack(snapshot: Snapshot) -> Iterator[bytes]:
    """The bytes of a snapshot, in pieces."""
    figures, problems, seen = snapshot.figures, snapshot.problems, snapshot.seen
    text, link, phone = figures.sample
    head = encode(
        Stand(
            size=snapshot.size,
            sha256=snapshot.sha256,
            lines=snapshot.lines,
            rows=figures.rows,
            filtered=figures.filtered,
            suppressed=figures.suppressed,
            live=figures.live,
            shortest=figures.shortest,
            longest=figures.longest,
            characters=figures.characters,
            hosts=dict(figures.hosts),
            sample_text=text,
            sample_link=link,
            sample_phone=phone,
            invalid=problems.invalid,
            hidden=problems.hidden,
            problems=tuple(map(_message, problems.found)),
            odd=_numbers(snapshot.tallies.odd),
            empty=_numbers(snapshot.tallies.empty),
            long=_numbers(snapshot.tallies.long),
            first=len(seen.first),
            later=len(seen.later),
        )
    )
    yield _HEAD.pack(len(head)) + head
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
    return decode(Stand, data[_HEAD.size : _columns_at(data)])


def _columns_at(data: bytes) -> int:
    return _HEAD.size + int.from_bytes(data[: _HEAD.size], "little")


def unpack(data: bytes, *, skipping: bool) -> Snapshot:
    """A snapshot from its bytes.

    Raises:
        MessageError: It says nothing of itself.
        ValueError: Its columns are not whole.
    """
    head = read_stand(data)
    figures = Figures(
        rows=head.rows,
        filtered=head.filtered,
        suppressed=head.suppressed,
        live=head.live,
        shortest=head.shortest,
        longest=head.longest,
        characters=head.characters,
        hosts=Counter(head.hosts),
        sample=(head.sample_text, head.sample_link, head.sample_phone),
    )
    problems = RowProblems(skipping, [_diagnostic(found) for found in head.problems], head.invalid, head.hidden)
    return Snapshot(
        size=head.size,
        sha256=head.sha256,
        lines=head.lines,
        figures=figures,
        problems=problems,
        tallies=Tallies(_tally(head.odd), _tally(head.empty), _tally(head.long)),
        seen=Seen.again_from(memoryview(data)[_columns_at(data) :], head.first, head.later),
    )


def _numbers(tally: Occurrences) -> tuple[int, ...]:
    return (tally.count, *tally.rows)


def _tally(numbers: tuple[int, ...]) -> Occurrences:
    return Occurrences(numbers[0], list(numbers[1:]))


def _message(problem: Diagnostic) -> DiagnosticMessage:
    fields = asdict(problem.place)
    return DiagnosticMessage(severity=problem.severity, code=problem.code, message=problem.message, hint=problem.hint, **fields)


def _diagnostic(found: DiagnosticMessage) -> Diagnostic:
    place = Place(found.path, found.line, found.column, found.row, found.excerpt, found.width)
    return Diagnostic(Severity(found.severity), found.code, found.message, place, found.hint)
