"""`campaignkit refresh`."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import click

from campaignkit.cli.options import Common, campaigns_argument, common_options, output_format
from campaignkit.reports.safe import plural

if TYPE_CHECKING:
    from campaignkit.engine.refresher import Refreshed
    from campaignkit.model.settings import Environment


_STOPPING = "Stopping: the answer under way is taken first. Once more ends it now; nothing is lost."


@click.command("refresh")
@campaigns_argument
@click.option("--watch", is_flag=True, help="Go on until all are delivered, read, failed, or past the horizon.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0), help="End --watch after this many seconds.")
@output_format("text", "json")
@common_options
def command(common: Common, campaigns: tuple[str, ...], watch: bool, timeout: float | None, form: str) -> int:
    """Ask the provider for statuses and store them.

    First settles what callbacks tell of unknown requests, where the provider's own statuses confirm it. Sends nothing to
    anybody, and never blocks an apply. Errors of the provider are shown at the campaign file and line they concern, from
    the first poll that brings them.
    """
    from campaignkit.cli.exit_codes import worst
    from campaignkit.cli.holding import Holding, provider
    from campaignkit.cli.interrupts import CURRENT, break_off
    from campaignkit.cli.progress import requests_asked
    from campaignkit.cli.project import indexed
    from campaignkit.cli.secrets import read_token
    from campaignkit.cli.settling import records, settle
    from campaignkit.engine.overview import overview
    from campaignkit.engine.refresher import RefreshJob
    from campaignkit.reports import status as report
    from campaignkit.reports.safe import hidden, line

    opened = indexed(common)
    environment, console = opened.environment, common.console
    holding = Holding(common.project, environment, tell=common.console.warn)
    if environment.is_sandbox:
        console.sandbox()
    holding.ensure_sandbox()
    stopped = [False]
    chance = random.Random()  # noqa: S311 - jitter of pauses, no secret

    def stop() -> None:
        stopped[0] = True

    with contextlib.ExitStack() as stack:
        store = stack.enter_context(holding.shared_store())
        names = opened.known_campaigns(campaigns, [found.key.campaign for found in store.mailings()])
        reachable = stack.enter_context(provider(holding, read_token(environment)))
        reader = stack.enter_context(reachable.reader())
        told: list[dict[str, object]] = []
        with CURRENT.stopping(stop, break_off, _STOPPING) as clock:
            job = RefreshJob(
                store=store,
                reader=reader,
                clock=clock,
                environment=environment,
                campaigns=names,
                stopped=lambda: stopped[0],
                before=lambda: told.extend(records(settle(holding, store, lambda: reader, console, lambda: stopped[0]))),
            )
            if watch:
                result = job.watch(timeout=timeout, chance=chance, heard=lambda found: _heard(common, found))
            else:
                with requests_asked(console) as job.tell:
                    result = job.once()
        view = overview(store, environment, opened.index, campaigns=names, alive=holding.alive())
    mailings = [mailing for campaign in view.campaigns for mailing in campaign.mailings]
    if form == "json":
        console.document(_document(environment, result, mailings, told))
    else:
        console.data(report.status_text(view))
    for text in (*result.failures, *result.notes):
        console.warn(hidden(line(text)))
    _say(common, result)
    rejected = any(mailing.errors and not mailing.statuses for mailing in mailings) or any(mailing.rejected for mailing in mailings)
    unknown = any(mailing.unknown - _abandoned(mailing) > 0 for mailing in mailings)
    again = " ".join(["refresh", *campaigns, *(["--watch"] if watch else [])])
    next_command = "resolve" if unknown else again if result.failures or stopped[0] else "status --failed" if rejected else ""
    if next_command:
        console.command(f"campaignkit {next_command} --env {environment.name}")
    return worst(unknown=unknown, interrupted=stopped[0], rejected=rejected, incomplete=bool(result.failures))


def _abandoned(mailing: Any) -> int:
    return sum(request.recipients for request in mailing.requests if request.outcome in {"abandoned", "in_flight"})


def _document(environment: Environment, result: Refreshed, mailings: list[Any], told: list[dict[str, object]]) -> dict[str, Any]:
    """The document of `schemas/refresh.schema.json`."""
    from campaignkit.reports import status as report
    from campaignkit.reports.safe import hidden

    document: dict[str, Any] = {
        "format_version": report.FORMAT_VERSION,
        "environment": environment.name,
        "requests": result.requests,
        "polled": result.polled,
        "changed": result.changed,
        "final": result.final,
        "statuses": _statuses(mailings),
        "errors": [report.error_document(error) for mailing in mailings for error in mailing.errors],
        "failures": [hidden(text) for text in result.failures],
        "settled": _of(told, "settled"),
        "alarms": _of(told, "alarm"),
    }
    return document | ({"sandbox": True} if environment.is_sandbox else {})


def _of(told: list[dict[str, object]], kind: str) -> list[dict[str, object]]:
    return [{key: value for key, value in record.items() if key != "type"} for record in told if record["type"] == kind]


def _statuses(mailings: list[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for mailing in mailings:
        for word, number in mailing.statuses.items():
            found[word] = found.get(word, 0) + number
    return dict(sorted(found.items()))


def _heard(common: Common, found: Refreshed) -> None:
    if found.polled:
        common.console.say(f"{plural(found.polled, 'request')} asked, {plural(found.changed, 'change')}, {found.pending:,} still under way")


def _say(common: Common, result: Refreshed) -> None:
    rest = "all settled" if result.settled else f"{plural(result.pending, 'request')} still under way"
    common.console.say(f"{result.polled:,} of {result.requests:,} accepted requests asked, {plural(result.changed, 'change')}; {rest}.")
