"""Problems an author can fix, as values: collected, sorted, all shown.

A diagnostic holds no personal data beyond masked phones, so that any of them may stand in a public log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: one `error` anywhere in the selection and nothing is sent."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem stands.

    `line` and `column` count from 1; 0 means the file as a whole. `row` is the data row of an audience, counted from 1
    without its header; 0 where the place is no row. `excerpt` is the source line, `width` how much of it is meant.
    """

    path: str
    line: int = 0
    column: int = 0
    row: int = 0
    excerpt: str = ""
    width: int = 1


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: what is wrong, where, and what to do about it."""

    severity: Severity
    code: str
    message: str
    place: Place
    hint: str = ""


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort by place, then severity and code; equal ones are kept once."""
    unique = dict.fromkeys(diagnostics)
    return sorted(
        unique,
        key=lambda d: (d.place.path, d.place.line, d.place.column, d.place.row, _RANK[d.severity], d.code, d.message),
    )


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether one of them forbids sending."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or the few there are, or nothing."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known here: {', '.join(names)}" if 0 < len(names) <= 12 else ""
