"""Processes forked warm: everything is imported already, so that a history costs milliseconds."""

from __future__ import annotations

import gc
import os
import select
import signal
import traceback
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from tests.proofs.crash.failpoints import STOPPED, Points, Strike

BROKEN = 70
"""Exit code of a process whose engine raised what no caller expects."""
LONGEST = 40.0
"""Seconds after which a process counts as hung; SQLite waits 30."""


class Now(StrEnum):
    """How a process stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    DEAD = "dead"


class Child:
    """One forked process.

    Args:
        work: What it does; returns its exit code.
        strike: What befalls it.
        trouble: The file to which a traceback goes.
    """

    def __init__(self, work: Callable[[Points], int], strike: Strike, trouble: Path) -> None:
        self._pipe, theirs = os.pipe()
        self._code: int | None = None
        self._dead = False
        self.pid = os.fork()
        if not self.pid:
            _live(work, Points(strike, theirs), trouble)
        os.close(theirs)

    def wait(self, seconds: float) -> Now:
        """Wait until it stops or dies, or for so long."""
        if self._dead:
            return Now.DEAD
        ready, _, _ = select.select([self._pipe], [], [], seconds)
        if not ready:
            return Now.RUNNING
        if os.read(self._pipe, 1) == STOPPED:
            os.waitpid(self.pid, os.WUNTRACED)  # it told before it stopped
            return Now.STOPPED
        self._reap()
        return Now.DEAD

    def wait_quietly(self, seconds: float) -> None:
        """Wait for a sign of it, or for so long, and leave the sign for `wait` and `end`."""
        if not self._dead:
            select.select([self._pipe], [], [], seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        if not self._dead:
            os.kill(self.pid, signal.SIGKILL)

    def wake(self) -> None:
        """Let a stopped one go on."""
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> int | None:
        """Wait for its end; returns its exit code, None if it was killed."""
        while (now := self.wait(LONGEST)) is Now.STOPPED:
            self.wake()
        if now is Now.RUNNING:
            self.kill()
            self._reap()
            raise TimeoutError(f"a process did not end within {LONGEST:g} s")
        return self._code

    def _reap(self) -> None:
        _, status = os.waitpid(self.pid, 0)
        self._code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        self._dead = True
        os.close(self._pipe)


def _live(work: Callable[[Points], int], points: Points, trouble: Path) -> None:
    """The whole life of a child; does not return."""
    code = BROKEN
    try:
        gc.disable()
        code = work(points)
    except BaseException:  # noqa: BLE001 - whatever it is, it must not unwind into the parent's frames
        trouble.write_text(traceback.format_exc(), "utf-8")
    finally:
        os._exit(code)
