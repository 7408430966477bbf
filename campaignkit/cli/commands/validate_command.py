"""`campaignkit validate`."""

from __future__ import annotations

import click

from campaignkit.cli.options import Common, campaigns_argument, common_options, output_format


@click.command("validate")
@campaigns_argument
@output_format("text", "json", "github", "sarif")
@common_options
def command(common: Common, campaigns: tuple[str, ...], form: str) -> int:
    """Find every problem of definitions, audiences and templates.

    CAMPAIGN is a campaign's id or file; without one, the whole project is checked. Opens no socket, needs no token and no
    state. Exits with 3 if anything is an error.
    """
    from campaignkit.cli.project import open_project, start

    count, sandbox = 0, False
    with start(common) as front:
        from campaignkit import __version__
        from campaignkit.cli.exit_codes import ExitCode
        from campaignkit.diagnostics import has_errors
        from campaignkit.errors import DefinitionError
        from campaignkit.reports import diagnostics as report

        try:
            opened = open_project(front, common)
            heads = opened.select(campaigns)
            count, sandbox = len(heads), opened.environment.is_sandbox
            if sandbox:
                common.console.sandbox()
            for _ in front.run([head.path for head in heads], environment=opened.environment.name, check=True):
                pass
            found = list(front.diagnostics)
        except DefinitionError as error:
            found = list(error.diagnostics)
    console = common.console
    if form == "json":
        console.document(report.as_json(found, count, sandbox=sandbox))
    elif form == "github":
        console.data(report.github(found))
    elif form == "sarif":
        console.data(report.sarif(found, __version__))
    else:
        console.data(report.text(found))
        console.say(report.summary(found, count), style="red" if has_errors(found) else "green")
    if not has_errors(found):
        return ExitCode.DONE
    console.command(" ".join(["campaignkit", "validate", *campaigns]))
    return ExitCode.INVALID
