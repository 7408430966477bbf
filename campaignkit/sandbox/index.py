"""What is where in a data file: built from the heads of its lines, so that opening a large one reads no bodies.

A head is `[what, next message id, next delivery id]`, the ids that are free after the line. `what` is the uuid of a bulk
request, or one of the words below.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from campaignkit.sandbox.journal import JournalError

if TYPE_CHECKING:
    from campaignkit.sandbox.journal import Line

BULK, QUICK, LIST, CONFIRM, READ = "bulk", "quick", "list", "confirm", "read"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that gave out message ids: what it holds, and its first ids. `end` is the first that is not its own."""

    kind: str
    line: Line
    first_message: int
    end: int
    first_delivery: int


class Index:
    """The heads read so far. Not safe between threads: its owner holds a lock."""

    def __init__(self) -> None:
        self.next_message = 1
        self.next_delivery = 1001
        self.requests: dict[str, Line] = {}
        self.entries: list[Entry] = []
        self._messages: list[int] = []
        self._deliveries: list[int] = []

    def take_in(self, line: Line) -> str:
        """Notes a line, and says what it is.

        Raises:
            JournalError: Its head is none.
        """
        try:
            what, message, delivery = json.loads(line.head)
        except ValueError as error:
            raise JournalError("the sandbox's data file is damaged") from error
        kind = what if what in (QUICK, LIST, CONFIRM, READ) else BULK
        if kind == BULK:
            self.requests[what] = line
        if message > self.next_message:
            self.entries.append(Entry(kind, line, self.next_message, message, self.next_delivery))
            self._messages.append(self.next_message)
            self._deliveries.append(self.next_delivery)
        self.next_message, self.next_delivery = message, delivery
        return kind

    def of_message(self, message_id: int) -> Entry | None:
        """The line that gave out a message id."""
        at = bisect_right(self._messages, message_id) - 1
        return self.entries[at] if at >= 0 and message_id < self.next_message else None

    def of_delivery(self, delivery_id: int) -> Entry | None:
        """The line that gave out a delivery id."""
        at = bisect_right(self._deliveries, delivery_id) - 1
        return self.entries[at] if at >= 0 and delivery_id < self.next_delivery else None
