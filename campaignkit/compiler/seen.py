"""Which phones an audience has named, in packed columns: a dictionary of a million of them takes a hundred megabytes more."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

_FIRST: Final = 375_250_000_000
_SPAN: Final = 200_000_000
"""The mobile numbers of Belarus: a bit for each, in pages that are made when the first of their phones comes."""
_PAGE_BYTES: Final = 1 << 13
_FIRST_SIZE: Final = 1 << 12
_AT_ONCE: Final = 1 << 16
"""Rows whose first namesakes are looked up in one pass over all phones."""


@dataclass(frozen=True, slots=True)
class Again:
    """A row whose phone an earlier row has; `same` tells whether the content is the same, too."""

    row: int
    line: int
    phone: int
    same: bool
    first_row: int


class Seen:
    """Phones in the order of their first rows, with what their messages are known by.

    That a phone stands again is seen at once; with what content it stood before is looked up for all of them at the end
    (`again`), in one pass: for the two rows of a hundred that ask, no index is worth its room.
    """

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}
        self._others = _Table()
        self.first = Columns(with_lines=False)
        self.later = Columns(with_lines=True)

    @classmethod
    def again_from(cls, data: memoryview, first: int, later: int) -> Self:
        """What was seen, from the bytes of both kinds of columns, of so many rows; ValueError if they are not whole."""
        seen = cls()
        rest = seen.later.fill(seen.first.fill(data, first), later)
        if len(rest):
            raise ValueError("more than the columns")
        seen._mark(seen.first.phones)
        return seen

    def sift(self, phones: Sequence[int], prints: Sequence[int], rows: Sequence[int], lines: Sequence[int]) -> list[int]:
        """Take a part of the audience, column by column; returns the positions of the phones that were not seen before."""
        fresh = self._mark(phones)
        if len(fresh) == len(phones):
            self.first.take(phones, prints, rows, lines)
            return fresh
        new = set(fresh)
        stale = [at for at in range(len(phones)) if at not in new]
        for columns, chosen in ((self.first, fresh), (self.later, stale)):
            columns.take(*([column[at] for at in chosen] for column in (phones, prints, rows, lines)))
        return fresh

    def _mark(self, phones: Sequence[int]) -> list[int]:
        """Remember phones; returns the positions of those that are new."""
        pages, others = self._pages, self._others
        fresh: list[int] = []
        for at, phone in enumerate(phones):
            offset = phone - _FIRST
            if 0 <= offset < _SPAN:
                page = pages.get(offset >> 16)
                if page is None:
                    page = pages[offset >> 16] = bytearray(_PAGE_BYTES)
                place, bit = (offset >> 3) & (_PAGE_BYTES - 1), 1 << (offset & 7)
                if page[place] & bit:
                    continue
                page[place] |= bit
            elif not others.add(phone):
                continue
            fresh.append(at)
        return fresh

    def again(self) -> Iterator[Again]:
        """Every row whose phone an earlier one has, in their order."""
        first, later = self.first, self.later
        for start in range(0, len(later.phones), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            wanted = set(later.phones[part])
            found = {
                phone: (print_, row)
                for phone, print_, row in zip(first.phones, first.prints, first.rows, strict=True)
                if phone in wanted
            }  # fmt: skip
            for phone, print_, row, line in zip(
                later.phones[part], later.prints[part], later.rows[part], later.lines[part], strict=True
            ):  # fmt: skip
                print_before, row_before = found[phone]
                yield Again(row, line, phone, print_ == print_before, row_before)


class Columns:
    """What is known of some rows: 20 bytes each, and 4 for their lines where those are asked for."""

    __slots__ = ("_columns", "lines", "phones", "prints", "rows")

    def __init__(self, *, with_lines: bool) -> None:
        self.phones, self.prints = array("q"), array("Q")
        self.rows, self.lines = array("I"), array("I")
        self._columns = (self.phones, self.prints, self.rows, self.lines)[: 4 if with_lines else 3]

    def __len__(self) -> int:
        return len(self.phones)

    def columns(self) -> tuple[array[int], ...]:
        """All of them."""
        return self._columns

    def take(self, *values: Sequence[int]) -> None:
        """Add rows: phones, prints, rows and lines of them."""
        for column, more in zip(self._columns, values, strict=False):  # lines that nobody asks for are left
            column.extend(more)

    def fill(self, data: memoryview, rows: int) -> memoryview:
        """Take so many rows from bytes, column by column; returns the rest. ValueError if there are too few."""
        for column in self._columns:
            end = rows * column.itemsize
            if len(data) < end:
                raise ValueError("less than a column")
            column.frombytes(data[:end])
            data = data[end:]
        return data


class _Table:
    """Any phones, by open addressing: one stands in the first free slot from `phone % len(slots)` on, 0 is a free slot."""

    __slots__ = ("count", "slots")

    def __init__(self) -> None:
        self.count = 0
        self.slots = _empty(_FIRST_SIZE)

    def add(self, phone: int) -> bool:
        """Add a phone; False if it is there already."""
        if not _put(self.slots, phone):
            return False
        self.count += 1
        if 3 * self.count > 2 * len(self.slots):
            slots = _empty(2 * len(self.slots))
            for known in filter(None, self.slots):
                _put(slots, known)
            self.slots = slots
        return True


def _put(slots: array[int], phone: int) -> bool:
    size = len(slots)
    at = phone % size
    while known := slots[at]:
        if known == phone:
            return False
        at = at + 1 if at + 1 < size else 0
    slots[at] = phone
    return True


def _empty(size: int) -> array[int]:
    # Odd, so that phones whose last digits are alike are spread all the same.
    return array("q", bytes(8 * (size | 1)))
