"""A YAML file as plain data plus where every value and key stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from campaignkit.diagnostics import Place

Pointer = tuple[str | int, ...]
"""Where a value stands in the tree: keys and indexes from the root."""


class Span(NamedTuple):
    """A stretch of source. Lines and columns count from 1; `style` is YAML's: '' plain, ' " | > quoted or block."""

    line: int
    column: int
    end_line: int
    end_column: int
    style: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file: its values, and the place of each by pointer."""

    path: str
    lines: tuple[str, ...]
    root: object
    values: dict[Pointer, Span] = field(repr=False)
    keys: dict[Pointer, Span] = field(repr=False)

    def place(self, pointer: Pointer, *, key: bool = False) -> Place:
        """The place of a value (or of its key); of the nearest ancestor where the value itself has none."""
        table = self.keys if key and pointer in self.keys else self.values
        while pointer not in table and pointer:
            pointer = pointer[:-1]
        return self.at(table.get(pointer, Span(1, 1, 1, 1)))

    def at(self, span: Span) -> Place:
        """The place of a span, with its source line."""
        return place_in(self.path, self.lines, span)

    def get(self, *pointer: str | int) -> object:
        """The value at a pointer, or None where there is none."""
        value = self.root
        for step in pointer:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def text(self, *pointer: str | int) -> str:
        """A single value as the text that stands there: `1.10` keeps its zero; nothing for null."""
        value = self.get(*pointer)
        if value is None:
            return ""
        return value if isinstance(value, str) else written(self.lines, self.values[pointer])


def written(lines: tuple[str, ...], span: Span) -> str:
    """A plain one-word scalar as it stands in the file, without its anchor."""
    return lines[span.line - 1][span.column - 1 : span.end_column - 1].split(" ")[-1]


def place_in(path: str, lines: tuple[str, ...], span: Span) -> Place:
    """The place of a span in a file of these lines."""
    excerpt = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    width = span.end_column - span.column if span.end_line == span.line else len(excerpt) - span.column + 1
    return Place(path=path, line=span.line, column=span.column, excerpt=excerpt, width=max(1, width))
