"""Phones: the fast paths say what phonenumbers says, and what is no phone is refused without showing it."""

from __future__ import annotations

import re
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.audience.phones import BadPhoneError, Odd, _by_library, normal

METADATA: Any = phonenumbers.PhoneMetadata.metadata_for_region("BY")
mobiles = st.from_regex(re.compile(METADATA.mobile.national_number_pattern, re.ASCII), fullmatch=True)
any_national = st.from_regex(r"[1-9][0-9]{8}", fullmatch=True)

WRITINGS = [
    "375{0}{1}{2}{3}", "+375{0}{1}{2}{3}", "+375 {0} {1}-{2}-{3}", "+375 ({0}) {1}-{2}-{3}", "+375({0}){1}{2}{3}", "375 {0} {1} {2} {3}",
    "+375-{0}-{1}-{2}-{3}", "80{0}{1}{2}{3}", "8 0{0} {1}-{2}-{3}", "8 (0{0}) {1}-{2}-{3}", "8-0{0}-{1}-{2}-{3}", "80 {0} {1}{2}{3}",
    "{0}{1}{2}{3}", "({0}) {1}-{2}-{3}", "00375{0}{1}{2}{3}", "00 375 {0} {1} {2} {3}", "810375{0}{1}{2}{3}", "0{0}{1}{2}{3}",
    "+375\u00a0{0}\u00a0{1}\u00a0{2}\u00a0{3}", " 375{0}{1}{2}{3} ", "+375.{0}.{1}.{2}.{3}", "+375/{0}/{1}{2}{3}",
]  # fmt: skip


def parts(national: str) -> tuple[str, str, str, str]:
    return national[:2], national[2:5], national[5:7], national[7:]


@pytest.mark.parametrize("writing", WRITINGS)
@settings(max_examples=60, deadline=None)
@given(national=mobiles)
def test_a_mobile_of_belarus_is_taken_in_every_usual_writing(writing: str, national: str) -> None:
    assert normal(writing.format(*parts(national))) == int("375" + national)


def outcome(read: object, text: str) -> int | Odd | None:
    try:
        return read(text)  # type: ignore[operator,no-any-return]  # either reader
    except BadPhoneError:
        return None


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WRITINGS), st.one_of(mobiles, any_national))
def test_the_fast_paths_agree_with_the_library(writing: str, national: str) -> None:
    text = writing.format(*parts(national))
    assert outcome(normal, text) == outcome(_by_library, text.strip())


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789+ -()\u00a0", max_size=20).map(lambda tail: "375" + tail))
def test_the_fast_paths_agree_on_whatever_looks_like_a_phone(text: str) -> None:
    assert outcome(normal, text) == outcome(_by_library, text.strip())


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"[1-79][0-9]{8}", fullmatch=True))  # 80 would be a trunk prefix, which the library takes off
def test_a_range_is_known_or_odd_as_the_library_knows_it(national: str) -> None:
    found = outcome(normal, "+375" + national)
    known = phonenumbers.number_type(phonenumbers.parse("+375" + national)) == phonenumbers.PhoneNumberType.MOBILE
    assert found == (int("375" + national) if known else Odd(int("375" + national)))


abroad = st.sampled_from(["RU", "PL", "LT", "UA", "DE", "US", "KZ", "GE", "GB", "CN"])


@settings(deadline=None)
@given(abroad, st.sampled_from([phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL]))
def test_a_foreign_number_is_taken_with_its_plus_only(region: str, form: int) -> None:
    number: Any = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    text = phonenumbers.format_number(number, form)
    digits = int(f"{number.country_code}{number.national_number}")
    assert normal(text) in {digits, Odd(digits)}
    with pytest.raises(BadPhoneError, match="without its \\+"):
        normal(str(digits))


@pytest.mark.parametrize("text", ["+375172000000", "8 017 200-00-00", "+375 17 200 00 00", "375212000000", "375241111111"])
def test_a_landline_or_unknown_range_is_odd(text: str) -> None:
    assert isinstance(normal(text), Odd)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"), ("  ", "empty"), ("+", "no phone"), ("-", "no phone"), ("+375", "no phone"), ("1234567", "9 digits"),
        ("3752911111", "without its +"),
        ("+3752911111", "9 digits"),
        ("+3752911111111", "9 digits"),
        ("+1" * 3, "no phone"),
        ("+111111111111111", "not possible"),
        ("3.75291E+11", "spreadsheet"), ("3,75291E+11", "spreadsheet"), ("3.75291111111E11", "spreadsheet"),
        ("375291111111.0", "spreadsheet"),
         ("375291111111,00", "spreadsheet"), ("'375291111111", "spreadsheet"), ("=375291111111", "spreadsheet"),
        ("37529О111111", "'О'"), ("37529O111111", "'O'"), ("37529l111111", "'l'"),
         ("tel:+375291111111", "'t'"), ("٣٧٥٢٩١١١١١١١", "'٣'"),
        ("３７５２９１１１１１１１", "'３'"), ("375291111111\u200b", "U+200B"), ("375291111111\x00", "U+0000"), ("375291\ud800", "U+D800"),
        ("375291111111, 375292222222", "','"), ("375291111111;375292222222", "';'"), ("375291111111 375292222222", "no phone"),
        ("375291111111/375292222222", "no phone"),
        ("375291111111 доб. 5", "'д'"),
        ("+375291111111 и", "'и'"),
        ("5" * 41, "41 characters"),
        ("+" + "5" * 5000, "5,001 characters"),
        ("79161234567", "without its +"),
        ("8 916 123-45-67", "without its +"),
        ("{{ phone }}", "'{'"),
    ],
)  # fmt: skip
def test_what_is_no_phone_is_refused_and_not_shown(text: str, words: str) -> None:
    with pytest.raises(BadPhoneError) as caught:
        normal(text)
    assert words in str(caught.value)
    assert not re.search(r"\d{6}", str(caught.value))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=45), st.text("0123456789+-() .E,/'", max_size=45)))
def test_whatever_stands_in_a_cell_is_a_phone_or_a_refusal(text: str) -> None:
    found = outcome(normal, text)
    phone = found.phone if isinstance(found, Odd) else found
    assert phone is None or 0 < phone <= 999_999_999_999_999
