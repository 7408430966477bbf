"""`campaignkit render`."""

from __future__ import annotations

from typing import Any

import click

from campaignkit.cli.options import Common, common_options, output_format, reveal_option


@click.command("render")
@click.argument("campaign")
@click.argument("mailing", required=False)
@click.option("--phone", help="Only this person's message.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=5, show_default=True, help="How many messages of each mailing.")
@click.option("--longest", is_flag=True, help="Only the longest text of each mailing.")
@reveal_option
@output_format("text", "json")
@common_options
def command(
    common: Common,
    campaign: str,
    mailing: str | None,
    phone: str | None,
    limit: int,
    longest: bool,
    reveal: bool,
    form: str,
) -> int:
    """Show the messages as people get them.

    Filtered, invalid, duplicate and suppressed rows are left out, as in a plan; the state is not looked at.
    """
    from campaignkit.cli.project import open_project, start
    from campaignkit.engine.rendering import Wanted, rendered
    from campaignkit.errors import DefinitionError, RefusedError, UsageError
    from campaignkit.reports.messages import message_text, messages_document

    wanted = Wanted(mailing=mailing, phone=digits(phone), limit=limit, longest=longest)
    with start(common) as front:
        opened = open_project(front, common)
        heads = opened.select([campaign])
        if opened.environment.is_sandbox:
            common.console.sandbox()
        names = {found.name for head in heads for found in head.mailings}
        if mailing is not None and mailing not in names and all(head.campaign for head in heads):
            raise UsageError(f"{campaign} has no mailing {mailing!r}; it has: {', '.join(sorted(names))}")
        found = rendered(front, [head.path for head in heads], opened.environment.name, wanted)
        if front.failed:
            raise DefinitionError(front.diagnostics)
    if phone and not found:
        raise RefusedError("that phone gets no message of this campaign: it is in no audience, or filtered, invalid or suppressed")
    sandbox = opened.environment.is_sandbox
    if form == "json":
        document: dict[str, Any] = messages_document(found, reveal=reveal, sandbox=sandbox)
        common.console.document(document)
    else:
        common.console.data("".join(message_text(one, reveal=reveal) for one in found))
    return 0


def digits(phone: str | None) -> int | None:
    """A phone given on the command line, as digits."""
    from campaignkit.errors import UsageError

    if phone is None:
        return None
    digits = "".join(character for character in phone if character.isascii() and character.isdigit())
    if not digits or len(digits) > 15:
        raise UsageError(f"--phone takes a number like 375291111111, not {phone!r}")
    if digits.startswith("80") and len(digits) == 11:
        digits = "375" + digits[2:]
    return int(digits)
