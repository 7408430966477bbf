"""`campaignkit callbacks`."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from campaignkit.cli.commands.state_looking import state_of
from campaignkit.cli.options import Common, common_options, output_format
from campaignkit.reports.safe import line, plural

if TYPE_CHECKING:
    from collections import Counter

    from campaignkit.cli.holding import Holding
    from campaignkit.states.records import Taken

_MOST_PROBLEMS = 1_000


@click.group("callbacks")
def command() -> None:
    """What the provider posts to callback_url: kept as a hint, believed once its own statuses confirm it."""


_ENDING = "Ending: what is under way is stored first."
_LONG = 3600.0


@command.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; any but loopback is reachable by others.")
@click.option("--port", type=click.IntRange(0, 65535), default=8026, show_default=True, help="Port; 0 takes any free one.")
@common_options
def serve(common: Common, host: str, port: int) -> int:
    """Take callbacks over HTTP until it is interrupted.

    Keeps what is posted to the address of a request; everything else gets the same 404. Needs no token, takes no lock and
    changes no outcome: refresh and apply do, once the provider confirms it. Put it behind a reverse proxy that speaks https.
    """
    import threading

    from campaignkit.cli.interrupts import CURRENT, break_off
    from campaignkit.errors import RefusedError
    from campaignkit.receiver.inbox import Inbox
    from campaignkit.receiver.server import Receiver

    holding, console = _holding(common), common.console
    if not _is_loopback(host):
        console.warn(f"{host} is no loopback address: whoever reaches it can post here, unencrypted. A reverse proxy speaks https.")
    inbox = Inbox(holding.open_reader, holding.inbox_store, holding.clock.now)
    try:
        receiver = Receiver(inbox, host, port, tell=lambda text: console.say(line(text)))
    except OSError as error:
        raise RefusedError(f"{line(host, 100)}, port {port}: {error.strerror or error}.") from None
    told = threading.Event()
    with CURRENT.stopping(told.set, break_off, _ENDING) as clock, receiver:
        console.data(f"callbacks of {holding.environment.name}: {receiver.url}\n")
        console.flush()
        # The system may give a signal to any thread, and one that waits for an event would not hear of it.
        while not told.is_set():
            clock.sleep(_LONG)
    return 0


@command.command("ingest")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@output_format("text", "json")
@common_options
def ingest(common: Common, file: Path, form: str) -> int:
    """Take callbacks that a webhook elsewhere wrote down.

    FILE (- is standard input) holds one JSON object a line: {"url": …, "body": …}, with "path" as good as "url", and the
    body as text or as JSON. Other keys are left alone. What was taken before is not taken twice.
    """
    from collections import Counter

    from campaignkit.cli.exit_codes import ExitCode
    from campaignkit.receiver.dump import read_dump
    from campaignkit.states.records import Taken
    from campaignkit.wire.callbacks import secret_hash

    holding, console = _holding(common), common.console
    counts: Counter[Taken] = Counter()
    problems: list[tuple[int, str]] = []
    bad = lines = 0
    with click.open_file(str(file), "rb") as stream, holding.inbox_store() as store:
        for one in read_dump(stream):
            lines += 1
            problem = one.problem
            if not problem:
                taken = store.take_callback(secret_hash(one.secret), one.body, holding.clock.now()) if one.secret else Taken.UNKNOWN
                counts[taken] += 1
                problem = "its request has as many callbacks as are kept" if taken is Taken.FULL else ""
            if problem:
                console.warn(f"{line(str(file))}:{one.number}: {line(problem)}")
                bad += bool(one.problem)
                problems += [(one.number, line(problem))] if len(problems) < _MOST_PROBLEMS else []
    if form == "json":
        console.document(_document(holding, lines, bad, counts, problems))
    console.say(
        f"{plural(lines, 'line')}: {counts[Taken.STORED]:,} kept, {counts[Taken.REPEATED]:,} kept before, "
        f"{counts[Taken.UNKNOWN]:,} to no request of this state, {bad:,} bad."
    )
    if bad:
        console.command(f"campaignkit callbacks ingest {file} --env {holding.environment.name}")
        return ExitCode.INVALID
    if counts[Taken.STORED]:
        console.say(f"What they are worth: campaignkit refresh --env {holding.environment.name}")
    return ExitCode.DONE


def _holding(common: Common) -> Holding:
    """The state, found to be sound before anything is promised."""
    holding = state_of(common)
    holding.ensure_sandbox()
    holding.open_reader().close()
    if not holding.environment.callback_url:
        common.console.warn(f"{holding.environment.name} has no callback_url: its requests ask for no callbacks.")
    return holding


def _document(holding: Holding, lines: int, bad: int, counts: Counter[Taken], problems: list[tuple[int, str]]) -> dict[str, object]:
    """The document of `schemas/callbacks-ingest.schema.json`."""
    from campaignkit.states.records import Taken

    return {
        "format_version": "1.0",
        "environment": holding.environment.name,
        "lines": lines,
        **{str(taken): counts[taken] for taken in Taken},
        "bad": bad,
        "problems": [{"line": number, "message": text} for number, text in problems],
        **({"sandbox": True} if holding.environment.is_sandbox else {}),
    }


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
