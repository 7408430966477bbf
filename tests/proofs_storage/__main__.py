"""`make prove-syscalls` and `make prove-power`: prove, print the figures, and exit with 1 if anything is wrong."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.proofs_storage import proofs, warm
from tests.proofs_storage.proofs import Report
from tests.proofs_storage.truth import Truth, provider

PROOFS: dict[str, tuple[bool, Callable[[Path, Truth, float], Report]]] = {
    "syscalls": (True, proofs.syscalls),
    "full-disk": (False, proofs.full_disk),
    "power": (True, proofs.power),
}
"""By name: whether it needs strace, and what it is."""


def main() -> int:
    """Prove what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs_storage", description="The state under kills, failing calls and power cuts."
    )
    parser.add_argument("proofs", nargs="+", choices=PROOFS, metavar="PROOF", help=f"of {', '.join(PROOFS)}")
    parser.add_argument("--share", type=float, default=1.0, help="the part of all points to try, at most 1 (default: all)")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="write the figures there, as JSON")
    chosen = parser.parse_args()
    reports: dict[str, Report] = {}
    with memory() as place, provider(Path(place) / "logs") as truth:
        for name in chosen.proofs:
            needs_strace, proof = PROOFS[name]
            if needs_strace and (reason := warm.no_strace()):
                print(f"{name}: not proved, {reason}. Where strace is installed and may trace, the same command proves it.")
                continue
            reports[name] = proof(Path(place) / name, truth, chosen.share)
            print(reports[name].text())
    if chosen.figures is not None:
        chosen.figures.write_text(
            json.dumps({name: report.record() for name, report in reports.items()}, indent=2) + "\n", encoding="utf-8"
        )
    return int(any(report.wrong for report in reports.values()))


def memory() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: these proofs bring their own broken disks."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="campaignkit-proof-", dir=shared if shared.is_dir() else None)


if __name__ == "__main__":
    sys.exit(main())
