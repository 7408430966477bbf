"""How a phone is written for machines and for eyes.

Inside, a phone is the integer of its international digits (`375291111111`): at most 15 digits by E.164, so it fits
eight bytes, and no leading zero can be lost because no country code begins with one.
"""

from __future__ import annotations

LARGEST = 999_999_999_999_999
"""The largest E.164 number, 15 digits."""


def masked(phone: int | str) -> str:
    """A phone for the screen: its first five and last four digits (`37529•••1111`)."""
    digits = str(phone)
    if len(digits) < 10:
        return digits[:2] + "•••" + digits[-2:]
    return digits[:5] + "•••" + digits[-4:]


def shown(phone: int | str, *, reveal: bool) -> str:
    """A phone for the screen: whole only where `--reveal` asked for it."""
    return str(phone) if reveal else masked(phone)


def quoted(text: str, phone: int | str, *, reveal: bool) -> str:
    """A message for the screen: its own phone stands in it masked, unless `--reveal` asked for it."""
    return text if reveal else text.replace(str(phone), masked(phone))
