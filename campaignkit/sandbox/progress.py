"""How far a message got: a pure function of seed, phone and elapsed time, so that nothing has to be simulated."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

USUAL = ("NEW", "SENT", "DELIVERED", "READ")

# Seconds before the second, third and fourth status: least, and spread above it. Later ones of a script take one each.
_GAPS = ((0.2, 0.6), (0.3, 1.0), (0.5, 2.0))
_NEVER_READ = 0.15


@dataclass(frozen=True, slots=True)
class Reached:
    """A status, and how many seconds after the start it was reached; `error_code` is 0 where nothing failed."""

    status: str
    after: float
    error_code: int = 0


def reached(*, seed: int, phone: str, elapsed: float, speed: float = 1.0, script: Sequence[str] | None = None) -> Reached | None:
    """The status of a message.

    Args:
        seed: Another seed gives everyone other times, and other people who never read.
        phone: Whose message it is.
        elapsed: Seconds since it was accepted, or since its scheduled time; below zero before that.
        speed: 2 is twice as fast.
        script: The statuses to go through instead of the usual ones; an empty one is never reported. `FAILED:8` is
            the status FAILED with the error code 8.

    Returns:
        The last status reached; nothing for an empty script.
    """
    digest = blake2b(f"{seed}:{phone}".encode(), digest_size=8).digest()
    draws = [int.from_bytes(digest[at : at + 2], "big") / 0x10000 for at in range(0, 8, 2)]
    if script is None:
        script = USUAL if draws[3] >= _NEVER_READ else USUAL[:-1]
    if not script:
        return None
    found, after = _reached(script[0], 0.0), 0.0
    for index, status in enumerate(script[1:]):
        least, spread = _GAPS[index] if index < len(_GAPS) else (1.0, 0.0)
        after += (least + spread * draws[index % 4]) / speed
        if after > elapsed:
            break
        found = _reached(status, after)
    return found


def _reached(word: str, after: float) -> Reached:
    status, colon, code = word.rpartition(":")
    if colon and status and code.isascii() and code.isdigit():
        return Reached(status, after, int(code))
    return Reached(word, after)
