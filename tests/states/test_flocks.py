"""Locks of the kernel on side files that come and go."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path, PosixPath

import pytest

from campaignkit.states import flocks


class Going(PosixPath):
    """A file that somebody takes away just when it was opened and locked, before it is looked whether it still stands there."""

    looks = 0
    take_away: Callable[[], None]

    def __fspath__(self) -> str:
        self.looks += 1
        if self.looks == 2:
            self.take_away()
        return str(self)


def going(path: Path, take_away: Callable[[], None]) -> Going:
    made = Going(path)
    made.take_away = take_away
    return made


def open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - names of descriptors, one of them the listing's own


@pytest.mark.parametrize("shared", [False, True])
def test_a_lock_on_a_file_that_its_last_holder_removed_is_none(tmp_path: Path, *, shared: bool) -> None:
    """Else the next one would make a new file, lock that, and two would hold the lock."""
    side = tmp_path / "side"
    path = going(side, side.unlink)
    before = open_files()
    held = flocks.grab(path, shared=shared)
    assert held is not None
    assert flocks.is_at(held, side)
    assert flocks.grab(side) is None
    assert stat.S_IMODE(side.stat().st_mode) == 0o600
    flocks.let_go(held, side, remove=True)
    assert list(tmp_path.iterdir()) == []
    assert open_files() == before


def test_where_no_lock_can_be_had_nothing_stays_open(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    side = folder / "side"

    def take_away() -> None:
        side.unlink()
        folder.rmdir()

    before = open_files()
    with pytest.raises(FileNotFoundError):
        flocks.grab(going(side, take_away))
    assert open_files() == before


def test_of_those_who_share_a_lock_only_the_last_gets_it_alone(tmp_path: Path) -> None:
    side = tmp_path / "side"
    one, two = flocks.grab(side, shared=True), flocks.grab(side, shared=True)
    assert one is not None
    assert two is not None
    assert not flocks.make_exclusive(one)
    flocks.let_go(one, side, remove=False)
    assert flocks.make_exclusive(two)
    assert flocks.grab(side, shared=True) is None
    flocks.let_go(two, side, remove=True)
    assert not side.exists()
