"""The looking half of `campaignkit state`: list, show, export, verify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, common_options, output_format

if TYPE_CHECKING:
    from campaignkit.cli.holding import Holding


def state_of(common: Common) -> Holding:
    """Where the state of the chosen environment is."""
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import start

    with start(common) as front:
        from campaignkit.cli.project import choose_environment

        environment, _named = choose_environment(front.project(), common.environment)
    if environment.is_sandbox:
        common.console.sandbox()
    return Holding(common.project, environment, tell=common.console.warn)


@click.command("list")
@output_format("text", "json")
@common_options
def list_(common: Common, form: str) -> int:
    """The mailings this state knows, with how many people each was sent to."""
    holding = state_of(common)
    holding.ensure_sandbox()
    reader = holding.open_reader(any_age=True)
    try:
        info, mailings = reader.info(), list(reader.mailings())
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
        document = {
            "format_version": "1.0",
            "environment": info.environment,
            "lineage": info.lineage,
            "serial": info.serial,
            "mailings": rows,
        }
        common.console.document(document | ({"sandbox": True} if holding.environment.is_sandbox else {}))
        return 0
    for mailing in mailings:
        revision = f" (revision {mailing.key.revision})" if mailing.key.revision != 1 else ""
        common.console.data(f"{mailing.key}{revision}: {mailing.accepted:,} accepted of {mailing.claimed:,} held\n")
    if not mailings:
        common.console.say("The state is empty: nothing was sent yet.")
    return 0


@click.command("show")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many lines of the history.")
@output_format("text", "json")
@common_options
def show(common: Common, limit: int, form: str) -> int:
    """Who this state is, and its history."""
    holding = state_of(common)
    holding.ensure_sandbox()
    reader = holding.open_reader(any_age=True)
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


@click.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file (0600) instead of stdout.")
@common_options
def export(common: Common, out: Path | None) -> int:
    """Everything as JSON lines, with whole phone numbers: for audits and for moving house."""
    from campaignkit.reports.safe import json_text
    from campaignkit.states.export import export_records

    holding = state_of(common)
    holding.ensure_sandbox()
    reader = holding.open_reader(any_age=True)
    try:
        lines = (json_text(record) + "\n" for record in export_records(reader))
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


@click.command("verify")
@common_options
def verify(common: Common) -> int:
    """Check the state inside: pages, sums, claims. Exits with 5 if something is wrong."""
    from campaignkit.errors import StateError

    holding = state_of(common)
    holding.ensure_sandbox()
    reader = holding.open_reader(any_age=True)
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
