"""`campaignkit inbox`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from campaignkit.cli.commands.inbox_acking import ack
from campaignkit.cli.commands.inbox_looking import list_
from campaignkit.cli.options import Common, campaigns_argument, common_options, output_format, reveal_option
from campaignkit.reports.safe import hidden, line, plural

if TYPE_CHECKING:
    from campaignkit.engine.inbox import Pulled
    from campaignkit.model.replies import ReplyLine

_STOPPING = "Stopping: the answer under way is taken first. Once more ends it now; nothing is lost."


@click.group("inbox")
def command() -> None:
    """Replies to what was sent: pulled, stored, and marked as read only once they are stored."""


@command.command("pull")
@campaigns_argument
@reveal_option
@output_format("text", "json")
@common_options
def pull(common: Common, campaigns: tuple[str, ...], reveal: bool, form: str) -> int:
    """Ask for the replies to every mailing that can have some, and store them.

    Mailings older than the environment's inbox_age are left out. A reply that consists of one of the project's optout_words
    opts its phone out at once; those that come near are listed for a person. Marks nothing as read, never blocks an apply.
    """
    from campaignkit.cli.exit_codes import ExitCode
    from campaignkit.cli.holding import Holding, provider
    from campaignkit.cli.interrupts import CURRENT, break_off
    from campaignkit.cli.progress import requests_asked
    from campaignkit.cli.project import indexed
    from campaignkit.cli.secrets import read_token
    from campaignkit.engine.inbox import PullJob
    from campaignkit.engine.inbox_lines import reply_lines
    from campaignkit.states.lock import person

    opened, console = indexed(common), common.console
    environment, words = opened.environment, opened.project.optout_words
    holding = Holding(common.project, environment, tell=console.warn)
    if environment.is_sandbox:
        console.sandbox()
    holding.ensure_sandbox()
    stopped = [False]

    def stop() -> None:
        stopped[0] = True

    with contextlib.ExitStack() as stack:
        store = stack.enter_context(holding.shared_store())
        names = opened.known_campaigns(campaigns, [found.key.campaign for found in store.mailings()])
        reachable = stack.enter_context(provider(holding, read_token(environment)))
        reader = stack.enter_context(reachable.reader())
        with CURRENT.stopping(stop, break_off, _STOPPING) as clock, requests_asked(console) as tell:
            result = PullJob(
                store=store, reader=reader, clock=clock, environment=environment, words=words, campaigns=names, by=person(),
                tell=tell, stopped=lambda: stopped[0],
            ).run()  # fmt: skip
        # A copy of the state made before does not know who has opted out now.
        holding.remember(store)
        new = list(reply_lines(store, result.new, words))
    if form == "json":
        console.document(_pulled_document(result, new, environment.name, reveal=reveal, sandbox=environment.is_sandbox))
    else:
        from campaignkit.reports.inbox import replies_text

        for text in replies_text(new, reveal=reveal):
            console.data(text)
    for text in (*result.failures, *result.notes):
        console.warn(hidden(line(text)))
    _tell_pulled(common, result, new, environment.name)
    if stopped[0]:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if result.failures or result.left else ExitCode.DONE


def _pulled_document(result: Pulled, new: list[ReplyLine], environment: str, *, reveal: bool, sandbox: bool) -> dict[str, Any]:
    """The document of `schemas/inbox-pull.schema.json`."""
    from campaignkit.model.phones import shown
    from campaignkit.reports import inbox as report

    document = {
        "format_version": report.FORMAT_VERSION,
        "environment": environment,
        "mailings": result.mailings,
        "asked": result.asked,
        "unseen": result.unseen,
        "left": result.left,
        "new": [report.reply_document(one, reveal=reveal) for one in new],
        "opted_out": [shown(phone, reveal=reveal) for phone in result.opted_out],
        "failures": [hidden(text) for text in result.failures],
        "notes": [hidden(text) for text in result.notes],
    }
    return document | ({"sandbox": True} if sandbox else {})


def _tell_pulled(common: Common, result: Pulled, new: list[ReplyLine], environment: str) -> None:
    console = common.console
    unseen = f", {result.unseen:,} of which the provider does not show" if result.unseen else ""
    left = f"; {result.left:,} were not asked about" if result.left else ""
    console.say(
        f"{plural(result.mailings, 'request')} that may have replies{unseen}{left}: {len(result.new):,} new, "
        f"{len(result.opted_out):,} opted out."
    )
    near = [one for one in new if one.wish == "perhaps"]
    for one in near:
        if one.phone is None:
            console.warn(f"Reply {one.id} may ask for an opt-out, but names no readable phone: look into the provider's cabinet.")
        else:
            console.warn(f"Reply {one.id} may ask for an opt-out. If it does:")
            console.command(f"campaignkit optouts add --reply {one.id} --reason TEXT --env {environment}")
    if result.failures or result.left:
        console.command(f"campaignkit inbox pull --env {environment}")


for _other in (list_, ack):
    command.add_command(_other)
