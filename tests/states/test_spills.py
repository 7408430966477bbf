"""Outcomes kept beside a state that could not take them."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.states.spills import RESERVED, Spilled, SpillFile, fill, read_spill, spill_files
from tests.states.conftest import AT, LINEAGE, limited

RESULT = SendResult(
    outcome=Outcome.ACCEPTED, phase=Phase.DONE, reason="HTTP 200, accepted", uuid="cc9c8043-8caf", http_status=200,
    answer=b'{"uuid": "\xff"}', bytes_written=7,
)  # fmt: skip
SPILLED = Spilled(ref="r3", attempt=2, result=RESULT, at=AT)
LONG = replace(SPILLED, result=replace(RESULT, answer=b"x" * 8192))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state" / "live.db"


def spill(state: Path, run: str = "a", elsewhere: Path | None = None) -> SpillFile:
    return SpillFile(state, lineage=LINEAGE, run=run, elsewhere=elsewhere)


def left(state: Path, elsewhere: Path | None = None) -> list[Path]:
    return list(spill_files(state, lineage=LINEAGE, elsewhere=elsewhere))


def test_a_run_that_needs_no_spill_leaves_none(state: Path) -> None:
    with spill(state):
        [path] = state.parent.iterdir()
        assert path.stat().st_size == RESERVED
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert left(state) == []  # its run lives: it is not for others
    assert list(state.parent.iterdir()) == []


def test_what_was_kept_comes_back_as_it_was(state: Path) -> None:
    with spill(state) as file:
        path = file.keep(SPILLED)
        assert file.keep(SPILLED) == path
    assert left(state) == [path]
    assert path is not None
    assert read_spill(path, lineage=LINEAGE) == [SPILLED, SPILLED]


def test_a_dead_run_that_kept_nothing_left_nothing_to_read(state: Path) -> None:
    file = spill(state)
    file.__enter__()
    assert file._descriptor is not None
    os.close(file._descriptor)  # as a kill does
    [path] = left(state)
    assert read_spill(path, lineage=LINEAGE) == []


def test_the_room_is_there_even_when_the_disk_is_full_afterwards(state: Path) -> None:
    with spill(state) as file:
        size = next(state.parent.iterdir()).stat().st_size
        path = file.keep(SPILLED)
        assert path is not None
        assert path.stat().st_size == size  # within what was reserved


def test_no_room_is_said_before_anything_is_sent(state: Path) -> None:
    with limited(RESERVED - 1), pytest.raises(StateError, match=r"no room .*\(File too large\)\. Nothing was sent"), spill(state):
        pass
    assert list(state.parent.iterdir()) == []


def test_room_is_made_by_writing_where_the_system_can_not_reserve_it(state: Path) -> None:
    """As on macOS. The first write of a nearly full disk succeeds in part, and says so by its length only."""
    with (
        limited(RESERVED - 1),
        pytest.raises(StateError, match="no room"),
        SpillFile(state, lineage=LINEAGE, run="a", elsewhere=None, reserve=fill),
    ):
        pass
    assert list(state.parent.iterdir()) == []
    with SpillFile(state, lineage=LINEAGE, run="a", elsewhere=None, reserve=fill) as file:
        assert next(state.parent.iterdir()).stat().st_size == RESERVED
        path = file.keep(SPILLED)
    assert path is not None
    assert read_spill(path, lineage=LINEAGE) == [SPILLED]


def filled(file: SpillFile) -> list[Path | None]:
    """Keep outcomes on a full disk until the reserved room does not take one more; where each is kept."""
    kept = [file.keep(LONG)]
    while len(set(kept)) == 1:
        kept.append(file.keep(LONG))
    return kept


def test_another_folder_takes_what_this_one_can_not(state: Path, tmp_path: Path) -> None:
    """And what was kept before the room ran out is still read, though a part of the next one stands after it."""
    with spill(state, elsewhere=tmp_path / "marks") as file, limited(RESERVED):
        kept = filled(file)
        assert file.keep(SPILLED) == kept[-1]
    here, there = kept[0], kept[-1]
    assert here is not None
    assert there is not None
    assert here.parent == state.parent
    assert there.parent == tmp_path / "marks"
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    assert there in left(state, tmp_path / "marks")
    assert not here.read_bytes().rstrip(b"\0").endswith(b"\n")
    assert read_spill(here, lineage=LINEAGE) == [LONG] * (len(kept) - 1)
    assert read_spill(there, lineage=LINEAGE) == [LONG, SPILLED]


def test_nowhere_to_keep_is_said_and_not_raised(state: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with spill(state, elsewhere=tmp_path / "file" / "no folder") as file, limited(10):
        assert file.keep(SPILLED) is None
    with spill(state) as file, limited(10):
        assert file.keep(SPILLED) is None
    assert list(state.parent.iterdir()) == []


def test_what_failed_half_way_spoils_nothing_that_comes_after(state: Path) -> None:
    with spill(state) as file:
        path = file.keep(SPILLED)
        assert path is not None
        with limited(path.read_bytes().rindex(b"\n") + 2_000):
            assert file.keep(LONG) is None
        assert file.keep(SPILLED) == path
    assert read_spill(path, lineage=LINEAGE) == [SPILLED, SPILLED]


def test_what_the_other_folder_took_stays_when_that_fails_too(state: Path, tmp_path: Path) -> None:
    with spill(state, elsewhere=tmp_path / "marks") as file:
        with limited(10):
            assert file.keep(SPILLED) is None
        path = file.keep(SPILLED)
        assert path is not None
        with limited(path.stat().st_size):
            assert file.keep(LONG) is None
        assert file.keep(LONG) == path
    assert path.parent == tmp_path / "marks"
    assert read_spill(path, lineage=LINEAGE) == [SPILLED, LONG]


def test_several_threads_may_keep_theirs_at_once(state: Path) -> None:
    """Requests in flight meet a full disk together: the outcome of one must not stand in the place of another's."""
    outcomes = [replace(SPILLED, ref=f"r{number}") for number in range(200)]
    with spill(state) as file, ThreadPoolExecutor(8) as pool:
        [path] = set(pool.map(file.keep, outcomes))
    assert path is not None
    assert sorted(read_spill(path, lineage=LINEAGE), key=lambda one: int(one.ref[1:])) == outcomes


