"""Settling within a command: what hints name is asked about before anything else, and what came of it is told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from campaignkit.cli.console import Console
from campaignkit.reports.safe import hidden, line, people

if TYPE_CHECKING:
    from campaignkit.cli.holding import Holding
    from campaignkit.engine.settling import Settled
    from campaignkit.provider.port import Reader
    from campaignkit.states.store import Store


@contextlib.contextmanager
def reader_when_asked(holding: Holding, token: str) -> Iterator[Callable[[], Reader]]:
    """The provider's reader, opened by the first call: most runs have nothing to ask."""
    from campaignkit.cli.holding import provider

    with contextlib.ExitStack() as stack:

        @cache
        def reader() -> Reader:
            reachable = stack.enter_context(provider(holding, token))
            return stack.enter_context(reachable.reader())

        yield reader


def settle(
    holding: Holding,
    store: Store,
    reader: Callable[[], Reader],
    console: Console,
    stopped: Callable[[], bool] = lambda: False,
    *,
    locked: bool = False,
) -> Settled:
    """Ask about every hint that is due, and about confirms whose answer was lost; say what came of it.

    Under the lock, a confirm that certainly did not count leaves its draft to be confirmed again.
    """
    from campaignkit.engine.pace import Pace
    from campaignkit.engine.settling import SettleJob

    pace = Pace(holding.environment.rate, holding.clock)
    environment = holding.environment if locked else None
    settled = SettleJob(store=store, reader=reader, clock=holding.clock, pace=pace, stopped=stopped, environment=environment).run()
    for one in settled.accepted:
        console.say(f"{one.ref}: accepted after all, {people(one.people)}; the provider confirms it by {one.evidence}.", style="green")
    for draft in settled.drafts:
        console.say(f"{draft.ref}: its confirm did not count, as the provider still shows the draft {draft.message_id}.")
    for alarm in settled.alarms:
        console.error(f"ALARM: {alarm.text}.")
    for note in settled.notes:
        console.warn(hidden(line(note)))
    return settled


def records(settled: Settled) -> Iterator[dict[str, object]]:
    """What came of it as records of `schemas/apply-record.schema.json`."""
    for one in settled.accepted:
        yield {"type": "settled", "request": one.ref, "uuid": one.uuid, "recipients": one.people, "evidence": one.evidence}
    for alarm in settled.alarms:
        yield {"type": "alarm", "request": alarm.ref, "uuid": alarm.uuid, "recipients": alarm.people, "text": alarm.text}
