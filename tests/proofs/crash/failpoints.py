"""Named points in the life of a process, and what befalls it there. The product knows nothing of them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

STOPPED = b"s"


class Act(StrEnum):
    """What happens to a process."""

    NOTHING = "nothing"
    KILL = "kill"
    """SIGKILL: no handler, no flush, no goodbye."""
    STOP = "stop"
    """SIGSTOP: a machine that sleeps; the harness wakes or kills it later."""


@dataclass(frozen=True, slots=True)
class Strike:
    """What befalls one process, and when.

    Attributes:
        act: What.
        at: At the how-many-th point, from 1; 0 if it is not counted so.
        point: At a point of this name, the `nth` of it.
        after: Or this many seconds after its start, by its parent.
    """

    act: Act = Act.NOTHING
    at: int = 0
    point: str = ""
    nth: int = 1
    after: float = 0.0


CALM = Strike()


class Points:
    """The points that one process passes.

    Args:
        strike: What befalls it.
        tell: A pipe to its parent.
    """

    def __init__(self, strike: Strike, tell: int) -> None:
        self._strike = strike
        self._tell = tell
        self._lock = Lock()
        self._seen: Counter[str] = Counter()
        self.names: list[str] = []

    @property
    def wanted(self) -> str:
        """The name of the point at which something happens."""
        return self._strike.point

    def hit(self, name: str) -> None:
        """Pass a point; a process that is killed here does not return."""
        with self._lock:
            self.names.append(name)
            self._seen[name] += 1
            strike = self._strike
            by_name = strike.point == name and strike.nth == self._seen[name]
            if not by_name and strike.at != len(self.names):
                return
        if strike.act is Act.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif strike.act is Act.STOP:
            os.write(self._tell, STOPPED)
            os.kill(os.getpid(), signal.SIGSTOP)
