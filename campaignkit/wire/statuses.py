"""Answers of `statusBulkViber`, read tolerantly: an odd entry is noted, never a reason to lose the others.

The documentation shows an array of two kinds of entries: `{message_id, name, alphaname_id, success: [...]}` and
`{errors: ["<name>: <text>"]}`. Any mix, missing keys, nulls and other types of ids and phones are read as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from campaignkit.wire.outcomes import error_text
from campaignkit.wire.strict_json import BadJSONError, parse
from campaignkit.wire.values import LONGEST_WORD, listed, number, phone, words
from campaignkit.wire.vocabulary import is_final, is_settled, merge, rank, status_class

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = [
    "NotStatusesError",
    "StatusAnswer",
    "StatusEntry",
    "StatusRow",
    "attribute",
    "decode_statuses",
    "is_final",
    "is_settled",
    "merge",
    "rank",
    "status_class",
]

LARGEST_ANSWER = 64 << 20
"""Bytes of a status answer: about 500,000 people."""

LONGEST_NAME = 200
LONGEST_ERROR = 300
_MOST_NOTES = 50
_PHONE_DIGITS = 12
_LARGEST_NUMBER = 10**18
_FIELDS = itemgetter("phone", "status", "delivery_id", "status_time")


class NotStatusesError(ValueError):
    """The answer is no array of status entries; the message may quote the provider, cleaned.

    Attributes:
        stated: Whether the provider itself stated an `error` in a well-formed object.
    """

    def __init__(self, message: str, *, stated: bool = False) -> None:
        super().__init__(message)
        self.stated = stated


class StatusRow(NamedTuple):
    """One person's status; `status_time` has no zone and stays text; a `phone` or id that cannot be read is None.

    A tuple and no dataclass: a refresh makes one for each of a million people.
    """

    phone: int | None
    status: str
    delivery_id: int | None
    status_time: str
    error_code: str = ""
    """The provider's code of a failure, where a method gives one."""


_MADE = partial(tuple.__new__, StatusRow)


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One entry of the array; `errors` are cleaned and cut to 300 characters each."""

    name: str | None
    message_id: int | None
    rows: tuple[StatusRow, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """A whole answer; `notes` name what could not be read, without personal data, at most 50 of them."""

    entries: tuple[StatusEntry, ...]
    notes: tuple[str, ...] = ()

    def message_ids(self, names: Collection[str]) -> tuple[str, ...]:
        """The provider's ids of the mailings of these names, each once."""
        return tuple(dict.fromkeys(str(entry.message_id) for entry in self.entries if entry.message_id and entry.name in names))


def decode_statuses(body: bytes) -> StatusAnswer:
    """Read an answer; the empty array is one (nothing is known yet).

    Raises:
        NotStatusesError: It is not JSON, or no array.
    """
    try:
        value = parse(body, limit=LARGEST_ANSWER)
    except BadJSONError as error:
        raise NotStatusesError(f"the status answer cannot be read, {error}") from None
    if isinstance(value, dict) and (text := error_text(value.get("error"))):
        raise NotStatusesError(text, stated=True)
    if not isinstance(value, list):
        raise NotStatusesError("the status answer is no array")
    notes: list[str] = []
    entries = tuple(entry for at, item in enumerate(value, 1) if (entry := _entry(item, at, notes)))
    return StatusAnswer(entries, tuple(notes[:_MOST_NOTES]))


def attribute(errors: Iterable[str], names: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Lead error texts back to the batches whose names they begin with (`<name>: <text>`).

    Args:
        errors: Texts as decoded.
        names: The names of this very request.

    Returns:
        Per name, its texts without the name; and the texts that begin with no name, or with more than one. Those are
        nobody's: guessing, even where one batch is left, could free the wrong people.
    """
    known = frozenset(names)
    found: dict[str, list[str]] = {}
    unattributed: list[str] = []
    for text in errors:
        matches = [name for name in _beginnings(text) if name in known]
        if len(matches) == 1:
            found.setdefault(matches[0], []).append(text[len(matches[0]) + 2 :])
        else:
            unattributed.append(text)
    return {name: tuple(texts) for name, texts in found.items()}, tuple(unattributed)


def _beginnings(text: str) -> Iterator[str]:
    at = text.find(": ")
    while at >= 0:
        yield text[:at]
        at = text.find(": ", at + 1)


def _entry(item: Any, at: int, notes: list[str]) -> StatusEntry | None:
    if not isinstance(item, dict):
        notes.append(f"entry {at} is no object")
        return None
    given = listed(item.get("success"))
    rows = _documented(given) if given else []
    if rows is None:
        rows = [_row(row) for row in given if isinstance(row, dict)]
        notes += [f"entry {at} has a status that is no object"] * (len(given) - len(rows))
    if lost := [row[0] for row in rows].count(None):
        notes.append(f"entry {at} has {lost} statuses without a readable phone")
    errors = [words(error, LONGEST_ERROR) for key in ("errors", "error") for error in listed(item.get(key))]
    name = item.get("name")
    return StatusEntry(
        name=None if name is None else words(name, LONGEST_NAME),
        message_id=number(item.get("message_id")),
        rows=tuple(rows),
        errors=tuple(filter(None, errors)),
    )


def _documented(given: Sequence[Any]) -> list[StatusRow] | None:
    """Objects as documented, read column by column: to what the readers of odd values would come to. None if one may be another."""
    try:
        phones, statuses, ids, times = zip(*map(_FIELDS, given), strict=True)
    except (KeyError, TypeError, ValueError):
        return None
    if set(map(type, chain(phones, statuses, times))) != {str} or set(map(type, ids)) != {int}:
        return None
    digits_alone, said = "".join(phones), "".join((*set(statuses), *times))
    if set(map(len, phones)) != {_PHONE_DIGITS} or not (digits_alone.isascii() and digits_alone.isdecimal()):
        return None
    if not said.isprintable() or max(map(len, chain(statuses, times))) > LONGEST_WORD:
        return None
    if min(ids) < 0 or max(ids) >= _LARGEST_NUMBER:
        return None
    return list(map(_MADE, zip(map(int, phones), statuses, ids, times, repeat(""), strict=False)))


def _row(row: dict[str, Any]) -> StatusRow:
    return StatusRow(
        phone=phone(row.get("phone")),
        status=words(row.get("status"), LONGEST_WORD),
        delivery_id=number(row.get("delivery_id")),
        status_time=words(row.get("status_time"), LONGEST_WORD),
    )
