"""From when a person may say that an unknown request was not sent: not before its sender can write no more, and then some.

Whoever said it earlier could free people whom a process that sleeps, or an answer under way, still reaches.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from campaignkit.model.settings import Environment
from campaignkit.provider.port import FENCE
from campaignkit.states.records import RequestRow
from campaignkit.states.store import StateReader

_LATEST = 50


def open_from(row: RequestRow, environment: Environment) -> datetime:
    """When the fence around a request opens.

    An attempt that noted its own end writes no more: then only `release_after` counts. One that was given up (its
    process died, or is stuck) could have begun to write FENCE seconds after its intent, and gone on for a deadline.

    Args:
        row: The request.
        environment: Its deadline and `release_after`; in the embedded sandbox there is no fence, as nobody is messaged.
    """
    began = max(moment for moment in (row.planned_at, row.intent_at) if moment is not None)
    if environment.is_sandbox:
        return began
    if row.phase and row.done_at is not None:
        return max(began, row.done_at) + timedelta(seconds=environment.release_after)
    return began + timedelta(seconds=FENCE + environment.deadline + environment.release_after)


def newest_moment(reader: StateReader) -> datetime | None:
    """The latest time that the newest entries of the history hold: no true clock of today shows an earlier one."""
    return max((event.at for event in reader.events(limit=_LATEST)), default=None)
