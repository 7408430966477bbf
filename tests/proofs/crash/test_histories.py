"""A sample of the random histories, and the named ones that once showed a fault of the product."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.proofs.crash.behaviours import LIST, QUICK
from tests.proofs.crash.checker import check
from tests.proofs.crash.commands import CommandStage, command_history
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.histories import History, history, settle
from tests.proofs.crash.mutants import TO_A_LIST, answered, overtaken, stopped

SEEDS = range(1_000_000, 1_000_120)
"""Others than those of `make prove-crash`."""
COMMAND_SEEDS = (1_000_005, 1_000_007, 1_000_008, 1_000_009, 1_000_021)
"""Of bulk, bulk, quick, quick messages and a list."""

BEFORE_THE_FIRST_STATEMENT = stopped("sql.PRAGMA_busy_timeout.before", 3)
"""Counted among the writers, its connection not yet in use: the two connections before only looked."""

FOUND = {
    # Seed 2945 of the first long run: whoever left last took the -wal along, and the state was refused for ever.
    "a writer dies before its first statement while another one leaves": (
        None, tuple(replace(run, woken=False) for run in overtaken(BEFORE_THE_FIRST_STATEMENT))
    ),
    # `resolve --accepted` read the record of a confirm that had not been written yet, and made a draft of it again.
    "a person calls a confirm accepted whose process sleeps before its first byte": (
        0, overtaken(stopped("intent.after", 2), between="accepted", files=TO_A_LIST)
    ),
    # The same, with a record that lags behind a confirm that counted.
    "a person calls a confirm accepted that counted and does not show": (
        0, tuple(
            replace(run, reads=("plain", "lag", "lag", "lag"))
            for run in overtaken(stopped("net.body_sent", 2), between="accepted", files=TO_A_LIST)
        ),
    ),
    # Seed 20404: a refusal of a confirm that says OK as well was believed to be one, and the mailing had gone out.
    "a confirm is refused with a yes beside it": (0, answered("accept", "accept_400_uuid", files=TO_A_LIST)),
}  # fmt: skip
"""Each with how its first process ends."""


@pytest.mark.parametrize("start", SEEDS[::20])
def test_random_deaths_and_faults_keep_the_promise(start: int, stage: Stage) -> None:
    for seed in range(start, start + 20):
        one = history(seed)
        assert check(stage.play(one), dict(one.aliases)) == [], f"python -m tests.proofs.crash --seed {seed}"


@pytest.mark.parametrize("title", FOUND)
def test_what_was_found_once_stays_mended(title: str, stage: Stage) -> None:
    code, runs = FOUND[title]
    evidence = stage.play(History("found", settle(runs)))
    assert check(evidence) == []
    assert evidence.ends[0].code == code


def test_the_whole_command_keeps_the_promise(stage: Stage) -> None:
    commands = CommandStage(stage.upstream, stage.folder.parent / "command")
    deaths = 0
    for seed in COMMAND_SEEDS:
        evidence = commands.play(command_history(seed))
        assert check(evidence) == [], f"python -m tests.proofs.crash --command-seed {seed}"
        deaths += sum(end.code is None for end in evidence.ends)
    assert deaths


def test_a_seed_is_one_history() -> None:
    assert [history(seed) for seed in range(50)] == [history(seed) for seed in range(50)]
    assert len({history(seed) for seed in range(50)}) == 50


def test_a_third_of_the_histories_have_two_processes() -> None:
    assert sum(history(seed).concurrent for seed in range(10_000)) > 3_000


def test_a_quarter_of_the_histories_have_quick_messages_and_a_seventh_lists() -> None:
    some = [history(seed) for seed in range(2_000)]
    assert sum(one.has(QUICK) for one in some) > 0.22 * len(some)
    assert sum(one.has(LIST) for one in some) > 0.12 * len(some)
    assert any(one.has(LIST) and one.inert for one in some)
    assert any(one.has(LIST) and any(run.reads for run in one.runs) for one in some)
