"""A part of an audience on its way: a few hundred rows, a list for each thing that is known of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter
from typing import Final, NamedTuple

from campaignkit.audience.tables import BrokenTableError

PART_ROWS: Final = 250
"""More would gain little, and wait in memory."""


class Fault(NamedTuple):
    """Why one row can't be sent."""

    row: int
    line: int
    code: str
    message: str
    hint: str = ""


@dataclass(slots=True)
class Part:
    """Rows, column by column; a column that is not known yet is empty. `host` is that of every link, if they all have the same."""

    rows: list[int]
    lines: list[int]
    cells: list[Sequence[str]]
    phones: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    host: str | None = None

    @property
    def prints(self) -> Sequence[int]:
        """Half of each digest as a number: what tells messages to one phone apart."""
        return array("Q", b"".join(self.digests))[::2]

    def keep(self, chosen: Sequence[bool]) -> None:
        """Leave out every row for which False is given."""
        if not all(chosen):
            for name in _COLUMNS:
                setattr(self, name, list(compress(getattr(self, name), chosen)))

    def pick(self, positions: Sequence[int]) -> None:
        """Keep only the rows at these positions, given in their order."""
        if len(positions) != len(self.rows):
            for name in _COLUMNS:
                column = getattr(self, name)
                setattr(self, name, [column[at] for at in positions] if column else [])

    def values(self, names: Sequence[str], at: dict[str, int]) -> list[tuple[str, ...]]:
        """Of each row, the cells under these names."""
        indexes = [at[name] for name in names]
        if len(indexes) < 2:
            return [tuple(cells[index] for index in indexes) for cells in self.cells]
        return list(map(itemgetter(*indexes), self.cells))

    def fault(self, at: int, code: str, message: str, hint: str = "") -> Fault:
        """What is wrong with the row at a position."""
        return Fault(self.rows[at], self.lines[at], code, message, hint)


_COLUMNS = ("rows", "lines", "cells", "phones", "texts", "links", "digests")


def parts(rows: Iterator[tuple[int, Sequence[str]]], first: int = 1) -> Iterator[Part]:
    """An audience in parts, its rows counted from `first`; where the file breaks, the rows before that still come.

    Raises:
        BrokenTableError: It broke.
    """
    lines: list[int] = []
    cells: list[Sequence[str]] = []

    def part() -> Part:
        return Part(list(range(first, first + len(lines))), lines, cells)

    try:
        for line, found in rows:
            lines.append(line)
            cells.append(found)
            if len(lines) == PART_ROWS:
                yield part()
                first += PART_ROWS
                lines, cells = [], []
    except BrokenTableError:
        if lines:
            yield part()
        raise
    if lines:
        yield part()
