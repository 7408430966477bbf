"""The proofs as wholes: what each tries, its figures, and the mutants that it must catch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.proofs_storage import limits
from tests.proofs_storage import power as cuts
from tests.proofs_storage.mutants import MUTANTS
from tests.proofs_storage.points import Points, figures
from tests.proofs_storage.truth import Truth

T = TypeVar("T")
EACH = 8
"""Disks made of one moment of a run, at most."""
FEW = 4
"""The same where only a part is tried, and of an engine broken on purpose."""
SEED = 1


@dataclass(slots=True)
class Report:
    """What a proof came to: rows of figures by name, and everything that is wrong."""

    name: str
    figures: dict[str, dict[str, int]]
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def record(self) -> dict[str, object]:
        """For a file of figures."""
        return {"rows": self.figures, "seconds": self.seconds, "wrong": self.wrong}

    def text(self) -> str:
        """A table, and what is wrong below it."""
        columns = list(next(iter(self.figures.values())))
        wide = max(len(name) for name in self.figures)
        lines = [f"{self.name:{wide}}  " + "  ".join(columns)]
        lines += [
            f"{name:{wide}}  " + "  ".join(f"{row[column]:>{len(column)}}" for column in columns) for name, row in self.figures.items()
        ]
        lines.append(f"{self.seconds:.0f} s, {len(self.wrong) or 'nothing'} wrong")
        return "\n".join([*lines, *(f"WRONG: {problem}" for problem in self.wrong), ""])


def syscalls(folder: Path, truth: Truth, share: float) -> Report:
    """Every storage and network call of an apply by each method: killed once, failed once, failed from then on."""
    folder.mkdir()
    began, proof = time.monotonic(), Points(folder, truth)
    found = list(proof.run(_part(proof.all(), share)))
    rows: dict[str, dict[str, int]] = {call: dict(row) for call, row in figures(found).items()}
    rows["all"] = _total(rows)
    report = Report("system call", rows, [f"{one.point}: {problem}" for one in found for problem in one.wrong])
    return _timed(report, began)


def full_disk(folder: Path, truth: Truth, share: float) -> Report:
    """A limit on the size of files, set at every size to which one grows, at six moments of a run."""
    began = time.monotonic()
    sizes = _part(limits.sizes(limits.largest(folder / "largest", truth)), share)
    report = Report("full disk", {})
    for moment in limits.MOMENTS:
        found = list(limits.run(folder / moment.replace(" ", "-"), truth, moment, sizes))
        kinds = Counter(one.end.kind for one in found)
        report.figures[moment] = {
            "runs": len(found),
            "refused": kinds["refused"],
            "done": kinds["done"],
            "wrong": sum(bool(one.wrong) for one in found),
        }
        report.wrong += [f"{moment}, {one.limit} bytes: {problem}" for one in found for problem in one.wrong]
    report.figures["all"] = _total(report.figures)
    return _timed(report, began)


def power(folder: Path, truth: Truth, share: float) -> Report:
    """Three histories cut at every step; then the first with engines broken on purpose, each of which must be caught."""
    began, report = time.monotonic(), Report("power cuts", {})
    for number, killed in enumerate(cuts.KILLS):
        place = folder / f"history-{number}"
        steps = cuts.record(place, truth, killed=killed)
        at = {*_part(range(len(steps)), share), *cuts.turning_points(steps)}
        tally = cuts.judge(steps, truth.url, place, seed=SEED, each=EACH if share == 1.0 else FEW, at=at)
        report.figures[f"a run {f'killed before {killed}, ' if killed else ''}and another"] = tally.figures()
        report.wrong += tally.wrong
    report.figures["all"] = _total(report.figures)
    for number, (name, broken) in enumerate(MUTANTS.items()):
        place = folder / f"mutant-{number}"
        steps = cuts.record(place, truth, broken=broken)
        tally = cuts.judge(steps, truth.url, place, seed=SEED, each=FEW, at=cuts.turning_points(steps))
        report.figures[f"mutant: {name}"] = tally.figures()
        if not tally.wrong:
            report.wrong.append(f"the mutant was not caught: {name}")
    return _timed(report, began)


def _part(points: Sequence[T], share: float) -> list[T]:
    """Some of the points, evenly spread."""
    count = max(1, round(len(points) * share))
    return [points[number * len(points) // count] for number in range(count)]


def _total(rows: dict[str, dict[str, int]]) -> dict[str, int]:
    columns = list(next(iter(rows.values())))
    return {column: sum(row[column] for row in rows.values()) for column in columns}


def _timed(report: Report, began: float) -> Report:
    report.seconds = round(time.monotonic() - began, 1)
    return report
