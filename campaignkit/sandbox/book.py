"""A data file with what its lines say held in memory: the lower half of the ledger, which threads and processes share."""

from __future__ import annotations

import json
from contextlib import contextmanager
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING

from campaignkit.sandbox import index
from campaignkit.sandbox.index import Entry, Index
from campaignkit.sandbox.journal import Journal, JournalError, Line
from campaignkit.sandbox.records import Request, decode
from campaignkit.sandbox.v2_records import Confirmation, Draft, Quick, decode_confirmation, decode_draft, decode_marks, decode_quick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_DECODERS: Mapping[str, Callable[[bytes], Request | Quick | Draft]] = {
    index.BULK: decode,
    index.QUICK: decode_quick,
    index.LIST: decode_draft,
}


class Book:
    """The file and its index.

    Args:
        path: The data file, made where it is missing; none for a temporary one that goes with the object.

    Raises:
        JournalError: The file is no data file of the sandbox.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = Lock()
        self._closed = False
        self._index = Index()
        self._confirmations: dict[int, Confirmation] = {}
        self._read: set[str] = set()
        self._journal = Journal(path)

    @contextmanager
    def reading(self) -> Iterator[Held]:
        """Holds other threads off, with everything read that anybody wrote.

        Raises:
            JournalError: The book is closed, or damaged.
        """
        with self._lock:
            if self._closed:
                # Its descriptor may be another file's by now.
                raise JournalError("the sandbox's data file is closed")
            self._catch_up()
            yield Held(self._index, self._confirmations, self._read, self._journal)

    @contextmanager
    def writing(self) -> Iterator[Pen]:
        """The same, and holds other processes off, too."""
        with self._lock:
            if self._closed:
                raise JournalError("the sandbox's data file is closed")
            with self._journal.exclusive():
                self._catch_up()
                yield Pen(self._index, self._confirmations, self._read, self._journal, self._take_in)

    def close(self) -> None:
        """Closes the file; closing twice does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._journal.close()

    def _catch_up(self) -> None:
        for line in self._journal.news():
            self._take_in(line)

    def _take_in(self, line: Line) -> None:
        kind = self._index.take_in(line)
        if kind == index.CONFIRM:
            confirmation = decode_confirmation(self._journal.body(line))
            self._confirmations[confirmation.message_id] = confirmation
        elif kind == index.READ:
            self._read.update(decode_marks(self._journal.body(line)).ids)


class Held:
    """The book while it is held: what it says at this moment."""

    def __init__(self, heads: Index, confirmations: dict[int, Confirmation], read: set[str], journal: Journal) -> None:
        self.index = heads
        self.confirmations = confirmations
        self.read = read
        self._journal = journal

    def body(self, line: Line) -> bytes:
        """The body of a line."""
        return self._journal.body(line)

    def record(self, entry: Entry) -> Request | Quick | Draft:
        """What a line that gave out ids says."""
        return _DECODERS[entry.kind](self._journal.body(entry.line))

    def spent(self) -> Decimal:
        """What the confirmations cost together."""
        return sum((Decimal(one.cost) for one in self.confirmations.values()), Decimal(0))


class Pen(Held):
    """The book while it is written in."""

    def __init__(
        self,
        heads: Index,
        confirmations: dict[int, Confirmation],
        read: set[str],
        journal: Journal,
        take_in: Callable[[Line], None],
    ) -> None:
        super().__init__(heads, confirmations, read, journal)
        self._take_in = take_in

    def write(self, what: str, body: bytes, *, messages: int = 0, deliveries: int = 0) -> None:
        """Adds a line that gives out so many ids, from the next free ones on."""
        head = [what, self.index.next_message + messages, self.index.next_delivery + deliveries]
        self._take_in(self._journal.append(json.dumps(head).encode("ascii"), body))
