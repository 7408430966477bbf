"""Which phones an audience has named, in packed columns: a dictionary of a million of them takes a hundred megabytes more."""

from __future__ import annotations

from array import array

_FIRST_SIZE = 1 << 12


class Seen:
    """A table of phones by open addressing: each has a number, counted from 0, and what is kept of it under that number.

    The hot loop of an audience looks into `slots` and `phones` itself, since a call for each row would cost as much as the look.
    An entry of `slots` is one more than a number, 0 where nothing stands; a phone stands in the first free slot from
    `phone % len(slots)` on.
    """

    __slots__ = ("phones", "slots")

    def __init__(self) -> None:
        self.phones = array("q")
        self.slots = _empty(_FIRST_SIZE)

    def find(self, phone: int) -> int:
        """The number of a phone; -1 if it was never added."""
        slots, phones = self.slots, self.phones
        size = len(slots)
        at = phone % size
        while number := slots[at]:
            if phones[number - 1] == phone:
                return number - 1
            at = at + 1 if at + 1 < size else 0
        return -1

    def add(self, phone: int, at: int) -> None:
        """Add a phone that is not there yet, in the free slot that was found for it."""
        self.phones.append(phone)
        self.slots[at] = len(self.phones)
        if 3 * len(self.phones) > 2 * len(self.slots):
            self._grow()

    def _grow(self) -> None:
        slots = _empty(2 * len(self.slots))
        size = len(slots)
        for number, phone in enumerate(self.phones, 1):
            at = phone % size
            while slots[at]:
                at = at + 1 if at + 1 < size else 0
            slots[at] = number
        self.slots = slots


def _empty(size: int) -> array[int]:
    # Odd, so that phones whose last digits are alike are spread all the same.
    return array("I", bytes(4 * (size | 1)))