@pytest.mark.parametrize(
    "content",
    [b'{"campaignkit": "spill", "version": 1, "lineage": "another"}\n', b"{}\n", b"[" * 100_000, b"\xff\n",
     b'{"campaignkit": "spill", "version": 1, "lineage": "0123456789abcdef"}\n{"request": "r1"}\n'],
)  # fmt: skip
def test_what_can_not_be_read_is_refused(state: Path, content: bytes) -> None:
    path = state.with_name("live.db.spill-x")
    path.write_bytes(content)
    with pytest.raises(StateError, match="stay unknown"):
        read_spill(path, lineage=LINEAGE)


def test_a_file_that_no_run_can_have_left_is_refused_unread(state: Path) -> None:
    path = state.with_name("live.db.spill-x")
    path.touch()
    os.truncate(path, (16 << 20) + 1)
    with pytest.raises(StateError, match="too large"):
        read_spill(path, lineage=LINEAGE)


def test_links_and_kept_ones_are_passed_over(state: Path) -> None:
    state.with_name("live.db.spill-link").symlink_to("/dev/null")
    state.with_name("live.db.spill-a.kept").touch()
    assert left(state) == []


def test_a_folder_that_can_not_be_looked_through_is_told(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(state.parent))

    monkeypatch.setattr(Path, "glob", full)
    with pytest.raises(StateError, match="nothing was sent"):
        left(state)


def test_a_file_that_goes_while_it_is_looked_at_is_passed_over(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its run ended well between the two looks of another run (seeds 230 and 4961 of the crash histories)."""
    path = state.with_name("live.db.spill-a")
    path.touch()
    original = os.open

    def late(name: Path, flags: int) -> int:
        descriptor = original(name, flags)
        Path(name).unlink()
        return descriptor

    monkeypatch.setattr(os, "open", late)
    assert left(state) == []


def test_a_new_file_is_locked_before_it_has_its_name(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else another run could take it for a dead one's, empty, and remove it."""
    seen: list[list[Path]] = []
    original = fcntl.flock

    def looking(descriptor: int, operation: int) -> None:
        if not seen:
            seen.append(list(state.parent.glob("live.db.spill-*")))
        original(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", looking)
    with spill(state):
        assert seen == [[]]


def test_a_file_that_can_not_be_made_leaves_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StateError, match="Nothing was sent"), spill(state):
        pass
    assert list(state.parent.iterdir()) == []
