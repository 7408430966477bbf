"""The process that reads what authors wrote: where it comes from, and that it never stays."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from campaignkit.intake.launch import Launched
from campaignkit.intake.talk import Front
from tests.canary import TOKEN, assert_hidden
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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_child_knows_nothing_of_the_operators_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN", TOKEN)
    with Front(project(tmp_path)) as front:
        front.project()
        place = Path("/proc") / str(front._child.process.pid)
        assert_hidden((place / "environ").read_bytes(), (place / "cmdline").read_bytes())
        assert (place / "environ").read_bytes().strip(b"\0") == b""
        assert (place / "cwd").readlink() == Path("/")


def test_the_child_never_outlives_the_block(tmp_path: Path) -> None:
    with Front(project(tmp_path)) as front:
        process = front._child.process
    assert process.returncode is not None
