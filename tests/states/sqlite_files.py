"""What stands on the disk where a state is: its files, how it is refused there, and a process that dies writing it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.states.opening import open_reader, open_store
from tests.states.conftest import ENVIRONMENT, LINEAGE, ORIGIN, World

ROOT = Path(__file__).parents[2]


def files(world: World) -> list[str]:
    return sorted(path.name for path in world.path.parent.iterdir())


def refusal(path: Path, *, lineage: str | None = LINEAGE, environment: str = ENVIRONMENT, origin: str = ORIGIN) -> StateError:
    """The error with which both entrances refuse, alike, without touching a byte."""
    content = path.read_bytes() if path.is_file() else None
    with pytest.raises(StateError, match="othing was sent") as read:
        open_reader(path, environment=environment, origin=origin, lineage=lineage)
    with pytest.raises(StateError, match="othing was sent") as written:
        open_store(path, environment=environment, origin=origin, lineage=lineage)
    assert read.value.message == written.value.message
    assert str(path) in read.value.message
    assert (path.read_bytes() if path.is_file() else None) == content
    return read.value


def die_while_writing(world: World, *, steps: str = "") -> None:
    """A process that plans one request, marks its intent, and is killed."""
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.states.conftest import *
store = World(Path({str(world.path)!r})).store()
run = Run(store, store.begin_run(command="apply", digest="", at=AT))
[ref] = run.plan(request([FIRST, FIRST + 1]))
assert store.mark_intent(ref, AT) == 1
{steps}
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=60)
    assert done.returncode == -9, done.stderr
