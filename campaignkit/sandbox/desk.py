"""What every method works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from campaignkit.sandbox.callbacks import CallbackPoster
    from campaignkit.sandbox.ledger import Ledger
    from campaignkit.sandbox.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Desk:
    """The ledger, what shall be unusual, a clock in seconds since the epoch, and who posts callbacks, if anybody does."""

    ledger: Ledger
    scenario: Scenario
    clock: Callable[[], float]
    callbacks: CallbackPoster | None = None

    def named(self, message_id: int) -> dict[str, Any]:
        """A message id as an answer holds it, under the name that the scenario gives it."""
        return {self.scenario.id_field: self.scenario.id(message_id)}

    @staticmethod
    def ok(result: object) -> dict[str, Any]:
        """The frame of a good answer of v2."""
        return {"status": "OK", "result": result}
