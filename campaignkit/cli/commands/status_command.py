"""`campaignkit status`."""

from __future__ import annotations

import click

from campaignkit.cli.options import Common, campaigns_argument, common_options, output_format, reveal_option


@click.command("status")
@campaigns_argument
@click.option("--phone", help="Everything sent to this person.")
@click.option("--failed", is_flag=True, help="Only people who were refused, failed, unknown or given up.")
@reveal_option
@output_format("text", "json", "csv")
@common_options
def command(common: Common, campaigns: tuple[str, ...], phone: str | None, failed: bool, reveal: bool, form: str) -> int:
    """Show what the state knows of everyone.

    Per mailing: counts by status, the provider's errors with the line they concern, unknown outcomes. Asks nobody: for newer
    statuses, refresh first. CSV lists people, one delivery a line.
    """
    from campaignkit.cli.commands.render_command import digits
    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import indexed
    from campaignkit.engine import overview
    from campaignkit.reports import status as report

    number = digits(phone)
    opened = indexed(common)
    holding = Holding(common.project, opened.environment)
    if opened.environment.is_sandbox:
        common.console.sandbox()
    holding.ensure_sandbox()
    reader = holding.open_reader()
    try:
        names = opened.known_campaigns(campaigns, [found.key.campaign for found in reader.mailings()])
        if number is not None or failed or form == "csv":
            people = overview.people(reader, campaigns=names, phone=number, failed=failed)
            if form == "json":
                document: dict[str, object] = {
                    "format_version": report.FORMAT_VERSION,
                    "environment": opened.environment.name,
                }
                document["deliveries"] = report.people_documents(people, reveal=reveal)
                common.console.document(document | ({"sandbox": True} if opened.environment.is_sandbox else {}))
            else:
                found = 0
                for text in report.people_csv(people, reveal=reveal) if form == "csv" else report.people_text(people, reveal=reveal):
                    common.console.data(text)
                    found += 1
                if not found:
                    common.console.say("Nobody." if failed else "The state knows nothing of this phone.")
            return 0
        view = overview.overview(reader, opened.environment, opened.index, campaigns=names, alive=holding.alive())
    finally:
        reader.close()
    if form == "json":
        common.console.document(report.status_document(view))
    else:
        common.console.data(report.status_text(view, verbose=common.console.verbosity > 0))
        if any(mailing.unknown for campaign in view.campaigns for mailing in campaign.mailings):
            common.console.say(f"What to do about unknown ones: campaignkit resolve --env {opened.environment.name}")
    return 0
