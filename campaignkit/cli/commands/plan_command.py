"""`campaignkit plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common, campaigns_argument, common_options, output_format, reveal_option

if TYPE_CHECKING:
    from campaignkit.cli.holding import Holding
    from campaignkit.states.store import StateReader


@click.command("plan")
@campaigns_argument
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan, for apply --plan. It holds no phone and no text.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there is something to send.")
@click.option("--retry-rejected", is_flag=True, help="Send again to people whom the provider refused after accepting.")
@reveal_option
@output_format("text", "json", "markdown")
@common_options
def command(
    common: Common,
    campaigns: tuple[str, ...],
    out: Path | None,
    detailed_exitcode: bool,
    retry_rejected: bool,
    reveal: bool,
    form: str,
) -> int:
    """Show what apply would do, and why.

    Opens no socket and needs no token. Works without a state, and says so: then nobody counts as sent.
    """
    from campaignkit.cli.project import open_project, start

    with start(common) as front:
        from campaignkit.cli.exit_codes import ExitCode
        from campaignkit.cli.holding import Holding
        from campaignkit.cli.remembering import Remembering
        from campaignkit.engine.planner import PlanJob
        from campaignkit.plans.cache import cache_folder
        from campaignkit.plans.planfile import save
        from campaignkit.reports.diagnostics import text

        opened = open_project(front, common)
        heads = opened.select(campaigns)
        holding = Holding(common.project, opened.environment)
        reader = reader_if_any(holding)
        if opened.environment.is_sandbox:
            common.console.sandbox()
        try:
            job = PlanJob(
                front=front, project=opened.project, environment=opened.environment, index=opened.index, heads=heads,
                reader=reader, recorded_lineage=holding.recorded_lineage,
                now=holding.clock.now(), retry_rejected=retry_rejected,
            )  # fmt: skip
            plan = Remembering(job, cache_folder(), common.project).run()
        finally:
            if reader is not None:
                reader.close()
        if front.diagnostics:
            click.echo(text(front.diagnostics), err=True, nl=False)
    if out is not None:
        save(plan, out)
    if form == "json":
        from campaignkit.reports.plan_json import plan_document

        common.console.document(plan_document(plan))
    elif form == "markdown":
        from campaignkit.reports.plan_markdown import plan_markdown

        common.console.data(plan_markdown(plan))
    else:
        from campaignkit.reports.plan_text import plan_text

        common.console.data(plan_text(plan, reveal=reveal, verbose=common.console.verbosity > 0))
    if out is not None:
        common.console.say(f"Saved to {out}. To send exactly this:")
        common.console.say(f"campaignkit apply --plan {out} --env {plan.environment.name}")
    return ExitCode.CHANGES if detailed_exitcode and plan.counts.to_send else ExitCode.DONE


def reader_if_any(holding: Holding) -> StateReader | None:
    """The state for looking, or None where none is on this machine; a broken one is an error, not an empty one."""
    if not holding.path.exists():
        return None
    return holding.open_reader()
