"""What README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.console import Session, same, steps
from tests.docs.places import read


def test_every_console_block_prints_what_readme_says(tmp_path: Path) -> None:
    session = Session(tmp_path)
    found = list(steps(read("README.md")))
    assert len(found) > 20
    for step in found:
        printed = session.run(step.command)
        assert same(step.expected, printed), f"README.md:{step.line}: $ {step.command}\n--- printed\n{printed}--- expected\n" + "\n".join(
            step.expected
        )


def test_a_wrong_output_is_noticed() -> None:
    assert same(["a", "…", "d"], "a\nb\nc\nd\n")
    assert same(["sha256:" + "0" * 64], "sha256:" + "1" * 64 + "\n")
    assert not same(["a", "…", "d"], "a\nb\nc\n")
    assert not same(["5 accepted"], "4 accepted\n")
    assert not same([], "a\n")


def test_the_make_targets_stand_there_as_plain_commands() -> None:
    readme, makefile = read("README.md"), read("Makefile")
    for target in ("demo", "test", "lint", "types", "laws", "docs-check"):
        recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        assert recipe is not None, target
        for line in recipe[1].splitlines():
            assert line.strip().lstrip("@").replace("$(BIN)", ".venv/bin") in readme, line


def test_the_pipeline_stays_on_one_runner_and_sends_only_what_is_merged() -> None:
    block = re.search(r"```yaml\n(.*?)```", read("README.md"), re.DOTALL)
    assert block is not None
    review, apply = block[1].split("  apply:\n")
    assert "campaignkit apply" not in review
    assert "github.event_name == 'push'" in apply
    assert block[1].count("runs-on: [self-hosted, campaigns]") == block[1].count("runs-on:") == 2
