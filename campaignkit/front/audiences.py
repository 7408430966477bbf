"""The rows of one mailing, wherever they stand: in an open file, or in the campaign file itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from campaignkit.audience.tables import BrokenTableError, Delimited, Table, open_table
from campaignkit.compiler.definitions import MailingDefinition
from campaignkit.compiler.snapshots import Snapshot, Stand, read_stand, unpack
from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.front.files import HashedFile, unclosed


@dataclass(slots=True)
class OpenAudience:
    """An audience whose file is open (or that needs none)."""

    mailing: MailingDefinition
    path: str
    file: HashedFile | None


@dataclass(frozen=True, slots=True)
class InlineTable:
    """Rows written in the campaign file."""

    columns: Sequence[str]
    cells: Sequence[Sequence[str]]
    lines: Sequence[int]

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The line each row begins on, and its cells."""
        yield from zip(self.lines, self.cells, strict=True)


def table_of(audience: OpenAudience) -> Table:
    """The rows, from the beginning.

    Raises:
        BrokenTableError: They can't be read.
    """
    fields = audience.mailing.audience
    if audience.file is None:
        return _inline(audience.mailing)
    audience.file.rewind()
    return open_table(audience.path, unclosed(audience.file), encoding=fields.get("encoding"), delimiter=fields.get("delimiter"))


SNAPSHOT_FROM = 1 << 20
"""Bytes of a file from which on it is worth while to remember where a run over it stood."""


def can_go_on(audience: OpenAudience) -> bool:
    """Whether a longer file of the same beginning can be gone on with: CSV in UTF-8, of which each row has a fate of its own."""
    fields = audience.mailing.audience
    return audience.file is not None and fields.get("encoding") in {None, "utf-8"} and fields.get("on_conflict") != "skip"


def table_after(audience: OpenAudience, stand: Stand) -> Table | None:
    """The rows after those that an earlier run has seen; None if the file begins otherwise than it did then."""
    table, file = table_of(audience), audience.file
    if file is None or not isinstance(table, Delimited) or not file.skip_to(stand.size) or file.passed() != stand.sha256:
        return None
    table.go_on(unclosed(file), lines=stand.lines, rows=stand.figures.rows)
    return table


def going_on(audience: OpenAudience, kept: bytes) -> tuple[Table, Snapshot | None]:
    """The rows that are left after those of an earlier run, and where that stood; or all of them.

    Raises:
        BrokenTableError: They can't be read.
    """
    if kept and (after := table_after(audience, read_stand(kept))) is not None:
        return after, unpack(kept)
    return table_of(audience), None


def stands_at(audience: OpenAudience, table: Table, stand: Stand) -> bool:
    """Write down where the file ended; False if it is too short, or ends in the middle of a line."""
    file = audience.file
    if file is None or not isinstance(table, Delimited) or file.size < SNAPSHOT_FROM or not file.ends_a_line:
        return False
    stand.size, stand.sha256, stand.lines = file.size, file.passed(), table.lines
    return True


def place_in(audience: OpenAudience) -> Callable[[int, int], Place]:
    """A function from line and row to the place: no excerpt of a file, since its rows are personal data."""
    if audience.file is not None:
        return lambda line, row: Place(audience.path, line, 0, row)
    document, mailing = audience.mailing.document, audience.mailing
    key = "phones" if "phones" in mailing.audience else "rows"

    def inline(_line: int, row: int) -> Place:
        found = document.place((*mailing.pointer, "audience", key, row - 1))
        return Place(found.path, found.line, found.column, row)

    return inline


def broken(audience: OpenAudience, error: BrokenTableError) -> Diagnostic:
    """A broken table as a diagnostic."""
    return Diagnostic(Severity.ERROR, error.code, error.message, Place(audience.path, error.line, 0, error.row), error.hint)


def _inline(mailing: MailingDefinition) -> InlineTable:
    fields: dict[str, Any] = mailing.audience
    base = (*mailing.pointer, "audience")
    place, text = mailing.document.place, mailing.document.text
    if "phones" in fields:
        name = str(fields.get("phone", "phone"))
        lines = [place((*base, "phones", index)).line for index in range(len(fields["phones"]))]
        return InlineTable([name], [[text(*base, "phones", index)] for index in range(len(lines))], lines)
    rows = fields["rows"]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [place((*base, "rows", index)).line for index in range(len(rows))]
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        missing = [name for name in columns if name not in row]
        if missing:
            raise BrokenTableError(
                "CK305",
                f"the row lacks {', '.join(missing[:5])}",
                line=line,
                row=number,
                hint='give every row the same keys; "" for nothing',
            )
    return InlineTable(columns, [[text(*base, "rows", index, name) for name in columns] for index in range(len(rows))], lines)
