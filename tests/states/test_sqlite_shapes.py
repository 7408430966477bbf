"""State files in every bad shape: refused, or telling the truth; never one that has quietly forgotten people."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.sqlite import schema
from campaignkit.states.sqlite.connection import told
from campaignkit.states.sqlite.presence import side_file
from tests.states.conftest import AT, FIRST, INVITATION, Run, World, limited, new_sqlite, request

ROOT = Path(__file__).parents[2]
PEOPLE = range(FIRST, FIRST + 3_000)
PAGE = schema.PAGE_SIZE


@pytest.fixture
def sound(tmp_path: Path) -> World:
    """A state at rest that knows three thousand people."""
    world = new_sqlite(tmp_path)
    with closing(world.store()) as store:
        run = Run(store, store.begin_run(command="apply", digest="", at=AT))
        refs = run.plan(*(request(PEOPLE[at : at + 100]) for at in range(0, len(PEOPLE), 100)))
        for ref in refs:
            run.end(ref, Outcome.ACCEPTED, f"uuid-of-{ref}")
    return world


def verdict(world: World) -> str:
    """What a run would meet: `refused`, `told` (verifying finds it), or `sound`. Forgetting somebody fails the test."""
    try:
        with closing(world.store()) as store:
            store.recover(AT)
            known = Run(store, 0).holds(*PEOPLE, key=INVITATION)
            told = bool(store.problems())
    except StateError:
        return "refused"
    assert known == set(PEOPLE)
    return "told" if told else "sound"


def test_cut_short_anywhere_it_is_refused(sound: World) -> None:
    content = sound.path.read_bytes()
    assert len(content) > 20 * PAGE
    for length in {*range(0, len(content), PAGE), *range(PAGE // 2, len(content), PAGE), 1, 99, 100, len(content) - 1}:
        sound.path.write_bytes(content[:length])
        assert verdict(sound) == "refused", length
        assert sound.path.read_bytes() == content[:length]
    sound.path.write_bytes(content)
    assert verdict(sound) == "sound"


def test_a_page_of_zeros_is_refused_or_told(sound: World) -> None:
    content = sound.path.read_bytes()
    found = []
    for at in range(0, len(content), PAGE):
        side_file(sound.path, "-wal").unlink(missing_ok=True)
        sound.path.write_bytes(content[:at] + bytes(PAGE) + content[at + PAGE :])
        found.append(verdict(sound))
    assert {"refused", "told"} >= set(found)


def test_a_page_of_another_place_is_refused_or_told(sound: World) -> None:
    """A disk that wrote to the wrong place: the page is well-formed, and not the right one."""
    content = sound.path.read_bytes()
    last = content[-PAGE:]
    for at in range(PAGE, len(content) - PAGE, PAGE):
        side_file(sound.path, "-wal").unlink(missing_ok=True)
        sound.path.write_bytes(content[:at] + last + content[at + PAGE :])
        assert verdict(sound) in {"refused", "told"}, at // PAGE


def test_linked_shared_memory_is_refused(sound: World, tmp_path: Path) -> None:
    side_file(sound.path, "-shm").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="symbolic link"):
        sound.store()
    assert not (tmp_path / "elsewhere").exists()


def test_a_disk_that_is_full_on_opening_changes_nothing(sound: World) -> None:
    content = sound.path.read_bytes()
    with limited(0), pytest.raises(StateError, match="nothing was sent"):
        sound.store()
    with limited(0), closing(sound.reader()) as reader:
        assert reader.problems() == []
    with closing(sound.store()) as store:
        assert store.problems() == []
    assert len(sound.path.read_bytes()) == len(content)


@pytest.mark.parametrize(
    ("file", "folder", "reads", "writes"),
    [
        (0o400, 0o700, "opened", "must be readable and writable"),
        (0o600, 0o500, "opened", "must be writable"),
        (0o000, 0o700, "readable and writable", "readable and writable"),
        (0o600, 0o000, "cannot be read", "cannot be read"),
    ],
)
def test_without_the_right_to_write_or_read_it_is_refused_and_stays_as_it_is(file: int, folder: int, reads: str, writes: str) -> None:
    code = f"""
import os, sys, tempfile
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
import campaignkit.states.sqlite.opening, campaignkit.states.lock, encodings.idna
from campaignkit.errors import StateError
from tests.states.conftest import *
import sqlite3
if os.geteuid() == 0:  # whom no mode hinders
    os.setgid(65534)
    os.setuid(65534)
os.chdir("/")
world = new_sqlite(Path(sys.argv[1]))
content = world.path.read_bytes()
world.path.chmod({file})
world.path.parent.chmod({folder})
for enter in (world.reader, world.store):
    try:
        enter().close()
        print("opened")
    except StateError as error:
        print(error.message)
world.path.parent.chmod(0o700)
assert sorted(os.listdir(world.path.parent)) == ["production.db"], os.listdir(world.path.parent)
assert world.path.stat().st_mode & 0o777 == {file}
world.path.chmod(0o600)
assert world.path.read_bytes() == content
world.store().close()
"""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        done = subprocess.run([sys.executable, "-c", code, place], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        read, written = done.stdout.splitlines()
        assert reads in read
        assert writes in written
        assert reads == "opened" or "nothing was sent" in read
        assert "nothing was sent" in written
        _take_back(Path(place))


def _take_back(place: Path) -> None:
    """Give the folder of another user back to be removed."""
    for path in [place, *place.rglob("*")]:
        path.chmod(0o700)


def test_a_failure_that_nobody_knows_is_told_with_the_words_of_sqlite(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"the state store failed \(SQLite: odd\)"), told(tmp_path / "s.db"):
        raise sqlite3.Error("odd")
