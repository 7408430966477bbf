"""The looking half of `campaignkit inbox`: list."""

from __future__ import annotations

from datetime import datetime

import click

from campaignkit.cli.options import Common, common_options, output_format, reveal_option


@click.command("list")
@click.option("--campaign", "campaigns", multiple=True, metavar="CAMPAIGN", help="Replies to this campaign; may be given again.")
@click.option("--phone", help="Replies of this person.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Replies of this day and later, as 2026-11-25.")
@click.option("--unread", is_flag=True, help="Only those that are not marked as read at the provider.")
@reveal_option
@output_format("text", "json", "csv")
@common_options
def list_(
    common: Common, campaigns: tuple[str, ...], phone: str | None, since: datetime | None, unread: bool, reveal: bool, form: str
) -> int:  # fmt: skip
    """Stored replies. Asks nobody: for newer ones, pull first."""
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.phones import phone_of
    from campaignkit.cli.project import indexed
    from campaignkit.engine.inbox_lines import Wanted, reply_lines, stored
    from campaignkit.reports import inbox as report

    number = phone_of(phone, warn=common.console.warn, what="--phone") if phone is not None else None
    opened = indexed(common)
    environment = opened.environment
    holding = Holding(common.project, environment)
    if environment.is_sandbox:
        common.console.sandbox()
    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        names = opened.known_campaigns(campaigns, [found.key.campaign for found in reader.mailings()])
        wanted = Wanted(campaigns=names, phone=number, since=since.date() if since else None, unread=unread)
        rows = stored(reader, wanted, zone=environment.provider_timezone)
        found = list(reply_lines(reader, rows, opened.project.optout_words))
    finally:
        reader.close()
    if form == "json":
        common.console.document(
            report.replies_document(found, environment=environment.name, reveal=reveal, sandbox=environment.is_sandbox)
        )  # fmt: skip
    else:
        for text in report.replies_csv(found, reveal=reveal) if form == "csv" else report.replies_text(found, reveal=reveal):
            common.console.data(text)
    if not found:
        common.console.say("No stored reply.")
    elif near := next((one for one in found if one.wish == "perhaps" and one.phone is not None), None):
        common.console.say("Some may ask for an opt-out. If so:")
        common.console.command(f"campaignkit optouts add --reply {near.id} --reason TEXT --env {environment.name}")
    return 0
