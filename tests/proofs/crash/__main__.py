"""`make prove-crash`: thousands of killed applies against a provider whose log is the truth, and engines broken on purpose."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.proofs.crash.checker import Violation, check
from tests.proofs.crash.commands import CommandStage, command_history
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.evidence import Evidence
from tests.proofs.crash.exhaustive import cell
from tests.proofs.crash.figures import Figures
from tests.proofs.crash.histories import History, history
from tests.proofs.crash.proving import PARTS, collect, everything, prove
from tests.proofs.crash.rooms import fast_folder
from tests.proofs.crash.upstream import Upstream


def main() -> int:
    """Prove, or play one history again; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.crash", description="Kill applies and look who was messaged.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--histories", type=int, default=10_000, help="of the engine (default: %(default)s)")
    parser.add_argument("--commands", type=int, default=300, help="histories of the whole command (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="also write the figures there, as JSON")
    parser.add_argument("--seed", type=int, help="play this one history of the engine, and show it")
    parser.add_argument("--command-seed", type=int, help="play this one history of the whole command, and show it")
    parser.add_argument(
        "--cell", nargs=3, metavar=("METHOD", "BEHAVIOUR", "POINT"), help="play this death of the exhaustive part, and show it"
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if chosen.command_seed is not None:
        return _show_command(chosen.command_seed)
    if chosen.cell is not None:
        method, behaviour, point = chosen.cell
        return _show(cell(method, behaviour, int(point)))
    if chosen.seed is not None:
        return _show(history(chosen.seed))
    amounts = everything(chosen.histories, chosen.commands)
    return _prove({part: amounts[part] for part in chosen.parts or PARTS}, chosen)


def _prove(amounts: dict[str, int], chosen: argparse.Namespace) -> int:
    figures = Figures(parts={}, mutants={})
    begun = told = time.monotonic()
    for done in prove(amounts, chosen.first, chosen.workers):
        collect(figures, done)
        figures.seconds = time.monotonic() - begun
        for violation in done.tally.violations:
            print(violation, file=sys.stderr, flush=True)
        if time.monotonic() - told > 30:
            told = time.monotonic()
            counts = ", ".join(f"{name} {tally.histories:,}" for name, tally in figures.parts.items())
            print(f"{figures.seconds:,.0f} s: {counts}, broken engines {len(figures.mutants)}", file=sys.stderr, flush=True)
    failures = figures.failures()
    print(figures.table())
    for failure in failures[:20]:
        print(failure)
    if chosen.figures:
        chosen.figures.write_text(json.dumps(figures.document(), indent=2) + "\n", "utf-8")
    return int(bool(failures))


def _show(one: History) -> int:
    for run in one.runs:
        print(run)
    with fast_folder() as folder, Upstream(folder / "log") as upstream:
        evidence = Stage(upstream, folder / "states").play(one)
    return _print(evidence, check(evidence, dict(one.aliases)))


def _show_command(seed: int) -> int:
    runs = command_history(seed)
    for run in runs:
        print(run)
    with fast_folder() as folder, Upstream(folder / "log") as upstream:
        evidence = CommandStage(upstream, folder / "command").play(runs)
    return _print(evidence, check(evidence))


def _print(evidence: Evidence, found: list[Violation]) -> int:
    for title, entries in (("provider", evidence.log), ("processes", evidence.ends), ("state", evidence.requests), ("violations", found)):
        print(f"\n{title}:")
        for entry in entries:
            print(f"  {entry}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
