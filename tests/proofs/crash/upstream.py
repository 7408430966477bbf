"""The harness's handle on the simulated provider: start it, script it, read its log."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[3]


class Upstream:
    """One provider process, for as long as the block lasts.

    Args:
        folder: Where it writes its logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proofs.crash.provider", str(self._folder)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.terminate()
        self._process.wait(timeout=10)

    def url(self, history: str) -> str:
        """The base URL of a history."""
        return f"http://127.0.0.1:{self.port}/{history}"

    def script(self, history: str, behaviours: Sequence[str], reads: Sequence[str] = ()) -> None:
        """How its next requests are treated, and its next questions answered; all after them are accepted, and answered truly."""
        self._call(history, "script", json.dumps({"sends": list(behaviours), "reads": list(reads)}).encode())

    def log(self, history: str) -> list[dict[str, Any]]:
        """The truth, once nothing is under way any more."""
        self._call(history, "settled", b"")
        return self.peek(history)

    def peek(self, history: str) -> list[dict[str, Any]]:
        """The log as it stands now."""
        path = self._folder / f"{history}.log"
        return [json.loads(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []

    def forget(self, history: str) -> None:
        """Drop the log of a history that was checked."""
        (self._folder / f"{history}.log").unlink(missing_ok=True)

    def reset(self, history: str) -> None:
        """Forget a history altogether, as if there never had been one of this name."""
        self._call(history, "reset", b"")
        self.forget(history)

    def _call(self, history: str, method: str, body: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as sock:
            sock.sendall(f"POST /{history}/{method} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = b""
            while piece := sock.recv(4096):
                answer += piece
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the simulated provider broke down: {answer!r}")
