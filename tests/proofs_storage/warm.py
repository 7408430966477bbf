"""Children of one warm process: everything is imported, so all that a child asks of the system belongs to the run itself."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from campaignkit.errors import CampaignKitError

STRACE = shutil.which("strace")
LONGEST = 50
"""Seconds after which a child counts as hung: it ends as killed by SIGALRM."""


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended.

    `kind` is `done` (with what it returned), `refused` (an error told to people), `crash` (any other exception) or
    `killed`; `text` is the message, or the traceback.
    """

    kind: str
    text: str = ""
    value: object = None


def run(work: Callable[[], object], *, root: Path, strace: Sequence[str] = (), out: Path | None = None) -> End:
    """Do some work in a child, the user's marks kept beneath `root`; with `strace`, under it with these options.

    Raises:
        RuntimeError: strace could not attach.
    """
    gate_out, gate_in = os.pipe()
    tale_out, tale_in = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate_in)
        os.close(tale_out)
        _child(work, root, gate_out, tale_in)
    os.close(gate_out)
    os.close(tale_in)
    watcher = _attach(pid, strace, out or root / "trace") if strace else None
    os.write(gate_in, b"!")
    os.close(gate_in)
    with os.fdopen(tale_out, "rb") as tale:
        told = tale.read()
    _, status = os.waitpid(pid, 0)
    if watcher is not None:
        watcher.communicate()
    if os.WIFSIGNALED(status):
        return End("killed", signal.Signals(os.WTERMSIG(status)).name)
    if not told:  # what it had to tell could not be written
        return End("done" if os.WEXITSTATUS(status) == 0 else "crash", "it said nothing")
    kind, text, value = json.loads(told)
    return End(kind, text, value)


def no_strace() -> str:
    """Why nothing can be traced here; empty where strace works."""
    if STRACE is None:
        return "strace is not here"
    tried = subprocess.run([STRACE, "-e", "trace=none", "true"], check=False, capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"strace may not trace: {tried.stderr.strip()}"


@contextmanager
def marks_beneath(root: Path) -> Iterator[None]:
    """Keep the user's marks of states in `root/home`, a part of the disk that is put to the test."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(root / "home")
    try:
        yield
    finally:
        del os.environ["XDG_STATE_HOME"]
        if before is not None:
            os.environ["XDG_STATE_HOME"] = before


def _child(work: Callable[[], object], root: Path, gate: int, tale: int) -> None:
    try:
        signal.alarm(LONGEST)
        # A poll, and no read: a read might be the call that is to fail.
        opened = select.poll()
        opened.register(gate)
        opened.poll()
        try:
            with marks_beneath(root):
                said: tuple[str, str, object] = ("done", "", work())
        except CampaignKitError as error:
            said = ("refused", error.message, type(error).__name__)
        except BaseException:  # noqa: BLE001 - whatever it is, the proof is told
            said = ("crash", traceback.format_exc(), None)
        os.write(tale, json.dumps(said).encode())
    finally:
        os._exit(0)


def _attach(pid: int, options: Sequence[str], out: Path) -> subprocess.Popen[bytes]:
    assert STRACE is not None
    watcher = subprocess.Popen([STRACE, "-o", str(out), *options, "-p", str(pid)], stderr=subprocess.PIPE)
    assert watcher.stderr is not None
    line = watcher.stderr.readline()
    if b"attached" not in line:
        os.kill(pid, signal.SIGKILL)
        raise RuntimeError(f"strace could not attach: {line.decode(errors='replace')}")
    return watcher
