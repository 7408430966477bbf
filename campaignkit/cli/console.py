"""Where words go: data to stdout, talk and progress to stderr, colour only where it is wanted."""

from __future__ import annotations

import os
import re
import shlex
import sys
from typing import Any, NamedTuple

import click

SANDBOX_LINE = "SANDBOX: nobody is messaged"
_ENVIRONMENT_SETTLED = re.compile("campaignkit (init|validate)|.* --(help|env )")
"""Commands that concern none, or name their own."""


class Console(NamedTuple):  # no dataclass: `--help` would pay for what they import
    """Output of one command. `verbosity`: -1 quiet, 0 usual, 1 more; `project` and `environment` are those that were named, if any."""

    color: bool | None = None
    verbosity: int = 0
    project: str = ""
    environment: str = ""

    def data(self, text: str) -> None:
        """Print data."""
        click.echo(text, nl=False, color=self.color)

    def document(self, document: object) -> None:
        """Print one JSON document."""
        from campaignkit.reports.safe import json_text

        click.echo(json_text(document, indent=2))

    def record(self, record: dict[str, Any]) -> None:
        """Print one JSON record on its own line, at once."""
        from campaignkit.reports.safe import json_text

        click.echo(json_text(record))
        self.flush()

    def flush(self) -> None:
        """Let it be read now."""
        if sys.stdout is not None:
            sys.stdout.flush()

    def say(self, text: str, *, style: str | None = None) -> None:
        """Tell people something, unless they asked for quiet."""
        if self.verbosity >= 0:
            self._err(text, style)

    def warn(self, text: str) -> None:
        """Tell people something they must not miss."""
        self._err(text, "yellow")

    def error(self, text: str) -> None:
        """Say what went wrong."""
        self._err(text, "red")

    def command(self, text: str) -> None:
        """The last line: the exact command to run."""
        click.echo(self.located(text), err=True)

    def located(self, command: str) -> str:
        """A command of ours, made to run from where the user stands, in the environment that was named."""
        if not command.startswith("campaignkit "):
            return command
        if self.environment and not _ENVIRONMENT_SETTLED.match(command):
            command += f" --env {shlex.quote(self.environment)}"
        return f"{command} --project {shlex.quote(self.project)}" if self.project else command

    def sandbox(self) -> None:
        """Say first that nobody is messaged."""
        self._err(SANDBOX_LINE, "cyan")

    def ask(self, question: str) -> str:
        """What a person at the terminal answers; aborts at the end of the input.

        A signal that comes meanwhile ends the command, even one that comes just before the wait.
        """
        from campaignkit.cli.interrupts import CURRENT

        click.echo(f"{question}: ", err=True, nl=False)
        CURRENT.wait_for(sys.stdin.fileno())
        answer = sys.stdin.readline()
        if not answer:
            raise click.Abort
        return answer.strip()

    def _err(self, text: str, style: str | None) -> None:
        click.secho(text, err=True, fg=style, color=self.color)

    @property
    def interactive(self) -> bool:
        """Whether somebody sits at both ends."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def wanted_color(choice: str) -> bool | None:
    """`--color`, NO_COLOR and FORCE_COLOR, in this order; None leaves it to the terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None
