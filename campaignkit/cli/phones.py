"""Phones named on the command line: in any usual way of writing them, as in an audience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaignkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def phone_of(text: str, *, warn: Callable[[str], None], what: str = "PHONE") -> int:
    """The digits of one phone.

    Args:
        text: As it was typed.
        warn: Told that no operator is known to use its range.
        what: Which argument it is.

    Raises:
        UsageError: It is no phone; the message does not repeat it.
    """
    # By the rules that read audiences: opting out another number than the audience holds would let somebody be messaged.
    from campaignkit.audience.phones import BadPhoneError, Odd, normal

    try:
        found = normal(text)
    except BadPhoneError as error:
        raise UsageError(f"{what} takes a number like 375291111111: {error}") from None
    if isinstance(found, Odd):
        warn(f"{what}: no mobile operator is known to use this number's range. Is it typed right?")
        return found.phone
    return found
