"""The door to states for the rest of the program: what a state is kept in is chosen, and imported, here and late."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.states.store import StateReader, Store


def create(path: str | Path, *, environment: str, origin: str, lineage: str, at: datetime) -> None:
    """Make a new, empty state; StateError if something stands there already."""
    from campaignkit.states.sqlite import opening

    opening.create(_file(path), environment=environment, origin=origin, lineage=lineage, at=at)


def copy(source: str | Path, target: str | Path, *, environment: str, origin: str, lineage: str | None) -> None:
    """Copy a whole state to a new file; the arguments and errors are those of `open_reader`."""
    from campaignkit.states.sqlite import opening

    opening.copy(_file(source), _file(target), environment=environment, origin=origin, lineage=lineage)


def open_reader(path: str | Path, *, environment: str, origin: str, lineage: str | None) -> StateReader:
    """Look into a state; no lock, no change, one moment in time until it is closed.

    A reader of a state at rest makes the next writer wait: close it before `open_store` in the same process.

    Args:
        path: The file, as `state` of the environment names it, against the project's root.
        environment: Whose state it must be.
        origin: The base URL it must have been made for.
        lineage: The one it must have, as recorded in `campaignkit.lock`; None if nothing is recorded.

    Raises:
        StateError: It cannot be used; says why, that nothing was sent, and the way out.
    """
    from campaignkit.states.sqlite import opening

    return opening.open_reader(_file(path), environment=environment, origin=origin, lineage=lineage)


def open_store(path: str | Path, *, environment: str, origin: str, lineage: str | None) -> Store:
    """Open a state for changes; the arguments and errors are those of `open_reader`.

    Several may be open at once (an apply and a refresh). Waits up to 30 seconds for readers.
    """
    from campaignkit.states.sqlite import opening

    return opening.open_store(_file(path), environment=environment, origin=origin, lineage=lineage)


def _file(path: str | Path) -> Path:
    if isinstance(path, str) and "://" in path:
        scheme = path.partition("://")[0]
        raise StateError(f"A state in {scheme} is not supported yet: `state` must be a file. Nothing was sent.")
    return Path(path)
