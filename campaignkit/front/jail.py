"""What the child gives up before it renders anything: files, sockets, programs, memory and time without end.

Once no descriptor can be opened any more, neither a file nor a socket can be had, whatever a template finds a way to call:
the kernel holds this, not Python.
"""

from __future__ import annotations

import codecs
import contextlib
import resource
import signal
from collections.abc import Iterable
from types import FrameType

from campaignkit.rendering.messages import RowError

MEMORY = 1024 * 1024 * 1024
"""Address space, bytes. The child needs about 150 MB of it; a bomb in a template asks for more."""

TICK = 0.1
"""Seconds of processor time: a busy machine makes nobody's template slow."""
PATIENCE = 5
"""A single row may take this many ticks."""
DEADEST = 1.0
"""Seconds of processor time without a tick, inside one operation of Python's, after which the kernel ends the process."""
MOST_SLOW = 2
"""This many rows of one talk may take too long; with the last of them the talk ends."""


_MANY = -2


class EndlessError(Exception):
    """Row after row does not come to an end."""


class RowWatch:
    """Ends the rendering of a row that does not come to an end; `row` is set by the loop.

    Ticks are Python's: none comes while one operation of Python's own runs on and on. For that there is a second timer
    that nobody handles, wound up anew with every tick.
    """

    def __init__(self) -> None:
        self.row = 0
        self._turn = 0
        self._last = (0, 0)
        self._ticks = 0
        self._slow = 0

    def step(self) -> None:
        """Something to be watched begins that is no row."""
        self.pause()
        self.row = -1

    def many(self) -> None:
        """Rows at once, which are rendered one by one if that takes too long: it counts for none of them."""
        self.pause()
        self.row = _MANY

    def pause(self) -> None:
        """What comes until the next row may take its time; the next row is another one, also with the same number."""
        self.row = 0
        self._turn += 1

    def start(self) -> None:
        """Begin to tick."""
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
        signal.signal(signal.SIGPROF, self._tick)
        signal.setitimer(signal.ITIMER_VIRTUAL, DEADEST)
        signal.setitimer(signal.ITIMER_PROF, TICK, TICK)

    def stop(self) -> None:
        """Tick no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _tick(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, DEADEST)
        self._count()

    def _count(self) -> None:
        now = (self.row, self._turn)
        if now != self._last or self.row == 0:
            self._last, self._ticks = now, 0
            return
        self._ticks += 1
        if self._ticks >= PATIENCE:
            self._ticks = 0
            if self.row == _MANY:
                raise RowError("many templates at once take too long")
            self._slow += 1
            if self._slow >= MOST_SLOW:
                raise EndlessError("templates take too long, one after another")
            raise RowError("the template takes too long")


def limit_memory() -> None:
    """Bound the address space, forbid core dumps (they would hold personal data), and make room for many open audiences."""
    _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most if most != resource.RLIM_INFINITY else 10_240, most))
    with contextlib.suppress(ValueError, OSError):  # macOS takes no bound on address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def fetch_codecs(declared: Iterable[str]) -> None:
    """Load the codecs that rendering may need while modules can still be read."""
    for name in ("unicode_escape", "ascii", "latin-1", "utf-8-sig", "cp1251", *declared):
        with contextlib.suppress(LookupError, ValueError):  # an unknown one is reported where it is used
            codecs.lookup(name)


def close_doors() -> None:
    """From here on no file, socket or program can be opened; what is open stays usable."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
