"""Our filters: Russian and Belarusian plurals, money, dates, strict numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.rendering.filters import FilterError, as_date, money, number, plural, rounded, strict_float, strict_int


def expected_form(n: int) -> str:
    """The rule as CLDR states it for ru and be: one, few, many."""
    if n % 10 == 1 and n % 100 != 11:
        return "балл"
    return "балла" if n % 10 in {2, 3, 4} and n % 100 not in {12, 13, 14} else "баллов"


@pytest.mark.parametrize("n", range(126))
def test_plural_follows_the_rule(n: int) -> None:
    assert {plural(form, "балл", "балла", "баллов") for form in (n, str(n), f"-{n}", f"{n}.0")} == {expected_form(n)}


@pytest.mark.parametrize(
    ("value", "form"), [("1,5", "балла"), ("0.5", "балла"), ("1 001", "балл"), ("1\u00a0011", "баллов"), (111, "баллов")]
)
def test_plural_reads_fractions_and_thousands(value: object, form: str) -> None:
    assert plural(value, "балл", "балла", "баллов") == form


@pytest.mark.parametrize(
    ("value", "args", "text"),
    [
        ("1234.5", (), "1\u00a0234,50"),
        ("1234567,891", ("BYN",), "1\u00a0234\u00a0567,89\u00a0BYN"),
        ("99.5", ("BYN", 0), "100\u00a0BYN"),
        ("0", (), "0,00"),
        ("-5", (), "-5,00"),
        ("2.675", (), "2,68"),
        ("0,005", (), "0,01"),
        ("1 000", (), "1\u00a0000,00"),
        (7, ("", 3), "7,000"),
    ],
)
def test_money_is_written_as_here(value: object, args: tuple[str | int, ...], text: str) -> None:
    assert money(value, *args) == text  # type: ignore[arg-type]  # a table of mixed arguments


@settings(deadline=None)
@given(st.decimals(-(10**12), 10**12, places=2))
def test_money_loses_no_kopeck(amount: Decimal) -> None:
    assert Decimal(money(amount).replace("\u00a0", "").replace(",", ".")) == amount


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        ("2026-11-23", "%d.%m.%Y", "23.11.2026"),
        ("23.11.2026", "%Y-%m-%d", "2026-11-23"),
        (" 5.3.2026 ", "%d.%m", "05.03"),
        ("2026-11-23T10:05", "%H:%M", "10:05"),
        ("2026-11-23T10:05:09+03:00", "%H:%M:%S", "10:05:09"),
        ("2026-11-23", "100%% %y", "100% 26"),
        ("2026-11-23", "в %d-й день", "в 23-й день"),
    ],
)
def test_dates_are_written_by_digits(value: str, pattern: str, text: str) -> None:
    assert as_date(value, pattern) == text


@pytest.mark.parametrize("pattern", ["%a", "%B", "%c", "%x", "%p", "%Z", "%s", "%h", "%-b", "%Ec", "%1000000000d", "%", "%n%+"])
def test_a_pattern_that_depends_on_the_machine_is_refused(pattern: str) -> None:
    with pytest.raises(FilterError, match="depends on the machine"):
        as_date("2026-11-23", pattern)


@pytest.mark.parametrize("value", ["", "tomorrow", "31.02.2026", "2026-13-01", "1.2", "23/11/2026", None])
def test_what_is_no_date_is_an_error(value: object) -> None:
    with pytest.raises(FilterError, match="not a date"):
        as_date(value)


@pytest.mark.parametrize("value", ["", " ", "abc", "1 2 x", "1,2,3", "--1", "NaN", "inf", "1e99", "٣x", True, None, [1]])
def test_what_is_no_number_is_an_error_of_every_filter_that_needs_one(value: object) -> None:
    for use in (number, strict_int, strict_float, money, lambda found: plural(found, "1", "2", "5")):
        with pytest.raises(FilterError):
            use(value)


@pytest.mark.parametrize("value", ["", "abc", "NaN"])
def test_a_default_stands_in_where_it_is_given(value: str) -> None:
    assert (strict_int(value, 0), strict_float(value, 1.5), strict_int(value, "-")) == (0, 1.5, "-")


@settings(deadline=None)
@given(st.integers(-(10**20), 10**20))
def test_int_reads_what_str_writes(n: int) -> None:
    assert strict_int(str(n)) == n
    assert strict_int(f"{n:,}".replace(",", " ")) == n


def test_numbers_are_cut_and_rounded_as_said() -> None:
    assert (strict_int("7,9"), strict_float("12,5"), rounded(2.345, 2), rounded(7.2, 0, "ceil")) == (7, 12.5, 2.35, 8.0)
    with pytest.raises(FilterError):
        rounded(1.0, 10**9, "ceil")
