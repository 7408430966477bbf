"""`campaignkit confirm`."""

from __future__ import annotations

import click

from campaignkit.cli.options import Common, common_options, lock_timeout_option, output_format, reveal_option


@click.command("confirm")
@click.argument("mailing", metavar="CAMPAIGN/MAILING")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--accept", multiple=True, metavar="NAME=N", help="Accept a limit by its very number: recipients, cost.")
@lock_timeout_option
@reveal_option
@output_format("text", "json")
@common_options
def command(common: Common, mailing: str, auto_approve: bool, accept: tuple[str, ...], lock_timeout: float, reveal: bool, form: str) -> int:
    """Confirm the draft of a mailing to a list of the provider: the step that costs the money.

    Finishes what `apply --no-confirm`, or an apply that stopped in between, left. Checks the number of subscribers and reads the
    provider's record first; a confirm whose answer is lost is repeated only when that record shows that it did not count.
    """
    from campaignkit.cli.applying import ApplyRun, Asked
    from campaignkit.cli.project import open_project, start
    from campaignkit.engine.spool import Spool
    from campaignkit.errors import UsageError
    from campaignkit.plans.gates import parse_accepts

    campaign, slash, name = mailing.partition("/")
    if not (campaign and slash and name):
        raise UsageError(f"a mailing is named as CAMPAIGN/MAILING, not {mailing!r}", next_command="campaignkit status")
    parse_accepts(accept)
    with start(common) as front, Spool() as spool:
        opened = open_project(front, common)
        heads = opened.select((campaign,))
        asked = Asked(
            saved=None, named=True, accept=accept, auto_approve=auto_approve, reveal=reveal, form=form, lock_timeout=lock_timeout,
            retry_rejected=False, only=f"{heads[0].campaign}/{name}",
        )  # fmt: skip
        return ApplyRun(common, opened, heads, spool, asked).execute()
