"""What the child gives up before it renders: files, sockets, programs, endless time, much memory."""

from __future__ import annotations

import ast
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from campaignkit.front.jail import MOST_SLOW, PATIENCE, EndlessError, RowWatch
from campaignkit.intake.talk import Front
from campaignkit.protocol.messages import MailingEnd
from campaignkit.rendering.messages import RowError
from tests.intake.projects import personal, project

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


def test_many_rows_at_once_that_take_too_long_count_for_none_of_them() -> None:
    watch = RowWatch()
    for _ in range(2 * MOST_SLOW):
        watch.many()
        ticks(watch, PATIENCE)
        with pytest.raises(RowError, match="at once"):
            ticks(watch, 1)
    watch.row = 5
    ticks(watch, PATIENCE)
    with pytest.raises(RowError):
        ticks(watch, 1)


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


HANG = """
import sys
sys.path.insert(0, {root!r})
from campaignkit.front.jail import RowWatch
watch = RowWatch()
watch.start()
watch.row = 1
a, b = [1], [1]
for _ in range(64):
    a, b = [a, a], [b, b]
a == b
print("it came to an end")
"""


def test_one_operation_without_end_is_ended_by_the_kernel() -> None:
    """Comparing what was doubled 64 times takes ages inside one operation: no handler of Python's is ever called."""
    done = subprocess.run([sys.executable, "-c", HANG.format(root=str(ROOT))], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (-signal.SIGVTALRM, "")


def test_a_watch_that_was_stopped_ends_nothing() -> None:
    script = HANG.format(root=str(ROOT)).replace("watch.row = 1", "watch.stop()").replace("range(64)", "range(24)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "it came to an end\n")


# What a template could do if there were no sandbox at all: `run` calls whatever Python there is.
UNBOUND = """
import os, runpy, sys
import campaignkit.front.jail as jail
import campaignkit.rendering.environment as environment
import campaignkit.rendering.guard as guard
from jinja2 import Environment, StrictUndefined

def run(source):
    try:
        return repr(eval(source))
    except BaseException as error:
        return type(error).__name__

free = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
free.globals["run"] = run
free.globals["os"] = os
environment.environment.cache_clear()
for module in (environment, guard, sys.modules.get("campaignkit.rendering.messages")):
    if module is not None:
        module.environment = lambda: free
guard._studied = lambda _source: guard._Study()
"""

ATTEMPTS = {
    "token": "dict(__import__('os').environ)",
    "files": "open({secret!r}).read()",
    "links": "__import__('os').listdir('/')",
    "descriptors": "[__import__('os').read(n, 9) for n in range(3, 12)]",
    "network": "__import__('socket').create_connection(('127.0.0.1', {port}))",
    "programs": "__import__('subprocess').run(['/bin/echo', 'hi'])",
    "parent": "open('/proc/%d/environ' % __import__('os').getppid()).read()",
    "new file": "open({secret!r} + '.new', 'w')",
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_template_gets_nothing_even_without_a_sandbox(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox is taken out of the real child, under the real operator with a token: the kernel still gives nothing."""
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET-OF-A-FILE")
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN", "canary-token-of-the-operator")
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = ATTEMPTS[name].format(secret=str(secret), port=server.getsockname()[1])
        said = _rendered(tmp_path, "{{ run(" + repr(source) + ") }}", monkeypatch)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
    assert "SECRET" not in said
    assert "canary" not in said
    assert not secret.with_suffix(".txt.new").exists()
    if name == "token":
        assert set(ast.literal_eval(said)) <= {"LC_CTYPE"}
    else:
        assert said in {"OSError", "PermissionError", "BlockingIOError", "FileNotFoundError", "NotADirectoryError"}


def test_without_a_sandbox_a_template_does_run_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would show nothing if the sandbox still stood."""
    assert _rendered(tmp_path, "{{ run('21 * 2') }}{{ os.__name__ }}", monkeypatch) == "42os"


def _rendered(tmp_path: Path, template: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the real child renders with its sandbox taken out."""
    real = subprocess.Popen

    def unbound(words: list[str], **rest: Any) -> subprocess.Popen[bytes]:
        at = words.index("-c") + 1
        path, _, start = words[at].partition("; from campaignkit.front")
        code = f"{path}\nfrom campaignkit.front{start}"
        head, _, last = code.partition("\n")
        return real([*words[:at], f"{head}\n{UNBOUND}\n{last}", *words[at + 1 :]], **rest)

    monkeypatch.setattr("campaignkit.intake.launch.subprocess.Popen", unbound)
    root = project(tmp_path / "project", {"a.yaml": personal().replace('"Hi {{ name }}"', json.dumps(template))})
    with Front(root) as front:
        front.project()
        front.index()
        words = list(front.run(["campaigns/a.yaml"], environment="sandbox", elements=True))
    ends = [word for word in words if isinstance(word, MailingEnd)]
    assert ends, front.diagnostics
    return ends[0].sample
