"""Options that every command takes, before or after its name, defined once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import click

from campaignkit.cli.console import Console, wanted_color
from campaignkit.cli.durations import Duration

F = TypeVar("F", bound=Callable[..., Any])


class Common(NamedTuple):
    """What the options common to all commands say; `environment` is empty where none was named."""

    project: Path
    environment: str
    console: Console


_NAMES = ("project", "env", "color", "quiet", "verbose")


def _declare(function: F) -> F:
    for option in (
        click.option("--project", type=click.Path(file_okay=False, path_type=Path), help="The project's folder. [default: .]"),
        click.option("--env", metavar="NAME", help="The environment. [env: CAMPAIGNKIT_ENV; default: as campaignkit.yaml says]"),
        click.option("--color", type=click.Choice(["auto", "always", "never"]), help="When to colour. [default: auto]"),
        click.option("-q", "--quiet", is_flag=True, default=None, help="Only data and errors."),
        click.option("-v", "--verbose", is_flag=True, default=None, help="More detail."),
    ):
        function = option(function)
    return function


def group_options(function: F) -> F:
    """For the group: keep what was said before the command's name."""

    @wraps(function)
    def wrapper(**values: Any) -> None:
        context = click.get_current_context()
        context.ensure_object(dict).update({name: values[name] for name in _NAMES if values[name] is not None})

    return _declare(cast("F", wrapper))


def common_options(function: F) -> F:
    """For a command: merge both places, and hand over a `Common` as first argument."""

    @wraps(function)
    def wrapper(**values: Any) -> Any:
        context = click.get_current_context()
        said = dict(context.obj or {})
        for name in _NAMES:
            value = values.pop(name)
            if value is not None:
                said[name] = value
        common = _common(said)
        try:
            return function(common, **values)
        except Exception as error:
            from campaignkit.errors import CampaignKitError

            if not isinstance(error, CampaignKitError):
                where = f" --env {common.environment}" if common.environment else ""
                error.add_note(common.console.located(f"campaignkit status{where}"))
            elif error.next_command:
                error.next_command = common.console.located(error.next_command)
            raise

    return _declare(cast("F", wrapper))


def _common(said: dict[str, Any]) -> Common:
    import os

    verbosity = -1 if said.get("quiet") else 1 if said.get("verbose") else 0
    project = said.get("project")
    console = Console(wanted_color(said.get("color", "auto")), verbosity, str(project or ""), said.get("env", ""))
    return Common(project or Path(), said.get("env") or os.environ.get("CAMPAIGNKIT_ENV", ""), console)


def output_format(*names: str) -> Callable[[F], F]:
    """`--format`, with the formats a command knows; the first is the default."""
    return click.option("--format", "form", type=click.Choice(names), default=names[0], show_default=True, help="How to print.")


campaigns_argument = click.argument("campaigns", nargs=-1, metavar="[CAMPAIGN]...")
lock_timeout_option = click.option(
    "--lock-timeout",
    type=Duration(),
    default="0s",
    show_default=True,
    metavar="DURATION",
    help="How long to wait for another run, as 30s or 2m.",
)
reveal_option = click.option("--reveal", is_flag=True, help="Show whole phone numbers.")
