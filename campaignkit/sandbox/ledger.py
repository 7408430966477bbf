"""What the sandbox truly accepted, outside the API: the truth that tests hold the client to."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Self

from campaignkit.sandbox import index, v2_records
from campaignkit.sandbox.book import Book
from campaignkit.sandbox.records import Mailing, Request, decode, encode
from campaignkit.sandbox.v2_records import Confirmation, Draft, Marks, Quick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

_MULTICAST = 1 << 40


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was accepted; `phones` counts deliveries of every kind, so a phone that got two messages counts twice.

    `requests` and `mailings` are those of sendBulkViber. `drafts` are the list mailings that wait for a confirmation:
    nobody was sent to by them.
    """

    requests: int
    mailings: int
    refused_mailings: int
    phones: int
    quick: int = 0
    drafts: int = 0
    confirmed: int = 0


class Confirmed(Enum):
    """What came of a confirmation."""

    NOW = "now"
    BEFORE = "before"
    POOR = "the balance is too small"
    UNKNOWN = "no such list mailing"


class Ledger:
    """The record of one data file. Threads may share it, processes may share the file.

    Args:
        path: The data file, made where it is missing; none for a temporary one that goes with the object.

    Raises:
        JournalError: The file is no data file of the sandbox.
    """

    def __init__(self, path: Path | None = None) -> None:
        # Version 1 ids normally show the machine's address; a random one with the multicast bit can be nobody's.
        self._node = random.SystemRandom().getrandbits(48) | _MULTICAST
        self._book = Book(path)

    def accept(self, *, at: float, token_place: str, callback_url: str, mailings: Iterable[Mailing]) -> Request:
        """Writes a bulk request down, with its uuid and ids. The token itself is never among what is given."""
        with self._book.writing() as pen:
            numbered = []
            message, delivery = pen.index.next_message, pen.index.next_delivery
            for mailing in mailings:
                if mailing.errors:
                    numbered.append(mailing)
                    continue
                numbered.append(replace(mailing, message_id=message, first_delivery_id=delivery))
                message, delivery = message + 1, delivery + len(mailing.recipients)
            request = Request(
                uuid=str(uuid.uuid1(self._node)),
                at=at,
                token_place=token_place,
                callback_url=callback_url,
                mailings=tuple(numbered),
            )
            messages, deliveries = message - pen.index.next_message, delivery - pen.index.next_delivery
            pen.write(request.uuid, encode(request), messages=messages, deliveries=deliveries)
            return request

    def accept_quick(self, quick: Quick) -> Quick:
        """Writes a quick message down, and gives it back with its ids."""
        with self._book.writing() as pen:
            numbered = replace(quick, message_id=pen.index.next_message, delivery_id=pen.index.next_delivery)
            pen.write(index.QUICK, v2_records.encode(numbered), messages=1, deliveries=1)
            return numbered

    def accept_draft(self, draft: Draft) -> Draft:
        """Writes a list mailing down, unconfirmed, and gives it back with its ids, and with a name if it had none."""
        with self._book.writing() as pen:
            message = pen.index.next_message
            name = draft.name or f"Viber mailing {message}"
            numbered = replace(draft, name=name, message_id=message, first_delivery_id=pen.index.next_delivery)
            pen.write(index.LIST, v2_records.encode(numbered), messages=1, deliveries=len(draft.phones))
            return numbered

    def confirm(self, message_id: int, *, at: float, token_place: str, price: Decimal, balance: Decimal) -> Confirmed:
        """Confirms a list mailing once, however many ask at a time.

        Args:
            message_id: The mailing.
            at: When, in seconds since the epoch.
            token_place: Where the token of the call stood.
            price: Of one message.
            balance: What the account held at its beginning.
        """
        with self._book.writing() as pen:
            entry = pen.index.of_message(message_id)
            if entry is None or entry.kind != index.LIST:
                return Confirmed.UNKNOWN
            if message_id in pen.confirmations:
                return Confirmed.BEFORE
            cost = price * len(v2_records.decode_draft(pen.body(entry.line)).phones)
            if cost > balance - pen.spent():
                return Confirmed.POOR
            confirmation = Confirmation(message_id=message_id, at=at, token_place=token_place, cost=str(cost))
            pen.write(index.CONFIRM, v2_records.encode(confirmation))
            return Confirmed.NOW

    def mark_read(self, ids: Iterable[str], *, at: float) -> int:
        """Flags incoming messages as read, and says how many were not before."""
        with self._book.writing() as pen:
            new = tuple(one for one in dict.fromkeys(ids) if one not in pen.read)
            if new:
                pen.write(index.READ, v2_records.encode(Marks(at=at, ids=new)))
            return len(new)

    def find(self, request_uuid: str) -> Request | None:
        """The request of a uuid, if it was accepted by anyone who shares the file."""
        with self._book.reading() as held:
            line = held.index.requests.get(request_uuid)
            return None if line is None else decode(held.body(line))

    def find_message(self, message_id: int) -> Request | Quick | Draft | None:
        """What a message id was given out for."""
        with self._book.reading() as held:
            entry = held.index.of_message(message_id)
            return None if entry is None else held.record(entry)

    def find_delivery(self, delivery_id: int) -> Request | Quick | Draft | None:
        """What a delivery id was given out for."""
        with self._book.reading() as held:
            entry = held.index.of_delivery(delivery_id)
            return None if entry is None else held.record(entry)

    def message_ids(self, kinds: Collection[str]) -> list[int]:
        """The message ids that were given out for these kinds (`bulk`, `quick`, `list`), oldest first."""
        with self._book.reading() as held:
            found = (entry for entry in held.index.entries if entry.kind in kinds)
            return [number for entry in found for number in range(entry.first_message, entry.end)]

    def confirmation(self, message_id: int) -> Confirmation | None:
        """How a list mailing was confirmed, if it was."""
        with self._book.reading() as held:
            return held.confirmations.get(message_id)

    def read_marks(self) -> frozenset[str]:
        """The ids of the incoming messages that were flagged as read."""
        with self._book.reading() as held:
            return frozenset(held.read)

    def spent(self) -> Decimal:
        """What the confirmations cost."""
        with self._book.reading() as held:
            return held.spent()

    def requests(self) -> Iterator[Request]:
        """Every accepted bulk request, oldest first, one in memory at a time."""
        with self._book.reading() as held:
            lines = list(held.index.requests.values())
        for line in lines:
            with self._book.reading() as held:
                body = held.body(line)
            yield decode(body)

    def quick_messages(self) -> Iterator[Quick]:
        """Every accepted quick message, oldest first."""
        return (record for record in self._records(index.QUICK) if isinstance(record, Quick))

    def list_mailings(self) -> Iterator[tuple[Draft, Confirmation | None]]:
        """Every list mailing, oldest first, with its confirmation; those without one are drafts."""
        return ((record, self.confirmation(record.message_id)) for record in self._records(index.LIST) if isinstance(record, Draft))

    def accepted_phones(self) -> Iterator[tuple[str, str]]:
        """(mailing name, phone) of every accepted delivery: whoever was sent to twice comes twice.

        Bulk first, then quick messages, whose name is empty, then the subscribers of confirmed list mailings.
        """
        for request in self.requests():
            for mailing in request.mailings:
                for phone in mailing.phones:
                    yield mailing.name, phone
        for quick in self.quick_messages():
            yield "", quick.phone
        for draft, confirmation in self.list_mailings():
            for phone in draft.phones if confirmation is not None else ():
                yield draft.name, phone

    def times_accepted(self) -> Counter[str]:
        """How many messages each phone got."""
        return Counter(phone for _, phone in self.accepted_phones())

    def counts(self) -> Counts:
        """How much was accepted."""
        requests = mailings = refused = phones = 0
        for request in self.requests():
            requests += 1
            mailings += sum(not mailing.errors for mailing in request.mailings)
            refused += sum(bool(mailing.errors) for mailing in request.mailings)
            phones += sum(len(mailing.recipients) for mailing in request.mailings)
        quick = sum(1 for _ in self.quick_messages())
        lists = list(self.list_mailings())
        confirmed = [draft for draft, confirmation in lists if confirmation is not None]
        phones += quick + sum(len(draft.phones) for draft in confirmed)
        return Counts(requests, mailings, refused, phones, quick, len(lists) - len(confirmed), len(confirmed))

    def close(self) -> None:
        """Closes the file; closing twice does nothing."""
        self._book.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _records(self, kind: str) -> Iterator[Request | Quick | Draft]:
        with self._book.reading() as held:
            entries = [entry for entry in held.index.entries if entry.kind == kind]
        for entry in entries:
            with self._book.reading() as held:
                record = held.record(entry)
            yield record
