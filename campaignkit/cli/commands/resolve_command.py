"""`campaignkit resolve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, common_options, output_format, reveal_option

if TYPE_CHECKING:
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import Opened
    from campaignkit.engine.resolver import Resolution


@click.command("resolve")
@click.argument("request_or_tag", required=False, metavar="[REQUEST-or-TAG]")
@click.option("--accepted", is_flag=True, help="It went out; with --uuid or --no-uuid.")
@click.option("--uuid", help="The provider's id of it; checked before it is believed.")
@click.option("--no-uuid", is_flag=True, help="Its id is not known: its statuses can't be asked for.")
@click.option("--abandon", is_flag=True, help="Leave it: these people are never sent this mailing. Always safe.")
@click.option("--not-sent", is_flag=True, help="It did not go out: these people are sent it again.")
@click.option("--reason", default="", help="Why; kept in the history. --not-sent needs one.")
@reveal_option
@output_format("text", "json")
@common_options
def command(
    common: Common, request_or_tag: str | None, accepted: bool, uuid: str | None, no_uuid: bool, abandon: bool, not_sent: bool,
    reason: str, reveal: bool, form: str,
) -> int:  # fmt: skip
    """List unknown requests, or settle one.

    An unknown request may have been sent; the program never repeats it. Look for its tag in the provider's cabinet, then say
    what you found. Doing nothing is safe: its people stay held back.
    """
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import indexed

    answer = _answer(accepted=accepted, uuid=uuid, no_uuid=no_uuid, abandon=abandon, not_sent=not_sent, reason=reason.strip())
    if (answer is None) != (request_or_tag is None):
        raise click.UsageError("a request and one of --accepted, --abandon, --not-sent belong together")
    opened = indexed(common)
    holding = Holding(common.project, opened.environment, tell=common.console.warn)
    if opened.environment.is_sandbox:
        common.console.sandbox()
    if answer is None or request_or_tag is None:
        _list(common, opened, holding, reveal=reveal, form=form)
    else:
        _settle(common, holding, request_or_tag, answer)
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
    from campaignkit.reports.resolve import unknown_document, unknown_text

    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        found = unknowns(reader, alive=holding.alive())
    finally:
        reader.close()
    environment = opened.environment
    if form == "json":
        common.console.document(unknown_document(found, environment=environment.name, sandbox=environment.is_sandbox, reveal=reveal))
        return
    price = opened.project.price
    common.console.data(
        unknown_text(
            found,
            now=holding.clock.now(),
            price=price.amount if price else None,
            currency=price.currency if price else "",
            reveal=reveal,
            env=environment.name,
        )
    )


def _settle(common: Common, holding: Holding, request_or_tag: str, answer: Resolution) -> None:
    from campaignkit.cli.holding import provider
    from campaignkit.cli.secrets import read_token
    from campaignkit.engine.resolver import resolve
    from campaignkit.states.records import RequestState

    token = read_token(holding.environment) if answer.uuid else ""
    with holding.locked_store("resolve") as store:
        store.recover(holding.clock.now())
        if answer.uuid:
            with provider(holding, token) as reachable, reachable.reader() as reader:
                row, people = resolve(store, holding.clock, request_or_tag, answer, reader)
        else:
            row, people = resolve(store, holding.clock, request_or_tag, answer, None)
    what = {
        RequestState.ACCEPTED: "count as accepted; they are not sent to again",
        RequestState.ABANDONED: "are given up; they are never sent this mailing",
        RequestState.RELEASED: "are free again: the next apply sends to them. Plans saved before are stale",
    }[answer.to]
    common.console.say(f"{row.ref}: {people:,} people {what}.")
