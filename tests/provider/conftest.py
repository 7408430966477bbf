"""Fixtures of the provider's tests."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from .authority import Authority
from .peers import Peer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def serve() -> Iterator[Callable[..., Peer]]:
    """Starts peers and stops them all."""
    with serving() as start:
        yield start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of the tests' own, whose certificates the peers show."""
    folder: Path = tmp_path_factory.mktemp("authority")
    return Authority(folder)


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose queue is full: whoever connects waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()
