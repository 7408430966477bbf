"""`campaignkit state`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, common_options, output_format

if TYPE_CHECKING:
    from campaignkit.cli.holding import Holding


@click.group("state")
def command() -> None:
    """The store itself: who got what, kept where no file of the project can change it."""


def _holding(common: Common) -> Holding:
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import start

    with start(common) as front:
        from campaignkit.cli.project import choose_environment

        environment, _named = choose_environment(front.project(), common.environment)
    if environment.is_sandbox:
        common.console.sandbox()
    return Holding(common.project, environment)


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

    holding = _holding(common)
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


@command.command("list")
@output_format("text", "json")
@common_options
def list_(common: Common, form: str) -> int:
    """The mailings this state knows, with how many people each was sent to."""
    holding = _holding(common)
    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        mailings = list(reader.mailings())
    finally:
        reader.close()
    if form == "json":
        rows = [
            {
                "campaign": m.key.campaign,
                "revision": m.key.revision,
                "mailing": m.key.mailing,
                "claimed": m.claimed,
                "accepted": m.accepted,
            }
            for m in mailings
        ]
        document = {"format_version": "1.0", "environment": holding.environment.name, "mailings": rows}
        common.console.document(document | ({"sandbox": True} if holding.environment.is_sandbox else {}))
        return 0
    for mailing in mailings:
        revision = f" (revision {mailing.key.revision})" if mailing.key.revision != 1 else ""
        common.console.data(f"{mailing.key}{revision}: {mailing.accepted:,} accepted of {mailing.claimed:,} held\n")
    if not mailings:
        common.console.say("The state is empty: nothing was sent yet.")
    return 0


@command.command("show")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many lines of the history.")
@output_format("text", "json")
@common_options
def show(common: Common, limit: int, form: str) -> int:
    """Who this state is, and its history."""
    holding = _holding(common)
    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        info, events = reader.info(), list(reader.events(limit=limit))
    finally:
        reader.close()
    if form == "json":
        document = {
            "format_version": "1.0", "environment": info.environment, "origin": info.origin, "lineage": info.lineage, "serial": info.serial,
            "schema_version": info.schema_version, "releases": info.releases,
            "history": [{"id": e.id, "at": e.at.isoformat(), "kind": e.kind, "subject": e.subject, "detail": e.detail} for e in events],
        }  # fmt: skip
        common.console.document(document | ({"sandbox": True} if holding.environment.is_sandbox else {}))
        return 0
    from campaignkit.reports.safe import line

    lines = [
        f"state     {holding.environment.state} (schema {info.schema_version})",
        f"of        {info.environment} at {info.origin}",
        f"lineage   {info.lineage}",
        f"serial    {info.serial}",
        f"releases  {info.releases}",
        "history",
        *(
            f"  {event.at:%Y-%m-%d %H:%M:%S} {event.kind:<10} {line(event.subject, 60)} {line(event.detail, 200)}".rstrip()
            for event in events
        ),
    ]
    common.console.data("\n".join(lines) + "\n")
    return 0


@command.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file (0600) instead of stdout.")
@common_options
def export(common: Common, out: Path | None) -> int:
    """Everything as JSON lines, with whole phone numbers: for audits and for moving house."""
    from campaignkit.states.export import export_records

    holding = _holding(common)
    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in export_records(reader))
        if out is None:
            for text in lines:
                common.console.data(text)
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(_open_new(out, flags), "w", encoding="utf-8") as stream:
                stream.writelines(lines)
            common.console.say(f"Written to {out}: it holds whole phone numbers.")
    finally:
        reader.close()
    return 0


def _open_new(out: Path, flags: int) -> int:
    from campaignkit.errors import RefusedError

    try:
        return os.open(out, flags, 0o600)
    except OSError as error:
        raise RefusedError(f"{out} can't be made: {error.strerror}") from None


@command.command("verify")
@common_options
def verify(common: Common) -> int:
    """Check the state inside: pages, sums, claims. Exits with 5 if something is wrong."""
    from campaignkit.errors import StateError

    holding = _holding(common)
    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        problems = list(reader.problems())
    finally:
        reader.close()
    for problem in problems:
        common.console.error(problem)
    if problems:
        raise StateError(f"{holding.environment.state} is damaged ({len(problems)} problems). Send nothing with it; bring back a backup.")
    common.console.say("The state is sound.", style="green")
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
@common_options
def forget(common: Common, mailing: str, revision: int, reason: str, expect_people: int) -> int:
    """Forget who got a mailing, leaving a tombstone in the history.

    Their phones leave the state, and the same mailing, applied again, is sent to them again.
    """
    from campaignkit.errors import RefusedError, UsageError
    from campaignkit.model.mailings import MailingKey

    campaign, slash, name = mailing.partition("/")
    if not slash or not reason.strip():
        raise click.UsageError("forget takes CAMPAIGN/MAILING and a reason")
    key = MailingKey(campaign, revision, name)
    holding = _holding(common)
    with holding.locked_store("state forget") as store:
        store.recover(holding.clock.now())
        known = next((found for found in store.mailings() if found.key == key), None)
        if known is None:
            raise UsageError(
                f"the state knows no mailing {mailing} (revision {revision})",
                next_command=f"campaignkit state list --env {holding.environment.name}",
            )
        if known.claimed != expect_people:
            raise RefusedError(f"{mailing} holds {known.claimed:,} people, not {expect_people:,}. Nothing was forgotten.")
        people = store.forget(key, reason=reason.strip(), at=holding.clock.now())
    common.console.say(f"Forgot {people:,} people of {mailing}. Applied again, it is sent to them again; plans saved before are stale.")
    return 0
