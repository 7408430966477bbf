"""`campaignkit mailings`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from campaignkit.cli.commands.state_looking import state_of
from campaignkit.cli.options import Common, common_options, output_format, reveal_option
from campaignkit.reports.safe import hidden, line, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from campaignkit.cli.holding import Holding
    from campaignkit.model.replies import Link
    from campaignkit.provider.port import Reader

_STOPPING = "Stopping: what was listed so far is shown. Once more ends it now."


@click.group("mailings")
def command() -> None:
    """The provider's own records of mailings, linked to what the state knows of them."""


@command.command("list")
@click.option("--unknown-here", is_flag=True, help="Only mailings that the state does not know: sent in the cabinet, or by others.")
@output_format("text", "json", "csv")
@common_options
def list_(common: Common, unknown_here: bool, form: str) -> int:
    """Every mailing that the provider has, to the end of its list.

    Changes nothing, here or there. Without a state nothing is linked. Bulk requests are linked once `refresh` or `inbox pull` has
    learnt the ids of them.
    """
    from campaignkit.cli.exit_codes import ExitCode
    from campaignkit.cli.interrupts import CURRENT, break_off
    from campaignkit.engine.mailings import list_all, record_lines
    from campaignkit.engine.pace import Pace
    from campaignkit.reports import mailings as report

    holding, console = state_of(common), common.console
    known = _known(common, holding)
    stopped = [False]

    def stop() -> None:
        stopped[0] = True

    def tell(number: int) -> None:
        console.say(f"{plural(number, 'mailing')} listed …")

    with _reader(holding) as reader, CURRENT.stopping(stop, break_off, _STOPPING) as clock:
        listed = list_all(reader, pace=Pace(holding.environment.rate, clock), tell=tell, stopped=lambda: stopped[0])
    lines = list(record_lines(listed.records, known or {}, unknown_only=unknown_here))
    if form == "json":
        console.document(
            report.records_document(
                lines, environment=holding.environment.name, linked=known is not None, complete=listed.complete, notes=listed.notes,
                sandbox=holding.environment.is_sandbox,
            )
        )  # fmt: skip
    else:
        for text in report.records_csv(lines) if form == "csv" else report.records_text(lines):
            console.data(text)
    for note in listed.notes:
        console.warn(hidden(line(note)))
    if unknown_here:
        console.say(f"{len(lines):,} of {plural(len(listed.records), 'mailing')} that the state does not know.")
    else:
        console.say(f"{plural(len(lines), 'mailing')}.")
    if listed.complete:
        return ExitCode.DONE
    console.warn("The list is not whole.")
    return ExitCode.INTERRUPTED if stopped[0] else ExitCode.INCOMPLETE


@command.command("show")
@click.argument("message_id", metavar="ID")
@output_format("text", "json")
@common_options
def show(common: Common, message_id: str, form: str) -> int:
    """One mailing as the provider has it: its status, cost and content."""
    from campaignkit.engine.mailings import record_line
    from campaignkit.reports import mailings as report

    wanted = _digits(message_id)
    holding = state_of(common)
    known = _known(common, holding) or {}
    with _reader(holding) as reader, _told(wanted):
        record = reader.mailing(wanted)
    found = record_line(record, known.get(wanted.lstrip("0")))
    if form == "json":
        document = {"format_version": report.FORMAT_VERSION, "environment": holding.environment.name, **report.record_document(found)}
        common.console.document(document | ({"sandbox": True} if holding.environment.is_sandbox else {}))
    else:
        common.console.data(report.record_text(found))
    return 0


@command.command("deliveries")
@click.argument("message_id", metavar="ID")
@reveal_option
@output_format("text", "json", "csv")
@common_options
def deliveries(common: Common, message_id: str, reveal: bool, form: str) -> int:
    """Everyone of a mailing to a list, as the provider has it: phones, statuses, error codes."""
    from campaignkit.engine.mailings import delivery_lines
    from campaignkit.reports import mailings as report

    wanted = _digits(message_id)
    holding, console = state_of(common), common.console
    with _reader(holding) as reader, _told(wanted):
        answer = reader.deliveries(wanted)
    found = list(delivery_lines(answer))
    if form == "json":
        console.document(
            report.deliveries_document(
                found, message_id=wanted, environment=holding.environment.name, notes=answer.notes, reveal=reveal,
                sandbox=holding.environment.is_sandbox,
            )
        )  # fmt: skip
    else:
        for text in report.deliveries_csv(found, reveal=reveal) if form == "csv" else report.deliveries_text(found, reveal=reveal):
            console.data(text)
    for note in answer.notes:
        console.warn(hidden(line(note)))
    return 0


def _digits(message_id: str) -> str:
    from campaignkit.errors import UsageError

    if not (message_id.isascii() and message_id.isdecimal() and len(message_id) <= 18 and message_id.strip("0")):
        raise UsageError("ID is the provider's number of a mailing, as `campaignkit mailings list` shows it")
    return message_id


def _known(common: Common, holding: Holding) -> Mapping[str, Link] | None:
    """What the state knows, by the provider's ids; None where there is no state."""
    from campaignkit.engine.links import by_message_id

    holding.ensure_sandbox()
    if not holding.path.exists():
        common.console.warn(f"{holding.environment.name} has no state here: nothing is linked to what was sent with one.")
        return None
    reader = holding.open_reader()
    try:
        return by_message_id(reader)
    finally:
        reader.close()


@contextlib.contextmanager
def _reader(holding: Holding) -> Iterator[Reader]:
    from campaignkit.cli.holding import provider
    from campaignkit.cli.secrets import read_token

    with provider(holding, read_token(holding.environment)) as reachable, reachable.reader() as reader:
        yield reader


@contextlib.contextmanager
def _told(message_id: str) -> Iterator[None]:
    """An id that the provider does not know, in words that name it."""
    from campaignkit.errors import ProviderError
    from campaignkit.provider.port import NotVisibleError

    try:
        yield
    except NotVisibleError as error:
        raise ProviderError(
            f"Mailing {message_id}: {error.message}. Nothing was sent or changed.",
            next_command="campaignkit mailings list",
        ) from None
