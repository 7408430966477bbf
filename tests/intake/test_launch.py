"""The process that reads what authors wrote: where it comes from, and that it never stays."""

from __future__ import annotations

from pathlib import Path

from campaignkit.intake.launch import Launched
from campaignkit.intake.talk import Front
from tests.intake.projects import project


def test_a_child_that_was_launched_before_is_the_one_that_is_talked_to_and_ends_with_the_talk(tmp_path: Path) -> None:
    child = Launched()
    with Front(project(tmp_path), child=child) as front:
        assert front.project().timezone == "Europe/Minsk"
        assert child.process.poll() is None
    assert child.process.returncode is not None


def test_a_child_that_nobody_talks_to_can_be_stopped_twice() -> None:
    child = Launched()
    child.stop()
    child.stop()
    assert child.process.returncode is not None
    assert child.end.fileno() == -1
