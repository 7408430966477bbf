# ruff: noqa: INP001
"""Tables of the proofs, from the figures that their make targets wrote: `docs/figures/*.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "figures"
_PARTS = {"engine": "the engine", "exhaustive": "every death of one apply", "commands": "the whole command"}
_COLUMNS = {
    "histories": "histories", "two_processes": "with two processes", "quick": "with quick messages", "lists": "with lists",
    "processes": "processes", "killed": "killed", "accepted": "requests accepted", "drafts": "drafts made", "confirmed": "confirmed",
    "unknown": "left unknown", "violations": "violations",
}  # fmt: skip


def crash() -> str:
    """What `make prove-crash FIGURES=docs/figures/crash.json` came to."""
    found = _read("crash")
    columns = [column for column in _COLUMNS if all(column in part for part in found["parts"].values())]
    rows = [[_PARTS.get(name, name), *(f"{part[column]:,}" for column in columns)] for name, part in found["parts"].items()]
    heads = ["part", *(_COLUMNS[column] for column in columns)]
    caught = (
        f"{found['mutants_caught']} of {found['mutants']} broken engines were caught, {found['mutants_in_first_history']} of them by their"
    )
    return f"{_table(heads, rows)}\n\n{caught} first history. It took {found['seconds'] / 60:.0f} minutes on two cores."


def storage() -> str:
    """What the targets of the storage came to, with FIGURES=docs/figures/syscalls.json and power.json."""
    tables = []
    for name in ("syscalls", "power"):
        for proof, report in _read(name).items():
            rows = report["rows"]
            columns = list(next(iter(rows.values())))
            body = [[row, *(f"{values[column]:,}" for column in columns)] for row, values in rows.items()]
            tables.append(f"**{proof}** ({report['seconds']:,.0f} s)\n\n{_table([' ', *columns], body)}")
    return "\n\n".join(tables)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"| --- | {' | '.join('--:' for _ in heads[1:])} |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
