"""A clock whose waits a signal ends."""

from __future__ import annotations

import select

from campaignkit.model.clock import SystemClock


class StoppableClock(SystemClock):
    """The machine's own clock, whose waits end at once when a signal came."""

    def __init__(self, wake: list[int]) -> None:
        self._wake = wake

    def sleep(self, seconds: float) -> None:
        """Wait; no longer once one of the descriptors can be read."""
        select.select(self._wake, [], [], max(0.0, seconds))
