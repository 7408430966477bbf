"""`campaignkit apply`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, campaigns_argument, common_options, lock_timeout_option, output_format, reveal_option

if TYPE_CHECKING:
    from campaignkit.plans.planfile import SavedPlan


@click.command("apply")
@campaigns_argument
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Send exactly what this saved plan shows.",
)
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--accept", multiple=True, metavar="NAME=N", help="Accept a limit by its very number: recipients, cost, resend.")
@click.option("--no-confirm", is_flag=True, help="Leave mailings to lists of the provider as drafts; `confirm` finishes them.")
@click.option("--retry-rejected", is_flag=True, help="Send again to people whom the provider refused after accepting.")
@lock_timeout_option
@reveal_option
@output_format("text", "json")
@common_options
def command(
    common: Common, campaigns: tuple[str, ...], plan_file: Path | None, auto_approve: bool, accept: tuple[str, ...],
    no_confirm: bool, retry_rejected: bool, lock_timeout: float, reveal: bool, form: str,
) -> int:  # fmt: skip
    """Send exactly what the plan shows, each person once.

    Shows the plan, asks, sends. Without a terminal it never asks: --auto-approve, or a saved plan with it. A rerun sends
    only to those whom nothing was sent to; unknown outcomes hold back their own people until somebody resolves them.
    """
    from campaignkit.cli.applying import ApplyRun, Asked
    from campaignkit.cli.project import open_project, start
    from campaignkit.engine.spool import Spool
    from campaignkit.errors import PlanError, UsageError
    from campaignkit.plans.gates import parse_accepts
    from campaignkit.plans.planfile import load

    if plan_file is not None and campaigns:
        raise UsageError("a saved plan names its campaigns itself: either CAMPAIGN or --plan")
    parse_accepts(accept)  # what is not of its shape is wrong usage, said before anything else
    saved: SavedPlan | None = None
    unread: PlanError | None = None
    try:
        saved = load(plan_file) if plan_file is not None else None
    except PlanError as error:
        unread = error
    with start(common) as front, Spool() as spool:
        if saved is not None:
            _same_environment(saved, common.environment)
        opened = open_project(front, common, environment=saved.environment if saved else "")
        if saved is not None and not saved.selection:
            unread = PlanError(f"{saved.path} is a plan of no campaign. Nothing was sent.", next_command="campaignkit plan")
        heads = opened.select(saved.selection if saved else campaigns)
        asked = Asked(
            saved=saved, named=bool(campaigns), accept=accept, auto_approve=auto_approve, reveal=reveal, form=form,
            lock_timeout=lock_timeout, confirm=not no_confirm,
            retry_rejected=retry_rejected or bool(saved and saved.components.retry_rejected),
        )  # fmt: skip
        run = ApplyRun(common, opened, heads, spool, asked)
        if unread is not None:
            run.definitions_first()
            raise unread
        return run.execute()


def _same_environment(saved: SavedPlan, named: str) -> None:
    from campaignkit.errors import PlanError

    if named and named != saved.environment:
        raise PlanError(
            f"{saved.path} was made for {saved.environment}, not for {named}. Nothing was sent.",
            next_command=f"campaignkit apply --plan {saved.path} --env {saved.environment}",
        )
