"""What is said about the rows of an audience once all of them were seen."""

from __future__ import annotations

from collections.abc import Mapping

from campaignkit.compiler.definitions import Rules
from campaignkit.compiler.tally import Figures, Occurrences, RowProblems, Tallies
from campaignkit.diagnostics import Diagnostic, Place, Severity


def closing_words(
    audience: Mapping[str, object], rules: Rules, figures: Figures, problems: RowProblems, tallies: Tallies, place: Place
) -> list[Diagnostic]:
    """The problems of rows, and what many of them have in common, each said once.

    Args:
        audience: What the mailing says of its audience.
        rules: Limits of the project.
        figures: What the rows came to.
        problems: Rows that can't be sent.
        tallies: What was met in some of the others.
        place: Of the mailing.
    """
    found = problems.closing(place)
    limit = str(audience.get("max_invalid", "5%"))
    if problems.skipping and _too_many(problems.invalid, figures.rows, limit):
        message = f"{problems.invalid:,} of {figures.rows:,} rows are invalid; max_invalid allows {limit}"
        found.append(Diagnostic(Severity.ERROR, "CK312", message, place, "is the right file, column and delimiter named?"))
    if tallies.empty.count:
        severity = Severity.ERROR if audience.get("on_empty") == "fail" else Severity.WARNING
        message = f"{_rows(tallies.empty)} an empty cell in a column that the message uses: {tallies.empty.where()}"
        found.append(Diagnostic(severity, "CK313", message, place, "{{ name | default('…', true) }} fills it"))
    if tallies.odd.count:
        message = f"{_rows(tallies.odd)} a phone in no known mobile range: {tallies.odd.where()}"
        found.append(Diagnostic(Severity.WARNING, "CK314", message, place, "it will be sent; the provider may not reach it"))
    severity_of_long = rules.severity("text")
    if tallies.long.count and severity_of_long:
        most = int(rules.limits.get("max_text", 1000))
        message = f"{_rows(tallies.long)} a text of more than {most} characters (up to {figures.longest}): {tallies.long.where()}"
        found.append(Diagnostic(severity_of_long, "CK402", message, place, "such texts may be cut or refused"))
    if tallies.clashes.count:
        kept = "the first is kept" if audience.get("on_conflict") == "first" else "nobody of them is sent to"
        message = f"{_rows(tallies.clashes)} a phone that stands elsewhere with other content ({kept}): {tallies.clashes.where()}"
        found.append(Diagnostic(Severity.WARNING, "CK311", message, place))
    return found


def _rows(what: Occurrences) -> str:
    return f"{what.count:,} {'row has' if what.count == 1 else 'rows have'}"


def _too_many(invalid: int, rows: int, limit: str) -> bool:
    return invalid > (float(limit[:-1]) / 100 * rows if limit.endswith("%") else float(limit))
