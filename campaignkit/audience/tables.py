"""Audience files, streamed: CSV, TSV and JSON Lines, row by row, never held.

A broken file (encoding, quotes, number of cells) is an error of the file, whatever `on_invalid` says: after the break
nobody knows which cell belongs to whom.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Protocol

LONGEST_CELL = 10_000
MOST_COLUMNS = 1_000
TALLEST_ROW = 50
"""Lines that one quoted row may span; an unbalanced quote swallows more."""

_KINDS = {".csv": "", ".tsv": "\t", ".jsonl": "json", ".ndjson": "json"}


class BrokenTableError(Exception):
    """The file can't be read on from here. `line` counts from 1, `row` counts data rows from 1; 0 means the whole file."""

    def __init__(self, code: str, message: str, *, line: int = 0, row: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.line, self.row, self.hint = code, message, line, row, hint


class Table(Protocol):
    """Rows of one audience, in file order."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns, in order."""
        ...

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The line each row begins on, and its cells in the order of `columns`; once only."""
        ...


def open_table(name: str, stream: IO[bytes], *, encoding: str | None, delimiter: str | None) -> Table:
    """The table in an open file.

    Args:
        name: The file's name; its ending tells the format.
        stream: The open file; not closed here.
        encoding: Declared encoding; None means UTF-8 with or without BOM.
        delimiter: Declared delimiter; None means the one that the header shows.

    Raises:
        BrokenTableError: The file has no readable header.
    """
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending not in _KINDS:
        hint = "save it from the spreadsheet as CSV UTF-8" if ending in {".xls", ".xlsx", ".ods"} else "rename it"
        raise BrokenTableError("CK302", f"audiences are .csv, .tsv or .jsonl files, not {ending or 'nameless'}", hint=hint)
    try:
        utf8 = encoding is None or codecs.lookup(encoding).name == "utf-8"  # which may begin with a BOM, declared or not
        text = io.TextIOWrapper(stream, encoding="utf-8-sig" if utf8 else encoding, errors="strict", newline="")
    except (LookupError, ValueError):  # a name with a NUL in it is no name at all
        raise BrokenTableError("CK303", f"there is no encoding {encoding!r}", hint="cp1251 and utf-8 are usual") from None
    if _KINDS[ending] == "json":
        return JsonLines(text, encoding)
    return Delimited(text, delimiter or _KINDS[ending] or None, encoding)


class Delimited:
    """CSV or TSV, strictly: quotes must balance and every row has as many cells as the header."""

    def __init__(self, text: io.TextIOWrapper, delimiter: str | None, encoding: str | None) -> None:
        self._text = text
        self._encoding = encoding
        csv.field_size_limit(LONGEST_CELL)
        first = _guarded(lambda: text.readline(1_000_000), encoding, 1)
        mark = delimiter or max(",;\t", key=first.count)
        quotes, height = first.count('"') % 2, 1
        while quotes and height < TALLEST_ROW and (more := _guarded(lambda: text.readline(1_000_000), encoding, 1)):
            first += more  # a header cell may hold a line break
            quotes, height = first.count('"') % 2, height + 1
        header_lines = first.count("\n") or 1
        try:
            header = next(csv.reader([first], delimiter=mark, strict=True), [])
        except csv.Error as error:
            raise BrokenTableError("CK304", f"the header is broken: {error}", line=1) from None
        self.columns: Sequence[str] = [name.strip() for name in header]
        _few_enough(header)
        if not any(self.columns):
            raise BrokenTableError("CK304", "the file is empty: its first line must name the columns", line=1)
        self._mark = mark
        self._reader = csv.reader(text, delimiter=mark, strict=True)
        self.lines = header_lines
        """Lines that were read."""
        self._rows = 0

    def go_on(self, stream: IO[bytes], *, lines: int, rows: int) -> None:
        """Go on in the middle of the file, in UTF-8, at the beginning of a line, after so many lines and rows."""
        self._text = io.TextIOWrapper(stream, encoding="utf-8", errors="strict", newline="")
        self._reader = csv.reader(self._text, delimiter=self._mark, strict=True)
        self.lines, self._rows = lines, rows

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The line each row begins on, and its cells; blank lines are passed over."""
        reader, width, offset = self._reader, len(self.columns), self.lines
        line, count = offset + 1, self._rows
        try:
            for cells in reader:
                begun, line = line, offset + reader.line_num + 1
                if len(cells) != width:
                    if not any(cells):
                        continue
                    message = f"the row has {len(cells)} cells, the header {width}"
                    hint = "a stray quote or delimiter? " + ("is the delimiter declared?" if width == 1 else "")
                    raise BrokenTableError("CK305", message, line=begun, row=count + 1, hint=hint.strip())
                if line - begun > TALLEST_ROW:
                    raise _swallowed(begun, count + 1)
                count += 1
                yield begun, cells
            self.lines = line - 1
        except csv.Error as error:
            if "field larger" in str(error) and offset + reader.line_num <= line:
                raise BrokenTableError("CK304", f"a cell has more than {LONGEST_CELL:,} characters", line=line, row=count + 1) from None
            if "field larger" in str(error) or "unexpected end" in str(error):
                raise _swallowed(line, count + 1) from None
            raise BrokenTableError("CK304", f"the row is broken: {error}", line=line, row=count + 1) from None
        except UnicodeError as error:
            raise _undecodable(error, self._encoding, line, count + 1) from None


class JsonLines:
    """One JSON object a line; the first one names the columns."""

    def __init__(self, text: io.TextIOWrapper, encoding: str | None) -> None:
        self._text, self._encoding = text, encoding
        self._first = _guarded(lambda: text.readline(1_000_000), encoding, 1)
        if not self._first.strip():
            raise BrokenTableError("CK304", "the file is empty: its first line must be an object", line=1)
        self.columns: Sequence[str] = list(self._object(self._first, 1))
        _few_enough(self.columns)

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The line of each object, and its values as text."""
        line, count = 1, 0
        source = self._first
        while source:
            if source.strip():
                count += 1
                found = self._object(source, line)
                if found.keys() != set(self.columns):
                    odd = sorted(set(self.columns) ^ found.keys())
                    message = f"the keys differ from the first object's: {', '.join(odd[:5])}"
                    raise BrokenTableError("CK305", message, line=line, row=count)
                yield line, [found[name] for name in self.columns]
            line += 1
            source = _guarded(lambda: self._text.readline(1_000_000), self._encoding, line)

    def _object(self, source: str, line: int) -> dict[str, str]:
        try:
            found = json.loads(source, object_pairs_hook=_once, parse_int=str, parse_float=str)
        except (ValueError, RecursionError) as error:
            raise BrokenTableError("CK304", f"this is no JSON: {str(error)[:100]}", line=line) from None
        if not isinstance(found, dict):
            raise BrokenTableError("CK304", "each line must be one JSON object", line=line)
        return {key: _as_text(key, value, line) for key, value in found.items()}


def _few_enough(columns: Sequence[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise BrokenTableError("CK304", f"{len(columns):,} columns are named; at most {MOST_COLUMNS:,} are read", line=1)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = {key.strip(): value for key, value in pairs}
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    if any("\ud800" <= character <= "\udfff" for key in found for character in key):
        raise ValueError("half a surrogate pair is no character")
    return found


def _as_text(key: str, value: object, line: int) -> str:
    if isinstance(value, str):  # numbers too: they are kept as written
        if len(value) > LONGEST_CELL:
            raise BrokenTableError("CK304", f"a value has more than {LONGEST_CELL:,} characters", line=line)
        return value
    if value is None:
        return ""
    raise BrokenTableError("CK304", f"the value of {str(key)[:40]!r} is neither text nor a number", line=line)


def _guarded(read: Callable[[], str], encoding: str | None, line: int) -> str:
    try:
        return read()
    except UnicodeError as error:
        raise _undecodable(error, encoding, line, 0) from None


def _undecodable(error: UnicodeError, encoding: str | None, line: int, row: int) -> BrokenTableError:
    if not isinstance(error, UnicodeDecodeError):  # some codecs say no more than that
        return BrokenTableError("CK303", f"the file is not {encoding}", line=line, row=row, hint="declare the right encoding")
    around = bytes(error.object[max(0, error.start - 12) : error.start + 24])
    sample = " ".join(around.decode("cp1251", "replace").split())
    message = f"the file is not {encoding or 'UTF-8'} (near line {line})"
    hint = f"if {sample!r} reads right, declare: encoding: cp1251" if encoding is None else "declare the right encoding"
    return BrokenTableError("CK303", message, line=line, row=row, hint=hint)


def _swallowed(line: int, row: int) -> BrokenTableError:
    hint = 'a " that is part of the text is written twice: ""'
    return BrokenTableError(
        "CK304",
        "a quote opens in this row and is not closed: it swallows the rows below",
        line=line,
        row=row,
        hint=hint,
    )
