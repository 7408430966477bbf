"""Every broken engine is caught: else the checker's silence about the healthy one would mean nothing."""

from __future__ import annotations

import pytest

from tests.proofs.crash.checker import check
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.mutants import MUTANTS, Mutant, hunt

ENOUGH = 12
"""Histories within which each must show; nearly all do in the first."""


def test_there_are_enough_of_them() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 25


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_engine_is_caught_and_the_healthy_one_is_not(mutant: Mutant, stage: Stage) -> None:
    assert hunt(mutant, stage, ENOUGH).history
    short = next(mutant.histories())
    assert check(stage.play(short), dict(short.aliases)) == []
