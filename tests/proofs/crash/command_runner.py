"""The real command with failpoints: `python -m tests.proofs.crash.command_runner POINT NTH WORDS…` dies at that point."""

from __future__ import annotations

import sys
from typing import Any

from campaignkit.cli import main as command
from campaignkit.states import opening
from campaignkit.states.lock import StateLock
from campaignkit.states.store import Store
from tests.proofs.crash.failpoints import Act, Points, Strike
from tests.proofs.crash.watching import passing, watch_database, watch_network, watched_store


def watch(points: Points) -> None:
    """Put points into the command's own wiring."""
    open_store, acquire = opening.open_store, StateLock.acquire

    def watched_open(*args: Any, **named: Any) -> Store:
        return watched_store(open_store(*args, **named), points)

    watch_database(points)
    watch_network(points)
    for owner, name, value in (
        (opening, "open_store", watched_open),
        (StateLock, "acquire", passing(points, "lock", acquire)),
    ):
        setattr(owner, name, value)


if __name__ == "__main__":
    watch(Points(Strike(Act.KILL, point=sys.argv[1], nth=int(sys.argv[2])), tell=-1))
    sys.exit(command.run(sys.argv[3:]))
