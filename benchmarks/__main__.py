"""`make bench`: measure, print a table, and exit with 1 if a goal is missed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import BenchmarkError, check_that_grandchildren_count
from benchmarks.suite import Suite
from benchmarks.table import Row, as_markdown, as_text, machine

PARTS = ("help", "plan", "apply", "afterwards")


def main() -> int:
    """Run what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="campaignkit against plain scripts, in turns.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--rows", type=int, default=100_000, help="recipients (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=7, help="pairs of the long measurements (default: %(default)s)")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    try:
        rows = _measure(chosen.parts or PARTS, rows=chosen.rows, pairs=chosen.pairs)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 2
    print(as_markdown(rows) if chosen.markdown else as_text(rows))
    print(f"\nMedians; ratios pair by pair, {chosen.pairs} pairs (`--help`: {2 * chosen.pairs}). {machine()}.")
    return int(any(row.held is False for row in rows))


def _measure(parts: list[str] | tuple[str, ...], *, rows: int, pairs: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="campaignkit-bench-") as folder:
        began = time.monotonic()
        suite = Suite(Path(folder), rows=rows, pairs=pairs)
        found: list[Row] = []
        for part in parts:
            found += getattr(suite, part)()
            print(f"{part}: measured after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        # At the end, when this process is at its largest.
        check_that_grandchildren_count(os.environ)
        return found


if __name__ == "__main__":
    sys.exit(main())
