"""Results for people: a table as text or Markdown, and what machine it was."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = ("what", "campaignkit", "floor", "ratio", "goal", "held")


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `held` is None where no goal is set."""

    what: str
    product: str
    floor: str = ""
    ratio: str = ""
    goal: str = ""
    held: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """As shown."""
        verdict = {None: "", True: "yes", False: "NO"}[self.held]
        return (self.what, self.product, self.floor, self.ratio, self.goal, verdict)


def machine() -> str:
    """Facts without which no figure means much."""
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} CPUs, {platform.python_implementation()} {platform.python_version()}, {system}"


def as_text(rows: Sequence[Row]) -> str:
    """Columns in line."""
    table = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in table) for at in range(len(HEADER))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table)


def as_markdown(rows: Sequence[Row]) -> str:
    """A Markdown table."""
    table = [HEADER, ("---",) * len(HEADER), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in table)
