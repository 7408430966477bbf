"""When a run halts by itself: a provider that misbehaves is asked nothing more, since each call may cost people."""

from __future__ import annotations

from dataclasses import dataclass

from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.model.settings import StopRules


@dataclass(slots=True)
class StopWatch:
    """Watches the outcomes of one run. A figure of 0 switches its rule off."""

    rules: StopRules
    _unknowns: int = 0
    _throttles: int = 0
    _refusals: int = 0
    _last_refusal: str = ""

    def observe(self, result: SendResult, number: int) -> str:
        """Take one final outcome; returns why the run must stop, or nothing.

        Args:
            result: How the request ended.
            number: Which request of the run it was, in the order they were begun: with several in flight the slow ones,
                which are those that end as unknown, come in last.
        """
        rules = self.rules
        self._unknowns += result.outcome is Outcome.UNKNOWN
        if result.outcome is not Outcome.THROTTLED:
            self._throttles = 0
        if result.outcome is Outcome.REJECTED:
            same = result.reason == self._last_refusal
            self._refusals = self._refusals + 1 if same else 1
            self._last_refusal = result.reason
        else:
            self._refusals, self._last_refusal = 0, ""
        if result.halt:
            return f"the provider's answer concerns every request: {result.reason}"
        if result.outcome is Outcome.NOT_SENT:
            return f"the provider can't be reached: {result.reason}"
        if result.outcome is Outcome.UNKNOWN and number <= rules.unknown_in_first:
            return f"an unknown outcome among the first {rules.unknown_in_first} requests"
        if rules.unknowns and self._unknowns >= rules.unknowns:
            return f"{self._unknowns} unknown outcome{'s' * (self._unknowns > 1)}"
        if rules.refusals and self._refusals >= rules.refusals:
            return f"{self._refusals} equal refusal{'s' * (self._refusals > 1)}: {result.reason}"
        return ""

    def throttled(self) -> str:
        """Take one throttled attempt; returns why the run must stop, or nothing."""
        self._throttles += 1
        if self.rules.throttles and self._throttles >= self.rules.throttles:
            return f"throttled {self._throttles} times in a row" if self._throttles > 1 else "throttled"
        return ""
