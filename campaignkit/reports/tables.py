"""Rows of CSV that no spreadsheet takes for formulas, and what several tables show alike."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from campaignkit.model.phones import shown
from campaignkit.model.replies import Link
from campaignkit.reports.safe import cell, hidden

_LONGEST_CELL = 10_000
"""A reply has at most 4,000 characters, some of which are shown as escapes."""


def csv_line(values: Iterable[Any]) -> str:
    """One row."""
    buffer = io.StringIO()
    texts = ["" if value is None else str(value) for value in values]
    csv.writer(buffer, lineterminator="\n").writerow([cell(text, _LONGEST_CELL) for text in texts])
    return buffer.getvalue()


def phone_of(phone: int | None, *, reveal: bool) -> str | None:
    """A phone of the provider's, which may be none."""
    return None if phone is None else shown(phone, reveal=reveal)


def words_of(text: str, *, reveal: bool) -> str:
    """What somebody wrote: with whole phones in it only where `--reveal` asked for them."""
    return text if reveal else hidden(text)


def link_keys(link: Link | None) -> Mapping[str, Any]:
    """What of ours a record is; nulls where it is nothing of ours."""
    key = link.key if link else None
    return {
        "campaign": key.campaign if key else None,
        "revision": (key.revision or None) if key else None,
        "mailing": key.mailing if key else None,
        "request": link.request if link else None,
        "method": link.method if link else None,
    }


def link_words(link: Link | None) -> str:
    """The same for people."""
    if link is None:
        return "not of this state"
    return f"{link.key or 'of a mailing that was forgotten'} ({link.method} {link.request})"
