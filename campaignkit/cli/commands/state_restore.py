"""`campaignkit state restore`."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, common_options

if TYPE_CHECKING:
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import Opened
    from campaignkit.engine.restoring import Restoring
    from campaignkit.engine.spool import Spool
    from campaignkit.states.store import Store

_SIDES = ("", "-wal", "-shm", "-journal")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--accept-lost-history", is_flag=True, help="Needed: nobody knows what was sent after the backup was made.")
@common_options
def restore(common: Common, file: Path, accept_lost_history: bool) -> int:
    """Put a backup back as the state, with everything after it unknown, never unsent.

    Everyone of the project's files whom the backup does not hold may have been sent to since: they are held back until somebody resolves
    them. The file that stood there is kept beside it under another name.
    """
    from campaignkit.cli.project import open_project, start
    from campaignkit.engine.spool import Spool
    from campaignkit.errors import RefusedError
    from campaignkit.reports.safe import people

    with start(common) as front, Spool() as spool:
        opened = open_project(front, common)
        environment = opened.environment
        if environment.is_sandbox:
            common.console.sandbox()
        if not accept_lost_history:
            raise RefusedError(
                f"{file} does not know what was sent after it was made. Restored, everyone of the project's files whom it does not hold "
                "is unknown: held back until somebody resolves them. Nothing was changed.",
                next_command=f"campaignkit state restore {file} --accept-lost-history --env {environment.name}",
            )
        from campaignkit.cli.holding import Holding

        holding = Holding(common.project, environment, tell=common.console.warn)
        with _restored(holding, file) as (store, draft):
            job = _settled(holding, opened, store, spool)
            store.close()
            kept = _put_in_place(holding, draft)
    common.console.say(f"{file} is the state of {environment.name} now." + (f" What stood there is kept as {kept.name}." if kept else ""))
    if job.people:
        common.console.warn(f"{people(job.people)} unknown: they may have been sent to since, and are held back until somebody decides.")
        common.console.command(f"campaignkit resolve --env {environment.name}")
    return 0


@contextlib.contextmanager
def _restored(holding: Holding, file: Path) -> Iterator[tuple[Store, Path]]:
    """A copy of the backup beside the state, open for changes, under the state's lock; gone again if anything fails."""
    from campaignkit.errors import StateError
    from campaignkit.states.lock import StateLock
    from campaignkit.states.opening import copy, open_store

    path, environment = holding.path, holding.environment
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.restoring-{secrets.token_hex(4)}")
    whose = {"environment": environment.name, "origin": environment.base_url}
    lineage = holding.recorded_lineage
    lock = StateLock(path)
    lock.acquire(timeout=0.0, command="state restore")
    try:
        copy(file, draft, **whose, lineage=lineage)
        store = open_store(draft, **whose, lineage=lineage)
        try:
            if problems := store.problems():
                raise StateError(f"{file} is damaged itself: {problems[0]}. Nothing was changed. Restore an older backup.")
            yield store, draft
        finally:
            store.close()
    finally:
        for side in _SIDES:
            draft.with_name(draft.name + side).unlink(missing_ok=True)
        lock.release()


def _settled(holding: Holding, opened: Opened, store: Store, spool: Spool) -> Restoring:
    """Make unknown whatever the backup can't know."""
    from campaignkit.engine.planner import PlanJob
    from campaignkit.engine.restoring import Restoring
    from campaignkit.errors import StateError
    from campaignkit.states.highwater import mark_of, marks_folder
    from campaignkit.states.opening import open_reader

    environment = holding.environment
    mark = 0 if environment.is_sandbox else mark_of(store.info().lineage, marks_folder())
    job = Restoring(store=store, clock=holding.clock, entropy=secrets.token_bytes, mark=mark)
    with contextlib.suppress(StateError):
        old = open_reader(holding.path, environment=environment.name, origin=environment.base_url, lineage=store.info().lineage)
        try:
            job.from_old_state(old)
        finally:
            old.close()
    # A time that lies before every schedule, and the refused too: whoever could have been sent to, whenever it was, counts.
    plan = PlanJob(
        front=opened.front, project=opened.project, environment=environment, index=opened.index, heads=opened.index.campaigns,
        reader=store, now=datetime.min.replace(tzinfo=UTC), retry_rejected=True, spool=spool,
    )  # fmt: skip
    plan.run()
    job.from_files(plan.batches, spool)
    holding.remember(store)
    return job


def _put_in_place(holding: Holding, draft: Path) -> Path | None:
    """Let the copy be the state; what stood there is kept under another name, which is returned."""
    from campaignkit.states.lockfile import sync_folder

    path = holding.path
    kept = path.with_name(f"{path.name}.before-restore-{holding.clock.now():%Y%m%dT%H%M%S}")
    stood = os.path.lexists(path)
    for side in _SIDES:
        old = path.with_name(path.name + side)
        if os.path.lexists(old):
            old.rename(kept.with_name(kept.name + side))
    draft.rename(path)
    sync_folder(path.parent)
    return kept if stood else None
