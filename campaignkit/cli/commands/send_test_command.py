"""`campaignkit send-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, common_options, lock_timeout_option, output_format, reveal_option

if TYPE_CHECKING:
    from campaignkit.cli.project import Opened
    from campaignkit.engine.testing import Sample
    from campaignkit.intake.talk import Front
    from campaignkit.model.replies import TestLine
    from campaignkit.model.settings import Environment

_STOPPING = "One message is under way: its answer is taken first. Once more gives it up as unknown."


@click.command("send-test")
@click.argument("mailing", metavar="CAMPAIGN/MAILING")
@click.option("--to", required=True, metavar="PHONE", help="Whom to send it to: one of the environment's test_phones.")
@click.option("--as", "rendered_for", metavar="PHONE", help="Whose message: a recipient of the mailing. [default: the first]")
@lock_timeout_option
@reveal_option
@output_format("text", "json")
@common_options
def command(
    common: Common, mailing: str, to: str, rendered_for: str | None, lock_timeout: float, reveal: bool, form: str
) -> int:  # fmt: skip
    """Send one message of a mailing to a phone of the team.

    The real rendering for one recipient, at once and as a quick message under the Viber name of the mailing or its sender,
    whatever its method and schedule; without SMS fallback. It costs what a message costs. Never a delivery: the recipient
    gets nothing, and apply sends to them as if there had been no test.
    """
    from campaignkit.cli.holding import Holding, provider
    from campaignkit.cli.interrupts import CURRENT, break_off
    from campaignkit.cli.phones import phone_of
    from campaignkit.cli.project import open_project, start
    from campaignkit.cli.secrets import read_token
    from campaignkit.cli.sending import sender
    from campaignkit.engine.testing import TestJob
    from campaignkit.reports import testing as report
    from campaignkit.reports.safe import plural

    campaign, slash, name = mailing.rpartition("/")
    if not slash or not campaign or not name:
        raise click.UsageError("send-test takes CAMPAIGN/MAILING")
    console = common.console
    phone = phone_of(to, warn=console.warn, what="--to")
    whose = phone_of(rendered_for, warn=console.warn, what="--as") if rendered_for is not None else None
    with start(common) as front:
        opened = open_project(front, common)
        environment = opened.environment
        if environment.is_sandbox:
            console.sandbox()
        found = _sample(front, opened, campaign, name, whose)
    _demand_test_phone(environment, phone)
    found.fields(phone)
    token = read_token(environment)
    holding = Holding(common.project, environment, tell=console.warn)
    with (
        holding.locked_store("send-test", timeout=lock_timeout, say=console.warn) as store,
        provider(holding, token) as reachable,
    ):
        if lost := store.recover_tests(holding.clock.now()):
            console.warn(f"{plural(lost, 'test message')} of a run that died may have gone out: unknown, and counted.")
        job = TestJob(
            store=store, sender=sender(reachable), clock=holding.clock, environment=environment, token=token,
            still_ours=holding.still_ours,
        )  # fmt: skip
        job.demand_room()
        with CURRENT.stopping(lambda: None, break_off, _STOPPING):
            line = job.run(found, phone)
    if form == "json":
        console.document(report.test_document(line, environment=environment.name, reveal=reveal, sandbox=environment.is_sandbox))
    else:
        console.data(report.test_text(line, reveal=reveal))
    return _told(common, line, mailing, environment.name)


def _told(common: Common, line: TestLine, mailing: str, environment: str) -> int:
    """The exit code, after what a person should know."""
    from campaignkit.cli.exit_codes import worst

    unknown, rejected = line.outcome == "unknown", line.outcome == "rejected"
    incomplete = line.outcome in {"throttled", "not_sent"}
    if unknown:
        common.console.warn(
            "It may have gone out: look at that phone. Nothing is repeated by itself; if it did not come, send another one."
        )
    elif rejected:
        common.console.warn("The provider refused it; nothing went out. Mend the mailing, and test it again.")
    elif incomplete:
        common.console.warn("Nothing went out; the same command again is safe.")
    if unknown or rejected or incomplete:
        common.console.command(f"campaignkit send-test {mailing} --to PHONE --env {environment}")
    return worst(unknown=unknown, interrupted=False, rejected=rejected, incomplete=incomplete)


def _sample(front: Front, opened: Opened, campaign: str, name: str, whose: int | None) -> Sample:
    from campaignkit.engine.testing import sample
    from campaignkit.errors import DefinitionError, RefusedError, UsageError

    heads = opened.select([campaign])
    names = {one.name for head in heads for one in head.mailings}
    if name not in names and all(head.campaign for head in heads):
        raise UsageError(f"{campaign} has no mailing {name!r}; it has: {', '.join(sorted(names))}")
    found = [sample(front, head.path, opened.environment.name, name, whose) for head in heads]
    if front.failed:
        raise DefinitionError(front.diagnostics)
    if found[0] is None:
        who = "--as names nobody who" if whose is not None else "nobody"
        why = "its audience is empty, or filtered, invalid or suppressed"
        raise RefusedError(f"{who} gets a message of {campaign}/{name}: {why}. Nothing was sent.")
    return found[0]


def _demand_test_phone(environment: Environment, phone: int) -> None:
    from campaignkit.errors import RefusedError

    if phone not in environment.test_phones:
        raise RefusedError(
            f"--to names no phone of test_phones of {environment.name} in campaignkit.yaml: test messages go to the team's own phones "
            "only. Nothing was sent."
        )
