"""The politeness lock, against real second processes."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from campaignkit.errors import LockedError, StateError
from campaignkit.states.lock import Holder, StateLock, holder, lock_path, person, take_away
from tests.fakes.clock import FakeClock
from tests.states.conftest import limited

HOLD = """
import sys, time
from campaignkit.states.lock import StateLock
lock = StateLock(sys.argv[1])
lock.acquire(10, "apply spring-sale")
print("held", flush=True)
sys.stdin.readline()
lock.release()
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "production.db"


@pytest.fixture
def hold(state: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts another process that holds the lock."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(state)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_lock_tells_who_holds_it_and_goes_without_trace(state: Path) -> None:
    lock = StateLock(state)
    me = lock.acquire(0, "apply")
    content = json.loads(lock_path(state).read_text())
    assert content.keys() == {"pid", "host", "user", "command", "since", "id"}
    assert stat.S_IMODE(lock_path(state).stat().st_mode) == 0o600
    assert holder(state) == me == Holder(**content)
    with pytest.raises(RuntimeError):
        lock.acquire(0, "apply")
    lock.release()
    lock.release()
    assert holder(state) is None
    assert list(state.parent.iterdir()) == []
    lock.acquire(0, "apply")
    lock.release()


def test_a_living_holder_locks_others_out(state: Path, hold: Callable[[], subprocess.Popen[str]]) -> None:
    process = hold()
    found = holder(state)
    assert found is not None
    assert (found.pid, found.command) == (process.pid, "apply spring-sale")
    clock = FakeClock()
    with pytest.raises(LockedError) as caught:
        StateLock(state, clock=clock).acquire(5, "apply")
    assert sum(clock.slept) == pytest.approx(5, abs=0.1)
    for part in (str(process.pid), "apply spring-sale", found.since, found.user, "nothing was sent", "Wait"):
        assert part in caught.value.message


def test_the_kernel_frees_the_lock_of_a_killed_process(state: Path, hold: Callable[[], subprocess.Popen[str]]) -> None:
    process = hold()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lock_path(state).exists()
    assert holder(state) is None
    lock = StateLock(state)
    lock.acquire(0, "apply")
    assert holder(state) is not None
    lock.release()
    assert not lock_path(state).exists()


def test_waiting_ends_when_the_holder_leaves(state: Path, hold: Callable[[], subprocess.Popen[str]]) -> None:
    process = hold()
    lock = StateLock(state)
    waiting = Thread(target=lock.acquire, args=(30, "apply"))
    waiting.start()
    process.communicate("\n")
    waiting.join(10)
    found = holder(state)
    assert found is not None
    assert found.command == "apply"
    lock.release()


def test_looking_for_the_holder_turns_nobody_away(state: Path) -> None:
    stop: list[bool] = []

    def look() -> None:
        while not stop:
            holder(state)

    looking = Thread(target=look)
    looking.start()
    try:
        for _ in range(200):
            lock = StateLock(state)
            lock.acquire(0, "apply")
            lock.release()
    finally:
        stop.append(True)
        looking.join()


def test_many_lockers_exclude_each_other_while_the_file_comes_and_goes(state: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(40):
            lock = StateLock(state)
            lock.acquire(30, "apply")
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            lock.release()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (160, 1)


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="nothing was sent"):
        StateLock(tmp_path / "missing" / "s.db").acquire(0, "apply")
    lock_path(tmp_path / "s.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError):
        StateLock(tmp_path / "s.db").acquire(0, "apply")
    assert holder(tmp_path / "s.db") is None
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"foreign": 1}', "null"])
def test_a_holder_that_wrote_nothing_sensible_still_holds(state: Path, content: str) -> None:
    lock = StateLock(state)
    lock.acquire(0, "apply")
    lock_path(state).write_text(content)
    found = holder(state)
    assert str(found) == "another process"
    lock.release()


def test_a_full_disk_is_told_and_leaves_no_lock(state: Path) -> None:
    lock = StateLock(state)
    with limited(0), pytest.raises(StateError, match=r"cannot be made \(File too large\); nothing was sent"):
        lock.acquire(0, "apply")
    assert list(state.parent.iterdir()) == []
    lock.acquire(0, "apply")  # and it is nobody's afterwards
    lock.release()


def test_who_waits_is_told_once_for_whom(state: Path, hold: Callable[[], subprocess.Popen[str]]) -> None:
    process = hold()
    told: list[Holder] = []
    with pytest.raises(LockedError) as caught:
        StateLock(state, clock=FakeClock()).acquire(5, "apply", waiting=told.append)
    assert [one.pid for one in told] == [process.pid]
    assert told[0].id in caught.value.message
    with pytest.raises(LockedError):
        StateLock(state, clock=FakeClock()).acquire(0, "apply", waiting=told.append)
    assert len(told) == 1  # who does not wait is told by the error


def test_a_lock_is_taken_away_by_the_holders_own_id_only(state: Path, hold: Callable[[], subprocess.Popen[str]]) -> None:
    assert take_away(state, "x") is None
    process = hold()
    found = holder(state)
    assert found is not None
    for wrong in ("", "x", found.id[:-1]):
        with pytest.raises(LockedError, match="Nothing was changed"):
            take_away(state, wrong)
    assert holder(state) == found
    assert take_away(state, found.id) == found
    assert holder(state) is None
    fresh = StateLock(state)
    fresh.acquire(0, "apply")
    process.communicate("\n")  # the old holder lets go, of its own lock only
    assert fresh.still_ours()
    assert holder(state) is not None
    fresh.release()


def test_a_holder_notices_that_its_lock_was_taken_away(state: Path) -> None:
    lock = StateLock(state)
    assert not lock.still_ours()
    me = lock.acquire(0, "apply")
    assert lock.still_ours()
    take_away(state, me.id)
    assert not lock.still_ours()
    other = StateLock(state)
    other.acquire(0, "apply")
    assert not lock.still_ours()
    lock.release()
    assert other.still_ours()
    other.release()


def test_a_holder_without_an_id_keeps_its_lock(state: Path) -> None:
    lock = StateLock(state)
    lock.acquire(0, "apply")
    lock_path(state).write_text("{")
    with pytest.raises(LockedError):
        take_away(state, "")
    assert lock.still_ours()
    lock.release()


def test_a_person_has_the_name_that_others_see_in_the_lock(state: Path) -> None:
    lock = StateLock(state)
    me = lock.acquire(0, "apply")
    assert person() == f"{me.user}@{me.host}"
    lock.release()


def test_a_user_without_a_name_is_known_by_the_number() -> None:
    """As in many containers: the system knows no name for whoever runs there."""
    unnamed = max(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid < 1 << 20) + 1
    assert person(lambda: pwd.getpwuid(unnamed).pw_name) == f"{os.getuid()}@{socket.gethostname()}"
