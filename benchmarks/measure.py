"""Whole processes on the clock: seconds, the memory of the largest process, and when each kind of record came."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_BALLAST_MB = 80


class BenchmarkError(Exception):
    """A figure would be worth nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process from its start to its end; `peak` is the resident memory in MB of the largest of its tree."""

    seconds: float
    peak: float
    lines: tuple[tuple[float, bytes], ...]
    said: tuple[tuple[float, bytes], ...]
    """What it wrote to stderr, and when."""

    @property
    def output(self) -> str:
        """All of stdout."""
        return b"".join(line for _, line in self.lines).decode()

    def at(self, kind: str) -> float:
        """Seconds from the start to the first record of that type."""
        return next(seconds for seconds, line in self.lines if json.loads(line)["type"] == kind)

    def heard(self, words: str) -> float:
        """Seconds from the start to the first line on stderr that holds these words."""
        return next(seconds for seconds, line in self.said if words in line.decode())


@dataclass(frozen=True, slots=True)
class Ratios:
    """Product over floor, pair by pair."""

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median: what the verdict is about."""
        return median(self.values)


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], codes: Sequence[int] = (0,)) -> Run:
    """Run one command and wait for it and its children."""
    began = time.perf_counter()
    said: list[tuple[float, bytes]] = []

    def listen(stream: IO[bytes]) -> None:
        said.extend((time.perf_counter() - began, line) for line in stream)

    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as stream, process.stderr as errors:
        listener = threading.Thread(target=listen, args=(errors,))
        listener.start()
        lines = tuple((time.perf_counter() - began, line) for line in stream)
        listener.join()
    # Unlike getrusage, this is about one command alone: the process and whatever it waited for itself.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        words = b"".join(line for _, line in said).decode(errors="replace")
        raise BenchmarkError(f"{' '.join(command)} exited with {process.returncode}:\n{words[-2000:]}")
    return Run(seconds, usage.ru_maxrss * _RSS_UNIT / 1e6, lines, tuple(said))


def in_turns(pairs: int, product: Callable[[], Run], floor: Callable[[], Run]) -> list[tuple[Run, Run]]:
    """Pairs of (product, floor), the order swapped each time, so that drift and warm caches favour neither."""
    result = []
    for number in range(pairs):
        if number % 2:
            mine = product()
            result.append((mine, floor()))
        else:
            theirs = floor()
            result.append((product(), theirs))
    return result


def check_that_grandchildren_count(env: Mapping[str, str]) -> None:
    """The front child is a grandchild of this process: make sure that its memory is seen, and ours is not taken for it.

    On Linux a process counts the memory of the one that started it as its own for a moment, so this one must stay small.
    """
    ballast = f"import sys; held = bytearray({_BALLAST_MB} << 20); sys.stdin.read()"
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {ballast!r}], stdin=subprocess.PIPE)\n"
        "import time; time.sleep(0.3); child.kill(); child.wait()\n"
    )
    here = Path(__file__).parent
    with_ballast = run([sys.executable, "-c", parent], cwd=here, env=env).peak
    without = run([sys.executable, "-c", "pass"], cwd=here, env=env).peak
    if with_ballast < _BALLAST_MB or without > 40:
        raise BenchmarkError(f"memory can't be measured here: {with_ballast:.0f} MB seen of {_BALLAST_MB}, {without:.0f} MB of nothing")
