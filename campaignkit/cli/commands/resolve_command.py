"""`campaignkit resolve`."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, common_options, lock_timeout_option, output_format, reveal_option

if TYPE_CHECKING:
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import Opened
    from campaignkit.engine.resolver import Resolution
    from campaignkit.states.records import RequestRow


@click.command("resolve")
@click.argument("request_or_tag", required=False, metavar="[REQUEST-or-TAG]")
@click.option("--accepted", is_flag=True, help="It went out; with --uuid or --no-uuid.")
@click.option("--uuid", help="The provider's id of it; checked before it is believed.")
@click.option("--no-uuid", is_flag=True, help="Its id is not known: its statuses can't be asked for.")
@click.option("--abandon", is_flag=True, help="Leave it: these people are never sent this mailing. Always safe.")
@click.option("--not-sent", is_flag=True, help="It did not go out: these people are sent it again.")
@click.option("--reason", default="", help="Why; kept in the history. --not-sent needs one.")
@click.option(
    "--expect-people",
    type=click.IntRange(0),
    metavar="N",
    help="With --not-sent: how many people get it twice if it did go out after all.",
)
@lock_timeout_option
@reveal_option
@output_format("text", "json")
@common_options
def command(
    common: Common, request_or_tag: str | None, accepted: bool, uuid: str | None, no_uuid: bool, abandon: bool, not_sent: bool,
    reason: str, expect_people: int | None, lock_timeout: float, reveal: bool, form: str,
) -> int:  # fmt: skip
    """List unknown requests, or settle one.

    An unknown request may have been sent; the program never repeats it. Look for its tag in the provider's cabinet, then say
    what you found. Doing nothing is safe: its people stay held back. --not-sent is taken only once nothing can be under way
    any more, and with the number of its people.
    """
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import indexed

    answer = _answer(accepted=accepted, uuid=uuid, no_uuid=no_uuid, abandon=abandon, not_sent=not_sent, reason=reason.strip())
    if expect_people is not None and not not_sent:
        raise click.UsageError("--expect-people goes with --not-sent")
    if (answer is None) != (request_or_tag is None):
        raise click.UsageError("a request and one of --accepted, --abandon, --not-sent belong together")
    opened = indexed(common)
    holding = Holding(common.project, opened.environment, tell=common.console.warn)
    if opened.environment.is_sandbox:
        common.console.sandbox()
    if answer is None or request_or_tag is None:
        _list(common, opened, holding, reveal=reveal, form=form)
    else:
        _settle(common, holding, request_or_tag, replace(answer, expect_people=expect_people), lock_timeout)
    return 0


def _answer(*, accepted: bool, uuid: str | None, no_uuid: bool, abandon: bool, not_sent: bool, reason: str) -> Resolution | None:
    from campaignkit.engine.resolver import Resolution
    from campaignkit.states.records import RequestState

    if accepted + abandon + not_sent > 1:
        raise click.UsageError("say one of --accepted, --abandon, --not-sent")
    if (uuid is not None or no_uuid) and not accepted:
        raise click.UsageError("--uuid and --no-uuid go with --accepted")
    if accepted:
        if (uuid is None) == (not no_uuid):
            raise click.UsageError("--accepted needs either --uuid UUID or --no-uuid")
        return Resolution(to=RequestState.ACCEPTED, uuid=uuid or "", reason=reason or "accepted, by a person")
    if abandon:
        return Resolution(to=RequestState.ABANDONED, reason=reason or "abandoned, by a person")
    if not_sent:
        if not reason:
            raise click.UsageError("--not-sent needs --reason TEXT: how do you know?")
        return Resolution(to=RequestState.RELEASED, reason=reason)
    return None


def _list(common: Common, opened: Opened, holding: Holding, *, reveal: bool, form: str) -> None:
    from campaignkit.engine.resolver import unknowns
    from campaignkit.reports.resolve import Seen, unknown_document, unknown_text

    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        found = unknowns(reader, holding.environment, alive=holding.alive())
    finally:
        reader.close()
    seen = Seen(environment=opened.environment, now=holding.clock.now(), price=opened.project.price, reveal=reveal)
    if form == "json":
        common.console.document(unknown_document(found, seen))
    else:
        common.console.data(unknown_text(found, seen))


def _settle(common: Common, holding: Holding, request_or_tag: str, answer: Resolution, lock_timeout: float) -> None:
    from campaignkit.cli.holding import provider
    from campaignkit.cli.secrets import read_token
    from campaignkit.engine.resolver import Desk
    from campaignkit.reports.safe import people as counted
    from campaignkit.states.lock import person
    from campaignkit.states.records import RequestState

    token = read_token(holding.environment) if answer.uuid else ""
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(holding.locked_store("resolve", timeout=lock_timeout, say=common.console.warn))
        store.recover(holding.clock.now())
        desk = Desk(
            store=store, clock=holding.clock, environment=holding.environment,
            ask=lambda row: _ask(common, row), demand_lock=holding.demand_lock,
        )  # fmt: skip
        if answer.uuid:
            reachable = stack.enter_context(provider(holding, token))
            desk = replace(desk, reader=stack.enter_context(reachable.reader()))
        row, now = desk.settle(request_or_tag, replace(answer, by=person()))
    what = {
        RequestState.ACCEPTED: "accepted; not sent to again",
        RequestState.ABANDONED: "given up; never sent this mailing",
        RequestState.RELEASED: "free again, and the next apply sends to them. Plans saved before are stale",
        RequestState.DRAFT: "a draft that nobody confirmed; the next apply confirms it, or campaignkit confirm",
    }[now]
    common.console.say(f"{row.ref}: {counted(row.recipients)}: {what}.")


def _ask(common: Common, row: RequestRow) -> int | None:
    """The number that a person types; None where nobody sits at the terminal."""
    if not common.console.interactive:
        return None
    question = f"If {row.ref} did go out, all its people get it twice. How many are they"
    answer = common.console.ask(question)
    return int(answer) if answer.isascii() and answer.isdecimal() else -1
