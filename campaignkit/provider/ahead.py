"""Answers fetched beside the work on the one before: one thread, one question at a time."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Answer:
    """What a question will bring: the bytes of an answer, or the error that it ended with."""

    def __init__(self, ask: Callable[[], bytes]) -> None:
        self._ask = ask
        self._over = Event()
        self._body = b""
        self._error: Exception | None = None

    def fetch(self) -> None:
        """Ask."""
        try:
            self._body = self._ask()
        except Exception as error:  # noqa: BLE001 - raised again where the answer is waited for
            self._error = error
        finally:
            self._over.set()

    def wait(self) -> bytes:
        """The answer, once it is there; raises what asking raised."""
        self._over.wait()
        if self._error is not None:
            raise self._error
        return self._body


class Ahead:
    """Fetches answers in the order they were asked for.

    Its thread holds up nobody: who ends the command does not wait for an answer that nobody reads any more.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Answer | None] = SimpleQueue()
        self._thread: Thread | None = None

    def fetch(self, ask: Callable[[], bytes]) -> Answer:
        """Ask as soon as the questions before are answered."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="ahead", daemon=True)
            self._thread.start()
        answer = Answer(ask)
        self._queue.put(answer)
        return answer

    def close(self) -> None:
        """Fetch nothing more than what is being asked for already."""
        self._queue.put(None)

    def _run(self) -> None:
        while (answer := self._queue.get()) is not None:
            answer.fetch()
