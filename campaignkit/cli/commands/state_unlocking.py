"""`campaignkit state unlock`: for a run that is alive and does nothing any more."""

from __future__ import annotations

import json

import click

from campaignkit.cli.commands.state_looking import state_of
from campaignkit.cli.options import Common, common_options


@click.command("unlock")
@click.argument("holder_id", metavar="ID")
@click.option("--reason", default="", help="Why; kept in the history.")
@common_options
def unlock(common: Common, holder_id: str, reason: str) -> int:
    """Take the lock away from a run that is alive but stuck.

    The lock of a dead run frees itself. ID is the one that the refused command shows: it must be the holder's own. The stuck
    run stops by itself at its next step; what it has in flight becomes unknown when the next run begins, and nobody is sent
    to twice.
    """
    from campaignkit.errors import LockedError
    from campaignkit.reports.safe import line
    from campaignkit.states.lock import person, take_away

    holding = state_of(common)
    holding.ensure_sandbox()
    found = holding.holder()
    if found is None:
        common.console.say("Nobody holds the lock: there is nothing to unlock.")
        return 0
    if found.id != holder_id:
        raise LockedError(
            f"the state of {holding.environment.name} is locked by {found}, not by the holder {holder_id!r}. Nothing was sent or changed.",
            next_command=f"campaignkit state unlock {found.id} --env {holding.environment.name}" if found.id else "",
        )
    with holding.shared_store() as store:  # opened first: what can't be noted is not done
        taken = take_away(holding.path, holder_id)
        if taken is None:
            common.console.say("The lock was let go of meanwhile: there is nothing to unlock.")
            return 0
        detail = json.dumps({"holder": str(taken), "reason": reason.strip(), "by": person()}, ensure_ascii=False)
        store.note(kind="unlock", subject=holder_id, detail=detail, at=holding.clock.now())
    common.console.say(f"Took the lock away from {line(str(taken))}.")
    common.console.say("It stops by itself at its next step; better end it: what it has in flight is unknown once another run begins.")
    return 0
