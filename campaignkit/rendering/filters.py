"""The filters that templates may use: Jinja's harmless ones, and ours for Russian, Belarusian and money.

All are pure. Values of an audience are text, so each filter that needs a number says so instead of guessing: Jinja's own
`int` turns «abc» into 0, and a person would read that 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal

from jinja2 import Environment, Undefined, pass_environment
from jinja2.filters import do_round, do_urlencode, sync_do_unique

LONGEST_TEXT = 20_000
"""Characters of any text a template makes: a message has a thousand."""

ALLOWED_BUILTINS = (
    "abs", "capitalize", "count", "d", "default", "first", "last", "length", "lower", "max", "min", "sort", "title", "trim",
    "truncate", "upper", "wordcount",
)  # fmt: skip
"""Jinja's own filters that can neither reach an object's inside nor grow text without bound."""

_NOTHING_TO_ENCODE = re.compile(r"[A-Za-z0-9_.~/-]*").fullmatch
_DIGITS = re.compile(r"(?:[^%]|%-?[dmyYHMSj]|%%)*", re.DOTALL)
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'")


class FilterError(ValueError):
    """A value does not fit the filter; the message never shows it, since it may be a person's."""


def as_text(value: object) -> str:
    """A text or a number as text; a list would be shown as Python writes it."""
    if isinstance(value, str | Undefined):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise FilterError(f"a value of type {type(value).__name__} is not text")
    return str(value)


def _bounded(length: int) -> None:
    if length > LONGEST_TEXT:
        raise FilterError(f"the text grows beyond {LONGEST_TEXT:,} characters")


def joined(values: Iterable[object], between: object = "") -> str:
    """Texts and numbers one after another, with a text between them."""
    parts, mark = [as_text(value) for value in values], as_text(between)
    _bounded(sum(map(len, parts)) + len(mark) * max(len(parts) - 1, 0))
    return mark.join(parts)


def replace(value: object, old: object, new: object, count: int | None = None) -> str:
    """Jinja's own, within bounds."""
    text, sought, given = as_text(value), as_text(old), as_text(new)
    most = -1 if count is None else count
    found = text.count(sought) if most < 0 else min(text.count(sought), most)
    _bounded(len(text) + found * (len(given) - len(sought)))
    return text.replace(sought, given, most)


def urlencode(value: object) -> str:
    """Jinja's own for texts, within bounds."""
    if type(value) is str and len(value) <= LONGEST_TEXT and _NOTHING_TO_ENCODE(value):
        return value
    text = do_urlencode(as_text(value))
    _bounded(len(text))
    return text


def total(values: Iterable[object]) -> Decimal:
    """The sum of numbers."""
    return sum((number(value) for value in values), Decimal(0))


def number(value: object) -> Decimal:
    """A number from a cell: spaces as thousands, comma or point for decimals."""
    if isinstance(value, bool):
        raise FilterError("true and false are no numbers")
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    text = str(value).translate(_SPACES).replace(",", ".")
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise FilterError("the value is not a number") from None
    if not found.is_finite() or abs(found.adjusted()) > 30:
        raise FilterError("the value is not a usable number")
    return found


def plural(value: object, one: str, few: str, many: str) -> str:
    """The form of a Russian or Belarusian noun beside a number: 1 балл, 2 балла, 5 баллов; fractions take the second."""
    count = number(value)
    if count != count.to_integral_value():
        return few
    whole = abs(int(count))
    if whole % 10 == 1 and whole % 100 != 11:
        return one
    if 2 <= whole % 10 <= 4 and not 12 <= whole % 100 <= 14:
        return few
    return many


def money(value: object, currency: str = "", places: int = 2) -> str:
    """An amount as people write it here: 1 234,50 with non-breaking spaces, and the currency behind it if given."""
    if not 0 <= places <= 6:
        raise FilterError("money takes 0 to 6 places")
    amount = number(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{amount:,.{places}f}".replace(",", "\u00a0").replace(".", ",")
    return f"{text}\u00a0{currency}" if currency else text


def as_date(value: object, pattern: str = "%d.%m.%Y") -> str:
    """A date of a cell (2026-11-23, 2026-11-23T10:00, 23.11.2026) written by a strftime pattern of digits only."""
    text = str(value).strip()
    if not _DIGITS.fullmatch(pattern):
        raise FilterError(f"the pattern {_cut(pattern)!r} depends on the machine; use digits: %d.%m.%Y %H:%M")
    for parse in (datetime.fromisoformat, _day_first):
        try:
            return parse(text).strftime(pattern)
        except ValueError:
            continue
    raise FilterError("the value is not a date like 2026-11-23 or 23.11.2026")


def _day_first(text: str) -> datetime:
    day, month, year = text.split(".")
    found = date(int(year), int(month), int(day))
    return datetime(found.year, found.month, found.day)  # noqa: DTZ001 - a calendar day of a cell has no zone


def strict_int(value: object, default: object = None) -> object:
    """A whole number; anything else is an error unless a default is given."""
    try:
        return int(number(value))
    except FilterError:
        if default is None:
            raise
        return default


def strict_float(value: object, default: object = None) -> object:
    """A number; anything else is an error unless a default is given."""
    try:
        return float(number(value))
    except FilterError:
        if default is None:
            raise
        return default


def rounded(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    """Jinja's own, with 0 to 6 places: it raises 10 to their power, which may take for ever."""
    if not 0 <= precision <= 6:
        raise FilterError("round takes 0 to 6 places")
    return do_round(value, precision, method)


@pass_environment
def unique(env: Environment, value: Iterable[Any], *, case_sensitive: bool = False) -> list[Any]:
    """Jinja's own as a list: a generator would print where it stands in memory."""
    return list(sync_do_unique(env, value, case_sensitive))


def reverse(value: Sequence[Any]) -> Sequence[Any]:
    """Jinja's own, but never an iterator, for the same reason."""
    return value[::-1]


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def ours() -> dict[str, Callable[..., Any]]:
    """Our filters by the names templates use."""
    return {
        "plural": plural, "money": money, "date": as_date, "int": strict_int, "float": strict_float,
        "round": rounded, "unique": unique, "reverse": reverse, "join": joined, "replace": replace, "string": as_text,
        "sum": total, "urlencode": urlencode,
    }  # fmt: skip
