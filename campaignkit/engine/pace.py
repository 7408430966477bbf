"""How fast, and how long to wait before a safe repetition."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from threading import Lock

from campaignkit.model.clock import Clock

FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
CONNECT_TRIES = 4


@dataclass(slots=True)
class Pace:
    """At most `rate` requests a second, evenly; 0 means no pace."""

    rate: float
    clock: Clock
    _next: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def wait(self) -> None:
        """Sleep until the next request is due."""
        if not self.rate:
            return
        with self._lock:
            now = self.clock.monotonic()
            at = max(now, self._next)
            self._next = at + 1.0 / self.rate
        if at > now:
            self.clock.sleep(at - now)

    def due(self) -> bool:
        """Whether a request may begin without waiting; it then counts as begun."""
        with self._lock:
            now = self.clock.monotonic()
            if not self.rate or self._next > now:
                return not self.rate
            self._next = now + 1.0 / self.rate
        return True


def backoff(attempt: int, chance: random.Random, *, retry_after: float | None = None) -> float:
    """Seconds before the next attempt: doubling with jitter, and never less than the provider asked for."""
    wait: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * (0.5 + chance.random() / 2)
    return max(wait, retry_after or 0.0)
