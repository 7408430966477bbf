"""Keeping one callback in the state, for as short a time as that takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from threading import Lock

from campaignkit.errors import StateError
from campaignkit.states.records import Taken
from campaignkit.states.store import StateReader, Store
from campaignkit.wire.callbacks import secret_hash

_PATIENCE = 5.0


class Inbox:
    """Opens the state for each callback and closes it again.

    Held open for days it could not be copied as one file, and a state put back in its place would go unnoticed. Opening
    costs milliseconds, and beside a running apply less.

    Args:
        reader: Opens the state for looking.
        store: Opens it for changing, for the length of a block; takes no lock.
        now: The present.
    """

    def __init__(
        self, reader: Callable[[], StateReader], store: Callable[[], AbstractContextManager[Store]], now: Callable[[], datetime]
    ) -> None:
        self._reader = reader
        self._store = store
        self._now = now
        self._lock = Lock()

    def knows(self, secret: str) -> bool:
        """Whether a request has this address. Looks only: guessing writes nothing.

        Raises:
            StateError: The state cannot be read.
        """
        with self._turn():
            reader = self._reader()
            try:
                return reader.knows_callback(secret_hash(secret))
            finally:
                reader.close()

    def take(self, secret: str, body: bytes) -> Taken:
        """Keep a callback; it is durable when this returns.

        Raises:
            StateError: The state cannot be written.
        """
        with self._turn(), self._store() as store:
            return store.take_callback(secret_hash(secret), body, self._now())

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        # Whoever waits behind one that waits for a busy state comes again later, rather than in half a minute.
        if not self._lock.acquire(timeout=_PATIENCE):
            raise StateError("the state is busy")
        try:
            yield
        finally:
            self._lock.release()
