"""`campaignkit state`."""

from __future__ import annotations

import click

from campaignkit.cli.commands.state_looking import export, list_, show, state_of, verify
from campaignkit.cli.commands.state_restore import restore
from campaignkit.cli.commands.state_unlocking import unlock
from campaignkit.cli.options import Common, common_options, lock_timeout_option


@click.group("state")
def command() -> None:
    """The store itself: who got what, kept where no file of the project can change it."""


@command.command("init")
@click.option(
    "--replace-lost",
    metavar="LINEAGE",
    help="Make a new state although this recorded one is lost: everyone may be sent to again.",
)
@click.option("--reason", help="Why; needed with --replace-lost, kept in the history.")
@common_options
def init(common: Common, replace_lost: str | None, reason: str | None) -> int:
    """Make the state of an environment, once, and record it in campaignkit.lock.

    Commit campaignkit.lock: it is how every other machine knows which state is the right one. Where one stands there already
    this refuses.
    """
    from campaignkit.cli.holding import new_lineage
    from campaignkit.errors import StateError
    from campaignkit.states.lockfile import Pin, read_pins, write_pins
    from campaignkit.states.opening import create, open_store

    holding = state_of(common)
    environment = holding.environment
    if (replace_lost is None) != (not reason):
        raise click.UsageError("--replace-lost LINEAGE and --reason TEXT belong together")
    if environment.is_sandbox:
        holding.ensure_sandbox()
        common.console.say(f"{environment.state} is there; the embedded sandbox's state makes itself.")
        return 0
    entry = read_pins(common.project).get(environment.name)
    if entry is not None and replace_lost != entry.lineage:
        raise StateError(
            f"campaignkit.lock records a state of {environment.name} already (lineage {entry.lineage}). Nothing was made. Bring that file "
            f"to {environment.state}; only if it is lost for good, and everyone in it may be sent to again, replace it:",
            next_command=f"campaignkit state init --env {environment.name} --replace-lost {entry.lineage} --reason TEXT",
        )
    if entry is None and replace_lost is not None:
        raise StateError(
            f"campaignkit.lock records no state of {environment.name}: there is nothing to replace.",
            next_command=f"campaignkit state init --env {environment.name}",
        )
    lineage = new_lineage()
    at = holding.clock.now()
    create(holding.path, environment=environment.name, origin=environment.base_url, lineage=lineage, at=at)
    pins = dict(read_pins(common.project))
    pins[environment.name] = Pin(lineage=lineage, origin=environment.base_url)
    write_pins(common.project, pins)
    if replace_lost is not None:
        store = open_store(holding.path, environment=environment.name, origin=environment.base_url, lineage=lineage)
        store.note(kind="replaced", subject=replace_lost, detail=reason or "", at=at)
        store.close()
    common.console.say(f"Made {environment.state} (lineage {lineage}) for {environment.name} at {environment.base_url}.")
    common.console.say("Commit campaignkit.lock. Never commit the state: it holds phone numbers; back it up, it is who got what.")
    return 0


@command.command("forget")
@click.argument("mailing", metavar="CAMPAIGN/MAILING")
@click.option("--revision", type=click.IntRange(1), default=1, show_default=True, help="Which revision of it.")
@click.option("--reason", required=True, help="Why; kept in the history.")
@click.option(
    "--expect-people",
    type=click.IntRange(0),
    required=True,
    metavar="N",
    help="How many people it must be; else nothing is forgotten.",
)
@lock_timeout_option
@common_options
def forget(common: Common, mailing: str, revision: int, reason: str, expect_people: int, lock_timeout: float) -> int:
    """Forget who got a mailing, leaving a tombstone in the history.

    Their phones leave the state, and the same mailing, applied again, is sent to them again.
    """
    from campaignkit.errors import RefusedError, UsageError
    from campaignkit.model.mailings import MailingKey
    from campaignkit.plans.cache import cache_folder, forget_plans
    from campaignkit.states.lock import person

    campaign, slash, name = mailing.partition("/")
    if not slash or not reason.strip():
        raise click.UsageError("forget takes CAMPAIGN/MAILING and a reason")
    key = MailingKey(campaign, revision, name)
    holding = state_of(common)
    with holding.locked_store("state forget", timeout=lock_timeout, say=common.console.warn) as store:
        store.recover(holding.clock.now())
        known = next((found for found in store.mailings() if found.key == key), None)
        if known is None:
            raise UsageError(
                f"the state knows no mailing {mailing} (revision {revision})",
                next_command=f"campaignkit state list --env {holding.environment.name}",
            )
        if known.claimed != expect_people:
            message = f"{mailing} holds {known.claimed:,} people, not {expect_people:,}. Nothing was forgotten."
            raise RefusedError(message, next_command=f"campaignkit state list --env {holding.environment.name}")
        holding.demand_lock()
        people = store.forget(key, reason=reason.strip(), at=holding.clock.now(), by=person())
    forget_plans(cache_folder())  # they hold phones, too
    common.console.say(f"Forgot {people:,} people of {mailing}. Applied again, it is sent to them again; plans saved before are stale.")
    return 0


for _other in (list_, show, export, verify, restore, unlock):
    command.add_command(_other)
