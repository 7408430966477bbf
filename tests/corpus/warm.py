"""Commands run in forks of one warm process, each measured by the kernel: processor seconds and the most memory of any part.

`python -m tests.corpus.warm` takes a JSON request a line and answers each with a line. A fork saves what starting Python
costs, for the operator and for its front child: hundreds of cases take a minute. What a real start gives the child (a fresh
interpreter, nothing inherited) is tested where whole commands run, in tests/acceptance and tests/front.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self

from campaignkit.front import __main__ as front
from campaignkit.rendering import environment
from campaignkit.validation import schemas

PROCESSOR_LIMIT = 20
"""Seconds of one process, held by the kernel: far above what is allowed, so that a hang ends as a failure."""
PATIENCE = 30
"""Seconds of wall time for one command on a busy machine."""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Measured:
    """How one command ended, and what it and its children took."""

    code: int
    out: str
    err: str
    seconds: float
    memory: int


class Warm:
    """The warm process, from the tests' side. Use as a context manager."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.corpus.warm"], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate(timeout=PATIENCE)

    def run(self, command: str, *, root: Path, env: dict[str, str]) -> Measured:
        """One command of campaignkit in a folder."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        files = {name: root.with_name(f"{root.name}.{name}") for name in ("out", "err")}
        request = {"words": shlex.split(command), "root": str(root), "env": env} | {name: str(path) for name, path in files.items()}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        ended: dict[str, Any] = json.loads(self._process.stdout.readline())
        texts = {name: path.read_bytes().decode("utf-8") for name, path in files.items()}
        return Measured(ended["code"], texts["out"], texts["err"], ended["seconds"], ended["memory"])


def _serve() -> None:
    for module in pkgutil.walk_packages(importlib.import_module("campaignkit").__path__, "campaignkit."):
        if not module.name.endswith("campaignkit.__main__"):
            importlib.import_module(module.name)
    importlib.import_module("phonenumbers").PhoneMetadata.load_all()
    environment.preload()
    for schema in (schemas.CAMPAIGN, schemas.PROJECT):
        schemas.validator(schema)
    signal.signal(signal.SIGALRM, _too_long)
    for line in sys.stdin:
        print(json.dumps(_measured(json.loads(line))), flush=True)


def _too_long(_number: int, _frame: object) -> None:
    raise TimeoutError


def _measured(request: dict[str, Any]) -> dict[str, Any]:
    process = os.fork()
    if process == 0:
        _become(request)
    signal.alarm(PATIENCE)
    try:
        _, status, used = os.wait4(process, 0)
    except TimeoutError:
        os.kill(process, signal.SIGKILL)
        _, status, used = os.wait4(process, 0)
    signal.alarm(0)
    # Both figures include children that were waited for: the sum of their seconds, the most memory of any one.
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * _RSS_UNIT,
    }


class _ForkedFront:
    """In place of a new Python: a fork with nothing but its socket, no environment, no terminal, no folder of ours."""

    def __init__(self, _words: list[str], *, pass_fds: tuple[int], **_rest: object) -> None:
        self._process = os.fork()
        if self._process:
            return
        code = 70
        try:
            os.setsid()
            os.chdir("/")
            os.environ.clear()
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(nothing, number)
            os.closerange(3, pass_fds[0])
            os.closerange(pass_fds[0] + 1, 256)
            code = front.main(pass_fds[0])
        finally:
            os._exit(code)

    def kill(self) -> None:
        os.kill(self._process, signal.SIGKILL)

    def wait(self) -> None:
        os.waitpid(self._process, 0)


def _become(request: dict[str, Any]) -> None:
    """From here on, this fork is the command; never returns."""
    code = 70
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_LIMIT, PROCESSOR_LIMIT))
        os.chdir(request["root"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = ["campaignkit", *request["words"]]
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for number, name in ((1, "out"), (2, "err")):
            file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
            os.close(file)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        if request["words"][0] == "-c":  # a probe of the measure itself
            code = subprocess.run([sys.executable, *request["words"]], check=False).returncode
        else:
            from campaignkit.cli.main import entry
            from campaignkit.intake import launch

            # What that module, in this fork only, begins the front child with.
            vars(launch)["subprocess"] = SimpleNamespace(Popen=_ForkedFront, DEVNULL=subprocess.DEVNULL)
            entry()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:  # noqa: BLE001 - a fork of a server must never go on as one
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
