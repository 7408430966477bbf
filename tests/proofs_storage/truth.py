"""The provider's side of a proof: its process, and what its log says of one case."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).with_name("provider.py")


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came, wholly (then it was accepted, under `uuid`) or in part."""

    bytes: int
    uuid: str
    names: tuple[str, ...]
    phones: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """A running provider and the folder of its logs."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def received(self, token: str) -> list[Received]:
        """Everything that came under this token, once whatever is still on its way has come."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as barrier:
            barrier.shutdown(socket.SHUT_WR)
            while barrier.recv(1 << 16):
                pass
        path = self.folder / f"{token}.log"
        lines = path.read_text().splitlines() if path.exists() else []
        found = [json.loads(line) for line in lines]
        return [Received(one["bytes"], one["uuid"], tuple(one["names"]), tuple(one["phones"])) for one in found]


@contextmanager
def provider(folder: Path) -> Iterator[Truth]:
    """A provider that lives as long as the block."""
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen([sys.executable, str(PROGRAM), str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Truth(int(process.stdout.readline()), folder)
    finally:
        process.kill()
        process.communicate()
