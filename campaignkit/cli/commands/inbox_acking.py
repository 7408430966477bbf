"""The half of `campaignkit inbox` that changes something at the provider: ack."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from campaignkit.cli.options import Common, common_options, output_format
from campaignkit.reports.safe import hidden, line, plural

if TYPE_CHECKING:
    from campaignkit.engine.acking import Acked

_STOPPING = "Stopping: the answer under way is taken first. Once more ends it now; nothing is lost."


@click.command("ack")
@click.argument("replies", nargs=-1, type=click.IntRange(1), metavar="[REPLY]...")
@output_format("text", "json")
@common_options
def ack(common: Common, replies: tuple[int, ...], form: str) -> int:
    """Mark stored replies as read at the provider: these, by their numbers in `inbox list`, or all that are unread.

    What is marked the provider never gives again, so only what is stored here is. Where it marks fewer than it was asked to,
    it is asked which are still new, and the same command asks for those again.
    """
    from campaignkit.cli.commands.state_looking import state_of
    from campaignkit.cli.exit_codes import ExitCode
    from campaignkit.cli.holding import provider
    from campaignkit.cli.interrupts import CURRENT, break_off
    from campaignkit.cli.secrets import read_token
    from campaignkit.engine.acking import AckJob
    from campaignkit.engine.pace import Pace
    from campaignkit.errors import UsageError

    holding, console = state_of(common), common.console
    environment = holding.environment
    holding.ensure_sandbox()
    stopped = [False]

    def stop() -> None:
        stopped[0] = True

    with contextlib.ExitStack() as stack:
        store = stack.enter_context(holding.shared_store())
        rows = list(store.replies()) if replies else list(store.replies(unread=True))
        chosen = [row for row in rows if not replies or row.id in replies]
        if missing := sorted(set(replies) - {row.id for row in chosen}):
            raise UsageError(
                f"the state has no reply {missing[0]}; nothing was marked", next_command=f"campaignkit inbox list --env {environment.name}"
            )
        reachable = stack.enter_context(provider(holding, read_token(environment)))
        reader, marker = stack.enter_context(reachable.reader()), stack.enter_context(reachable.marker())
        with CURRENT.stopping(stop, break_off, _STOPPING) as clock:
            pace = Pace(environment.rate, clock)
            result = AckJob(store=store, marker=marker, reader=reader, clock=clock, pace=pace, stopped=lambda: stopped[0]).run(chosen)
    if form == "json":
        console.document(_acked_document(result, environment.name, sandbox=environment.is_sandbox))
    for text in (*result.failures, *result.notes):
        console.warn(hidden(line(text)))
    if result.nameless:
        nameless = plural(result.nameless, "reply", "replies")
        console.warn(f"{nameless} came without an id of the provider: that can be marked in its cabinet only.")
    rest = f"; {result.short:,} the provider still shows as new" if result.short else ""
    rest += f"; {result.left:,} were not marked" if result.left else ""
    console.say(f"{plural(result.acked, 'reply', 'replies')} marked as read of {result.replies:,}{rest}.")
    if result.short or result.left:
        console.command(" ".join(["campaignkit inbox ack", *map(str, replies), "--env", environment.name]))
    if stopped[0]:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if result.short or result.left else ExitCode.DONE


def _acked_document(result: Acked, environment: str, *, sandbox: bool) -> dict[str, Any]:
    """The document of `schemas/inbox-ack.schema.json`."""
    document = {
        "format_version": "1.0",
        "environment": environment,
        "replies": result.replies,
        "acked": result.acked,
        "short": result.short,
        "left": result.left,
        "nameless": result.nameless,
        "failures": [hidden(text) for text in result.failures],
        "notes": [hidden(text) for text in result.notes],
    }
    return document | ({"sandbox": True} if sandbox else {})
