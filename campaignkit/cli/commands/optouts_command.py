"""`campaignkit optouts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from campaignkit.cli.commands.state_looking import state_of
from campaignkit.cli.options import Common, common_options, lock_timeout_option, output_format, reveal_option

if TYPE_CHECKING:
    from campaignkit.states.store import Store


@click.group("optouts")
def command() -> None:
    """Who wants nothing more: no plan of any campaign sends to them."""


@command.command("list")
@reveal_option
@output_format("text", "json", "csv")
@common_options
def list_(common: Common, reveal: bool, form: str) -> int:
    """Everybody who opted out, with the reason."""
    from campaignkit.engine.inbox_lines import optout_lines
    from campaignkit.reports import inbox as report
    from campaignkit.reports.safe import people

    holding = state_of(common)
    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        found = optout_lines(reader)
    finally:
        reader.close()
    sandbox = holding.environment.is_sandbox
    if form == "json":
        common.console.document(
            report.optouts_document(found, environment=holding.environment.name, reveal=reveal, sandbox=sandbox)
        )  # fmt: skip
    else:
        for text in report.optouts_csv(found, reveal=reveal) if form == "csv" else report.optouts_text(found, reveal=reveal):
            common.console.data(text)
    common.console.say(f"{people(len(found))} opted out.")
    return 0


@command.command("add")
@click.argument("phone", required=False, metavar="[PHONE]")
@click.option("--reply", "reply_id", type=click.IntRange(1), metavar="ID", help="Whoever wrote this reply, by its number in `inbox list`.")
@click.option("--reason", required=True, help="Why; kept, and shown in every list.")
@lock_timeout_option
@common_options
def add(common: Common, phone: str | None, reply_id: int | None, reason: str, lock_timeout: float) -> int:
    """Opt somebody out: no plan sends to them any more."""
    from campaignkit.cli.phones import phone_of
    from campaignkit.model.phones import masked
    from campaignkit.states.lock import person

    if (phone is None) == (reply_id is None) or not reason.strip():
        raise click.UsageError("optouts add takes either a PHONE or --reply ID, and a reason")
    number = phone_of(phone, warn=common.console.warn) if phone is not None else 0
    holding = state_of(common)
    with holding.locked_store("optouts add", timeout=lock_timeout, say=common.console.warn) as store:
        number = number or _writer(store, reply_id)
        holding.demand_lock()
        new = store.opt_out(number, reason=reason.strip(), at=holding.clock.now(), by=person(), reply=reply_id)
    what = "is opted out: no plan sends to them any more, and plans saved before are stale" if new else "was opted out already"
    common.console.say(f"{masked(number)} {what}.")
    return 0


@command.command("remove")
@click.argument("phone")
@click.option("--reason", required=True, help="Why: who asked for it, and how. Kept in the history.")
@lock_timeout_option
@common_options
def remove(common: Common, phone: str, reason: str, lock_timeout: float) -> int:
    """Take an opt-out back: plans send to this person again."""
    from campaignkit.cli.phones import phone_of
    from campaignkit.errors import UsageError
    from campaignkit.model.phones import masked
    from campaignkit.states.lock import person

    if not reason.strip():
        raise click.UsageError("optouts remove needs a reason")
    number = phone_of(phone, warn=common.console.warn)
    holding = state_of(common)
    with holding.locked_store("optouts remove", timeout=lock_timeout, say=common.console.warn) as store:
        holding.demand_lock()
        if not store.opt_in(number, reason=reason.strip(), at=holding.clock.now(), by=person()):
            raise UsageError(
                f"{masked(number)} is not opted out here; a phone in a suppress file is taken out of that file. Nothing changed",
                next_command=f"campaignkit optouts list --env {holding.environment.name}",
            )
    common.console.say(f"{masked(number)} is sent to again; plans saved before are stale.")
    return 0


def _writer(store: Store, reply_id: int | None) -> int:
    """Whose reply it is."""
    from campaignkit.errors import RefusedError, UsageError

    found = next((row for row in store.replies() if row.id == reply_id), None)
    if found is None:
        raise UsageError(f"the state has no reply {reply_id}", next_command="campaignkit inbox list")
    if found.phone is None:
        raise RefusedError(
            f"reply {reply_id} names no readable phone: find it in the provider's cabinet, and opt it out by its number. Nothing changed."
        )
    return found.phone
