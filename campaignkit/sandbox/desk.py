"""What every method works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
