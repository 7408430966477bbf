"""A sample of each proof, as the make targets run them; the full ones are `make prove-syscalls` and `make prove-power`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs_storage import warm
from tests.proofs_storage.limits import MOMENTS, SENDS
from tests.proofs_storage.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
NO_STRACE = warm.no_strace()


def proved(name: str, share: float, figures: Path) -> dict[str, dict[str, int]]:
    """Run a part of a proof; returns its figures."""
    command = [sys.executable, "-m", "tests.proofs_storage", name, "--share", str(share), "--figures", str(figures)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    rows: dict[str, dict[str, int]] = json.loads(figures.read_text())[name]["rows"]
    return rows


@pytest.mark.skipif(bool(NO_STRACE), reason=NO_STRACE)
def test_killed_or_failed_at_any_call_nobody_is_sent_twice_or_lost(tmp_path: Path) -> None:
    figures = proved("syscalls", 0.04, tmp_path / "figures.json")["all"]
    assert figures["kills"] >= 8
    assert figures["failures"] >= 20
    assert figures["killed"] == figures["kills"]
    assert figures["wrong"] == 0


@pytest.mark.skipif(bool(NO_STRACE), reason=NO_STRACE)
def test_after_a_power_cut_no_claim_is_lost_and_every_mutant_is_caught(tmp_path: Path) -> None:
    figures = proved("power", 0.05, tmp_path / "figures.json")
    assert figures["all"]["disks"] >= 200
    assert figures["all"]["wrong"] == 0
    assert [name for name, row in figures.items() if row["wrong"]] == [f"mutant: {name}" for name in MUTANTS]


def test_a_disk_that_is_full_at_any_size_loses_nobody(tmp_path: Path) -> None:
    figures = proved("full-disk", 0.15, tmp_path / "figures.json")
    assert figures["all"]["wrong"] == 0
    assert all(figures[moment]["runs"] >= 20 for moment in MOMENTS)
    # Before an intent nothing leaves, so some runs are refused; once something was sent, the books are closed instead.
    assert figures["once rendered"]["refused"] > 5
    assert not any(figures[moment]["refused"] for moment in SENDS)


def test_without_strace_the_target_says_what_it_could_not_prove(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs_storage", "power"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
    )
    assert done.stdout.startswith("power: not proved, strace is not here")
