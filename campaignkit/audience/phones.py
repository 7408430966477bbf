"""The one door to phonenumbers: what an author writes to the digits the API takes.

Numbers of Belarus may be written in any usual way; those of other countries need their `+`. A number is taken when it is
*possible*, and reported when no operator is known to use its range: metadata lags behind operators, and a refused customer
is a lost one. The fast paths are proven equal to the library by property tests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

REGION = "BY"
_NORMAL = re.compile(r"375(?:25[5-79]|29[1-9]|33[0-9]|44[0-9])[0-9]{6}", re.ASCII)
_USUAL = re.compile(r"(?:\+?375|80)((?:25[5-79]|29[1-9]|33[0-9]|44[0-9])[0-9]{6})", re.ASCII)
_DECORATION = str.maketrans("", "", " ()-\u00a0")
_WRITTEN = re.compile(r"[+0-9 ()./\u00a0-]+", re.ASCII)
_DAMAGED = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+|[0-9]{9,15}[.,]0+")
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Odd:
    """A phone that is taken, though no operator is known to use its range."""

    phone: int


class BadPhoneError(ValueError):
    """No phone; the message says why, without the phone."""


def normal(text: str) -> int | Odd:
    """The international digits of one phone.

    Args:
        text: As it stands in the file.

    Returns:
        The phone; wrapped in `Odd` if it is possible but of no known mobile range.

    Raises:
        BadPhoneError: It is no phone.
    """
    if len(text) == 12 and _NORMAL.fullmatch(text):
        return int(text)
    usual = _USUAL.fullmatch(text.translate(_DECORATION))
    if usual and len(text) <= _LONGEST:
        return int("375" + usual[1])
    return _by_library(text.strip())


def normals(texts: Sequence[str]) -> list[int | Odd | BadPhoneError]:
    """What `normal` says of each of many phones."""
    found: list[int | Odd | BadPhoneError] = []
    for text in texts:
        if len(text) == 12 and _NORMAL.fullmatch(text):
            found.append(int(text))
        else:
            try:
                found.append(normal(text))
            except BadPhoneError as error:
                found.append(error)
    return found


def _by_library(text: str) -> int | Odd:
    _refuse_obvious(text)
    import phonenumbers

    digits = re.sub("[^0-9]", "", text)
    source = "+" + digits if len(digits) == 12 and digits.startswith("375") else text
    if text.startswith("00"):
        source = "+" + digits[2:]
    try:
        found = phonenumbers.parse(source, REGION)
    except phonenumbers.NumberParseException:
        raise BadPhoneError("this is no phone number") from None
    phone = int(f"{found.country_code}{found.national_number}")
    if not phonenumbers.is_possible_number(found) or len(str(phone)) > 15:
        if not source.startswith("+") and len(digits) >= 10 and not digits.startswith(("375", "80")):
            raise BadPhoneError("this looks like a foreign number without its +")
        raise BadPhoneError(f"a phone of {len(digits)} digits is not possible here")
    if found.country_code == 375 and len(str(found.national_number)) != 9:
        if not source.startswith("+") and len(digits) >= 10:
            raise BadPhoneError("this looks like a foreign number without its +")
        raise BadPhoneError("a Belarusian number has 9 digits after 375")
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    known = phonenumbers.number_type(found) in kinds
    return phone if known else Odd(phone)


def _refuse_obvious(text: str) -> None:
    if not text:
        raise BadPhoneError("the phone is empty")
    if len(text) > _LONGEST:
        raise BadPhoneError(f"a cell of {len(text):,} characters is no phone")
    if _DAMAGED.fullmatch(text):
        raise BadPhoneError("a spreadsheet has damaged this number; format the column as text")
    if text.startswith(("'", "=")):
        raise BadPhoneError("a spreadsheet's mark stands before the number; export the column as plain text")
    if not _WRITTEN.fullmatch(text):
        strange = next(character for character in text if not _WRITTEN.fullmatch(character))
        shown = strange if strange.isprintable() else f"U+{ord(strange):04X}"
        raise BadPhoneError(f"{shown!r} does not belong in a phone")
