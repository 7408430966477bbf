"""What the child gives up before it renders: files, sockets, programs, endless time, much memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from campaignkit.front.jail import MOST_SLOW, PATIENCE, EndlessError, RowWatch
from campaignkit.rendering.messages import RowError

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import os, socket, subprocess, sys
sys.path.insert(0, {root!r})
from campaignkit.front.jail import close_doors, fetch_codecs, limit_memory
limit_memory()
already = open({file!r}, "rb")
pair = socket.socketpair()
fetch_codecs(["koi8-r"])
close_doors()

def refused(name, what):
    try:
        what()
    except OSError as error:
        print(name, "refused")
    else:
        print(name, "OPENED")

refused("file", lambda: open({file!r}))
refused("new file", lambda: open({file!r} + ".new", "w"))
refused("os.open", lambda: os.open({file!r}, os.O_RDONLY))
refused("folder", lambda: os.listdir("/"))
refused("dup", lambda: os.dup(0))
refused("pipe", os.pipe)
refused("inet", lambda: socket.socket(socket.AF_INET))
refused("unix", lambda: socket.socket(socket.AF_UNIX))
refused("program", lambda: subprocess.run([sys.executable, "-c", "1"]))
refused("more doors", lambda: open("/proc/self/status"))
pair[0].sendall(b"still open")
print(pair[1].recv(20).decode(), already.read().decode(), "я".encode("koi8-r"))
try:
    "x" * (2 * 1024**3)
except MemoryError:
    print("memory refused")
"""


def test_after_the_doors_close_nothing_can_be_opened_and_what_is_open_stays(tmp_path: Path) -> None:
    file = tmp_path / "open.txt"
    file.write_text("content")
    script = SCRIPT.format(root=str(ROOT), file=str(file))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.stderr == ""
    doors = ["file", "new file", "os.open", "folder", "dup", "pipe", "inet", "unix", "program", "more doors"]
    assert done.stdout.splitlines()[: len(doors)] == [f"{door} refused" for door in doors]
    assert done.stdout.splitlines()[len(doors) :][0].startswith("still open content")
    if sys.platform == "linux":
        assert done.stdout.splitlines()[-1] == "memory refused"
    assert not file.with_suffix(".txt.new").exists()


BOMBS = [
    "{% set b = a %}" + "{% set b = b ~ b %}" * 60 + "{{ b }}",
    "{{ a" + " | replace('x', 'xxxxxxxxxx')" * 30 + " }}",
    "{{ 'x' ~ (range(1000) | join(range(1000) | join(range(1000) | join(a)))) }}",
]


@pytest.mark.skipif(sys.platform != "linux", reason="address space is bounded on Linux")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_template_that_grows_without_end_is_an_error_of_its_row(bomb: str) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from campaignkit.front.jail import limit_memory; limit_memory()\n"
        "from campaignkit.rendering.guard import examine\n"
        "from campaignkit.rendering.messages import Renderer, RowError\n"
        f"source = {bomb!r}\n"
        "names, faults = examine(source, frozenset({'a'}))\n"
        "if faults: sys.exit(print('refused'))\n"
        "r = Renderer([source], {}); r.set({'a': 'xxxxxxxxxxxxxxxx'})\n"
        "try: r.render()\n"
        "except RowError as error: print('refused', error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout.startswith("refused"), done.stderr


def ticks(watch: RowWatch, count: int) -> None:
    for _ in range(count):
        watch._count()


def test_a_row_that_takes_too_many_ticks_is_ended_and_one_after_another_ends_the_talk() -> None:
    watch = RowWatch()
    watch.row = 5
    ticks(watch, PATIENCE)
    with pytest.raises(RowError, match="too long"):
        ticks(watch, 1)
    watch.row = 6
    for _ in range(MOST_SLOW - 2):
        ticks(watch, PATIENCE)
        with pytest.raises(RowError):
            ticks(watch, 1)
        watch.row += 1
    ticks(watch, PATIENCE)
    with pytest.raises(EndlessError):
        ticks(watch, 1)


def test_rows_that_go_on_are_never_ended() -> None:
    watch = RowWatch()
    for row in range(1, 100):
        watch.row = row
        ticks(watch, PATIENCE)


def test_waiting_for_the_operator_is_no_templates_fault() -> None:
    watch = RowWatch()
    watch.row = 5
    ticks(watch, PATIENCE)
    watch.pause()
    ticks(watch, 10 * PATIENCE)


def test_first_rows_of_many_mailings_are_not_one_slow_row() -> None:
    watch = RowWatch()
    for _ in range(20):
        watch.pause()
        watch.row = 1
        ticks(watch, 1)
        watch.step()
        ticks(watch, 1)
