"""Outcomes that an earlier run could not store, taken into the state before anything is decided on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.model.clock import Clock
from campaignkit.model.outcomes import Outcome
from campaignkit.states.records import RequestRow, RequestState
from campaignkit.states.spills import Spilled, read_spill, spill_files
from campaignkit.states.store import Store


def take_in(store: Store, *, elsewhere: Path | None, clock: Clock, tell: Callable[[str], None]) -> None:
    """Take in what dead runs left beside the state (and in `elsewhere`), and tell of each outcome.

    A file is removed once everything of it is in the state; one that can't be read, or contradicts what a person has decided meanwhile,
    is kept under another name, with a line in the history.

    Raises:
        StateError: The state still can't take them; the files stay.
    """
    info = store.info()
    for path in spill_files(Path(info.path), lineage=info.lineage, elsewhere=elsewhere):
        try:
            spilled = read_spill(path, lineage=info.lineage)
        except StateError as error:
            _keep(store, path, str(error.message), clock, tell)
            continue
        refused = [trouble for one in spilled if (trouble := _take(store, one, tell))]
        if refused:
            _keep(store, path, "; ".join(refused), clock, tell)
        else:
            path.unlink(missing_ok=True)


def _take(store: Store, one: Spilled, tell: Callable[[str], None]) -> str:
    """Record one outcome; returns why it can't be, if it can't."""
    row = store.request(one.ref)
    if row is not None and _stands(row, one):
        return ""  # it was taken in before, and only the file was left
    waits = row is not None and row.attempts == one.attempt and row.state in {RequestState.INTENT, RequestState.UNKNOWN}
    if row is None or not waits:
        stands = f"stands as {row.state}" if row else "is not in the state"
        return f"{one.ref} was {one.result.outcome} by the provider, but {stands}"
    state = store.record(one.ref, one.attempt, one.result, one.at)
    tell(f"{one.ref}: its outcome, which an earlier run could not store, is stored now: {state}.")
    return ""


def _stands(row: RequestRow, one: Spilled) -> bool:
    """Whether the state holds this very acceptance: of a message, a draft, or its confirm, which brings no id.

    A draft holds only its own: a confirm of it that was accepted contradicts it.
    """
    if one.result.outcome is not Outcome.ACCEPTED or row.attempts != one.attempt:
        return False
    ids = {RequestState.ACCEPTED: {row.uuid, ""}, RequestState.DRAFT: {row.uuid}}
    return one.result.uuid in ids.get(row.state, set())


def _keep(store: Store, path: Path, why: str, clock: Clock, tell: Callable[[str], None]) -> None:
    kept = path.with_name(path.name + ".kept")
    store.note(kind="spill_kept", subject=path.name, detail=why, at=clock.now())
    path.replace(kept)
    tell(f"{why}. It is kept in {kept}; look into the provider's cabinet: somebody may have been sent to twice.")
