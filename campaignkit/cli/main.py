"""The command `campaignkit`: a lazy group, and the one place where errors become words and exit codes."""

from __future__ import annotations

import contextlib
import importlib
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any, cast

import click

from campaignkit import __version__
from campaignkit.cli.console import Console
from campaignkit.cli.options import group_options

if TYPE_CHECKING:
    from campaignkit.errors import CampaignKitError

# The commands and their short help, so that `--help` imports none of them.
COMMANDS = {
    "init": "Make a new project that works against the sandbox at once.",
    "validate": "Find every problem of definitions, audiences and templates.",
    "compile": "Print the request bodies of the whole audience.",
    "render": "Show the messages as people get them.",
    "plan": "Show what apply would do, and why.",
    "apply": "Send exactly what the plan shows, each person once.",
    "confirm": "Confirm the draft of a mailing to a list of the provider.",
    "send-test": "Send one message of a mailing to a phone of the team.",
    "refresh": "Ask the provider for statuses and store them.",
    "status": "Show what the state knows of everyone.",
    "resolve": "List unknown requests, or settle one.",
    "inbox": "Replies: pull them, list them, mark them as read.",
    "optouts": "Who wants nothing more: list, add, remove.",
    "mailings": "The provider's own records: list, show, deliveries.",
    "callbacks": "Take what the provider posts: serve a receiver, or ingest a file.",
    "state": "The store itself: init, list, show, export, verify, forget, restore, unlock.",
    "sandbox": "The stand-in provider as a server on loopback.",
}


class LazyGroup(click.Group):
    """Imports a command's module when it is asked for, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """In the order of a first day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click passes it
        """One command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"campaignkit.cli.commands.{cmd_name.replace('-', '_')}_command")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click passes it
        """The table of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a hint for a mistyped name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="campaignkit %(version)s")
@group_options
def cli(**_values: Any) -> None:
    """Campaigns as code for SMS.by's Viber API: plan, review, and send each person exactly once."""


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code and prints whatever went wrong."""
    from campaignkit.cli.exit_codes import ExitCode

    try:
        result = cli.main(args=arguments, prog_name="campaignkit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    except click.UsageError as error:
        error.show()
        click.echo(f"Nothing was sent.\n{_help(arguments)}", err=True)
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        click.echo(_again(arguments), err=True)
        return ExitCode.UNEXPECTED
    except (click.Abort, KeyboardInterrupt):
        # A command that has begun to send takes signals itself, and ends with its receipt.
        with contextlib.suppress(OSError):  # the terminal may be gone: that is what SIGHUP says
            click.echo(f"Interrupted. Nothing was sent.\n{_again(arguments)}", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; what was sent is recorded, and there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a user
        return _failed(error, arguments)
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _again(arguments: list[str]) -> str:
    """The same command, where it can be shown; else its help."""
    from campaignkit.reports.safe import hidden, line

    command = shlex.join(["campaignkit", *arguments])
    return command if command == hidden(line(command, 2000)) else _help(arguments)


def _help(arguments: list[str]) -> str:
    """The help of the command that was meant."""
    words, group = ["campaignkit"], cast("click.Command | None", cli)
    for word in arguments:
        found = group.get_command(click.Context(group), word) if isinstance(group, click.Group) else None
        if found is not None:
            words.append(word)
            group = found
    return " ".join([*words, "--help"])


def _failed(error: Exception, arguments: list[str]) -> int:
    from campaignkit.cli.exit_codes import ExitCode, code_of
    from campaignkit.errors import CampaignKitError, LockedError, UsageError

    if isinstance(error, CampaignKitError):
        if not error.next_command:
            error.next_command = _help(arguments) if isinstance(error, UsageError) else _again(arguments)
            if isinstance(error, LockedError) and "--lock-timeout" not in error.next_command:
                error.next_command += " --lock-timeout 10m"
        _explain(error)
        return code_of(error)
    if os.environ.get("CAMPAIGNKIT_DEBUG"):
        raise error
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    spot = f" at {os.path.basename(where.tb_frame.f_code.co_filename)}:{where.tb_lineno}" if where else ""  # noqa: PTH119
    console = Console()
    console.error(f"Unexpected error: {type(error).__name__}{spot}. This is a fault of campaignkit.")
    console.error("What was sent so far is in the state. CAMPAIGNKIT_DEBUG=1 shows more; it may show personal data.")
    console.command(next(iter(getattr(error, "__notes__", ())), "campaignkit status"))
    return ExitCode.UNEXPECTED


def _explain(error: CampaignKitError) -> None:
    from campaignkit.errors import DefinitionError

    console = Console()
    if isinstance(error, DefinitionError):
        from campaignkit.reports.diagnostics import text

        click.echo(text(error.diagnostics), err=True, nl=False)
        console.error(error.message or "Nothing was sent: these problems come first.")
    else:
        from campaignkit.reports.safe import line

        # Once something was sent, a command ends with its receipt and raises nothing.
        said = error.message if error.message.endswith((".", "?")) else f"{error.message}."
        console.error(line(said if "othing was" in said else f"{said} Nothing was sent.", 2000))
    if error.next_command:
        console.command(error.next_command)


def entry() -> None:
    """The console script."""
    from campaignkit.cli.interrupts import CURRENT

    CURRENT.listen()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before the command began, or while an earlier one was still being told
        with contextlib.suppress(OSError):
            sys.stderr.write("Interrupted. Nothing was sent.\n")
        code = 9
    CURRENT.finish()
    try:
        sys.stdout.flush()
    except (BrokenPipeError, AttributeError):  # nobody reads, or there is no output at all: the exit code still counts
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)
