"""SIGINT, SIGTERM and SIGHUP: before anything is sent they end the command, later they end it well.

While requests go out, the first one finishes what is in flight, the second gives that up as unknown. One Ctrl-C counts
once, though it may come twice: a wrapper (make, npm, uv) hands on what the terminal has sent to the whole group already.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from campaignkit.cli.stoppable import StoppableClock

ECHO = 0.25
"""Seconds after a signal within which another one is taken for the same."""


class InterruptedCommand(KeyboardInterrupt):
    """A signal that ends the command.

    A kind of its own: Python ends the process by SIGINT, whatever it exits with, once a bare KeyboardInterrupt has passed
    through an `exec`, as in the making of a dataclass.
    """


class Interrupts:  # no dataclass: this is loaded before all else, and `--help` would pay for what they import
    """What to do about signals at this moment of a command; one for each run of the program.

    Outside `stopping` a signal raises KeyboardInterrupt. Once a `stopping` block was left, signals are only noted: the
    work is done, and its receipt must not be lost.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.heard = 0
        self._last: float | None = None
        self._steps: tuple[Callable[[], None], ...] | None = None
        self._wake: list[int] = []

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Take one signal."""
        now = self.monotonic()
        echo = self._last is not None and now - self._last < ECHO
        self._last = self._last if echo else now
        if echo:
            return
        self.heard += 1
        if self._steps is None:
            raise InterruptedCommand
        if self.heard <= len(self._steps):
            self._steps[self.heard - 1]()

    def listen(self) -> None:
        """Take the signals of this process from now on; what ignores SIGHUP (nohup) goes on ignoring it."""
        if not self._wake:
            heard, tell = os.pipe()
            os.set_blocking(tell, False)
            # The system's own handler writes here: a wait on it can't miss a signal that came just before it began.
            signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
            self._wake.append(heard)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.handle)

    def finish(self) -> None:
        """Note signals only: what is left to do is to end, and how it ends is settled."""
        self._steps = ()

    def wait_for(self, descriptor: int) -> None:
        """Wait until something can be read there; a signal ends the command."""
        while descriptor not in select.select([descriptor, *self._wake], [], [])[0]:
            os.read(self._wake[0], 4096)

    @contextlib.contextmanager
    def stopping(self, stop: Callable[[], None], give_up: Callable[[], None], words: str) -> Iterator[StoppableClock]:
        """Inside the block the first signal calls `stop`, a second one `give_up`, a third raises KeyboardInterrupt.

        `words` are written to stderr with the first. The clock that it yields sleeps no longer once a signal came.
        """
        from campaignkit.cli.stoppable import StoppableClock

        def first() -> None:
            stop()
            # Past every buffer: the signal may have come in the middle of another line.
            with contextlib.suppress(OSError):
                os.write(2, f"{words}\n".encode())

        self.heard, self._steps = 0, (first, give_up, break_off)
        try:
            yield StoppableClock(self._wake)
        finally:
            self.finish()


def break_off() -> None:
    """End the command where it stands."""
    raise InterruptedCommand


CURRENT = Interrupts()
"""That of this process: signals belong to a process, so there is one."""
