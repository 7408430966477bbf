"""`campaignkit sandbox`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from campaignkit.cli.options import Common, common_options


@click.group("sandbox", invoke_without_command=False)
def command() -> None:
    """The stand-in provider: nobody is messaged."""


@command.command("serve")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8025,
    show_default=True,
    help="Port on loopback; 0 takes any free one.",
)
@click.option(
    "--data",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps what was accepted. [default: forgotten at the end]",
)
@click.option(
    "--scenario",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="JSON file that scripts faults, statuses and replies.",
)
@click.option("--strict", is_flag=True, help="Refuse what the documentation does not allow, also where it could be sent.")
@common_options
def serve(common: Common, port: int, data: Path | None, scenario: Path | None, strict: bool) -> int:
    """Serve the stand-in provider on loopback until it is interrupted.

    An environment whose base_url is the printed URL sends to it over real HTTP. What it accepted: GET /sandbox/ledger.
    """
    from campaignkit.errors import RefusedError
    from campaignkit.sandbox import server
    from campaignkit.sandbox.journal import JournalError
    from campaignkit.sandbox.loopback import PortError
    from campaignkit.sandbox.scenario import ScenarioError

    common.console.sandbox()
    try:
        server.serve(port, data, scenario, strict=strict, stream=sys.stdout)
    except (ScenarioError, JournalError, PortError) as error:
        raise RefusedError(str(error)) from None
    return 0
