"""Diagnostics for people and for machines: text, JSON, GitHub annotations, SARIF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from campaignkit.diagnostics import Diagnostic, Severity, in_order
from campaignkit.reports.safe import excerpt, hidden, json_text, line, plural

FORMAT_VERSION = "1.0"
_MOST_ANNOTATIONS = 10
_WIDEST = 110
_QUOTING = frozenset({"CK303"})
"""Codes whose hint shows a piece of an audience file."""
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def text(diagnostics: Sequence[Diagnostic]) -> str:
    """`file:line:column: severity CODE message`, the source line with a mark under it, and what to do."""
    return "".join(_one(found) for found in in_order(diagnostics))


def _one(found: Diagnostic) -> str:
    place = found.place
    where = f"{line(place.path)}:{max(1, place.line)}:{max(1, place.column)}"
    row = f"row {place.row}: " if place.row else ""
    parts = [f"{where}: {found.severity} {found.code} {row}{hidden(line(found.message))}"]
    start = max(0, place.column - 1 - _WIDEST + 30)
    if place.excerpt[start:] and place.column:
        shown = place.excerpt[start : start + _WIDEST].replace("\t", " ")
        number = f"{place.line:>5}"
        parts.append(f"{number} | {excerpt(shown)}")
        width = max(1, min(place.width, len(shown) - (place.column - 1 - start)))
        parts.append(f"{' ' * len(number)} | {' ' * (place.column - 1 - start)}{'^' * width}")
    if found.hint:
        parts.append(f"      = {hidden(line(found.hint))}")
    return "\n".join(parts) + "\n"


def summary(diagnostics: Sequence[Diagnostic], campaigns: int) -> str:
    """One closing line."""
    errors = sum(found.severity is Severity.ERROR for found in in_order(diagnostics))
    warnings = sum(found.severity is Severity.WARNING for found in in_order(diagnostics))
    return f"{plural(campaigns, 'campaign')}: {plural(errors, 'error')}, {plural(warnings, 'warning')}"


def as_json(diagnostics: Sequence[Diagnostic], campaigns: int, *, sandbox: bool) -> dict[str, Any]:
    """The document of `schemas/diagnostics.schema.json`."""
    found = in_order(diagnostics)
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "diagnostics": [
            {
                "severity": str(one.severity),
                "code": one.code,
                "path": one.place.path,
                "line": one.place.line or None,
                "column": one.place.column or None,
                "row": one.place.row or None,
                "message": hidden(one.message),
                "hint": hidden(one.hint) or None,
            }
            for one in found
        ],
        "summary": {
            "errors": sum(one.severity is Severity.ERROR for one in found),
            "warnings": sum(one.severity is Severity.WARNING for one in found),
            "campaigns": campaigns,
        },
    }
    return document | ({"sandbox": True} if sandbox else {})


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands for annotations, the most severe first: GitHub shows ten of a kind and drops the rest."""
    found = sorted(in_order(diagnostics), key=lambda one: list(_LEVELS).index(one.severity))
    lines = []
    for one in found:
        place = one.place
        properties = f"file={_property(place.path)},line={max(1, place.line)},col={max(1, place.column)},title={_property(one.code)}"
        row = f"row {place.row}: " if place.row else ""
        lines.append(f"::{_LEVELS[one.severity]} {properties}::{_data(row + _public(one))}")
    more = len(found) - _MOST_ANNOTATIONS
    if more > 0:
        lines.append(f"{more} more problems may not be shown as annotations; run: campaignkit validate")
    return "\n".join(lines) + ("\n" if lines else "")


def _public(one: Diagnostic) -> str:
    """Message and hint for a page that others may read: a hint that quotes an audience stays off it."""
    return f"{one.message}. {one.hint}" if one.hint and one.code not in _QUOTING else one.message


def _data(value: str) -> str:
    return hidden(line(value, 2000)).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def sarif(diagnostics: Sequence[Diagnostic], version: str) -> str:
    """SARIF 2.1.0 for code scanning."""
    found = in_order(diagnostics)
    rules = sorted({one.code for one in found})
    results = [
        {
            "ruleId": one.code,
            "level": {Severity.INFO: "note"}.get(one.severity, str(one.severity)),
            "message": {"text": hidden(_public(one))},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(one.place.path, errors="surrogatepass")},
                        "region": {"startLine": max(1, one.place.line), "startColumn": max(1, one.place.column)},
                    }
                }
            ],
            "partialFingerprints": {"campaignkit/v1": hidden(f"{one.code}:{one.place.path}:{one.message}")},
        }
        for one in found
    ]
    driver = {"name": "campaignkit", "version": version, "rules": [{"id": code} for code in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json_text({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"
