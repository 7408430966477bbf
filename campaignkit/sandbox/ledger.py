"""What the sandbox truly accepted, outside the API: the truth that tests hold the client to."""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Self

from campaignkit.sandbox.journal import Journal, JournalError, Line
from campaignkit.sandbox.records import Mailing, Request, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

_MULTICAST = 1 << 40


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was accepted; `phones` counts deliveries, so a phone that got two messages counts twice."""

    requests: int
    mailings: int
    refused_mailings: int
    phones: int


class Ledger:
    """The record of one data file. Threads may share it, processes may share the file.

    Args:
        path: The data file, made where it is missing; none for a temporary one that goes with the object.

    Raises:
        JournalError: The file is no data file of the sandbox.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = Lock()
        self._closed = False
        self._lines: dict[str, Line] = {}
        self._next_message = 1
        self._next_delivery = 1001
        # Version 1 ids normally show the machine's address; a random one with the multicast bit can be nobody's.
        self._node = random.SystemRandom().getrandbits(48) | _MULTICAST
        self._journal = Journal(path)

    def accept(self, *, at: float, token_place: str, callback_url: str, mailings: Iterable[Mailing]) -> Request:
        """Writes a request down, with its uuid and ids. The token itself is never among what is given."""
        with self._lock, self._open_journal().exclusive():
            self._catch_up()
            numbered = []
            message, delivery = self._next_message, self._next_delivery
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
            head = json.dumps([request.uuid, message, delivery]).encode("ascii")
            self._remember(self._journal.append(head, encode(request)))
            return request

    def find(self, request_uuid: str) -> Request | None:
        """The request of a uuid, if it was accepted by anyone who shares the file."""
        with self._lock:
            self._open_journal()
            if request_uuid not in self._lines:
                self._catch_up()
            line = self._lines.get(request_uuid)
            return None if line is None else decode(self._journal.body(line))

    def requests(self) -> Iterator[Request]:
        """Every accepted request, oldest first, one in memory at a time."""
        with self._lock:
            self._open_journal()
            self._catch_up()
            lines = list(self._lines.values())
        for line in lines:
            with self._lock:
                body = self._open_journal().body(line)
            yield decode(body)

    def accepted_phones(self) -> Iterator[tuple[str, str]]:
        """(mailing name, phone) of every accepted delivery: whoever was sent to twice comes twice."""
        for request in self.requests():
            for mailing in request.mailings:
                for phone in mailing.phones:
                    yield mailing.name, phone

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
        return Counts(requests, mailings, refused, phones)

    def close(self) -> None:
        """Closes the file; closing twice does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _open_journal(self) -> Journal:
        if self._closed:
            # Its descriptor may be another file's by now.
            raise JournalError("the sandbox's data file is closed")
        return self._journal

    def _catch_up(self) -> None:
        for line in self._journal.news():
            self._remember(line)

    def _remember(self, line: Line) -> None:
        try:
            request_uuid, self._next_message, self._next_delivery = json.loads(line.head)
        except ValueError as error:
            raise JournalError("the sandbox's data file is damaged") from error
        self._lines[request_uuid] = line
