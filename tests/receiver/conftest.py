"""A receiver on a real socket, before a real state."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from campaignkit.receiver.inbox import Inbox
from campaignkit.receiver.server import Bounds, Receiver
from campaignkit.states.store import StateReader, Store
from campaignkit.wire.callbacks import new_secret, secret_hash
from tests.states.conftest import AT, FIRST, Run, World, new_sqlite, request

SECRET, OTHER = new_secret(b"1" * 32), new_secret(b"2" * 32)
BODY = b'{"uuid":"cc9c8043-8caf-11ef-b035-9e8f47954dec","success":"OK"}'


@dataclass
class Post:
    """A receiver, and a client of its own for it: bytes in, bytes out."""

    world: World
    receiver: Receiver
    told: list[str] = field(default_factory=list)

    def connect(self) -> socket.socket:
        return socket.create_connection((urlsplit(self.receiver.url).hostname, urlsplit(self.receiver.url).port), timeout=20)

    def raw(self, data: bytes) -> bytes:
        with self.connect() as connection:
            with contextlib.suppress(OSError):  # it may have answered before everything was sent
                connection.sendall(data)
            return read(connection)

    def post(self, body: bytes = BODY, *, target: str = f"/ck/{SECRET}", method: str = "POST", fields: dict[str, Any] | None = None) -> int:
        """The status of one request; a field of None is left out."""
        head = {"Host": "hooks.example.by", "Content-Length": len(body)} | (fields or {})
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items() if value is not None)]
        return status(self.raw("\r\n".join([*lines, "", ""]).encode() + body))

    def kept(self) -> dict[str, list[bytes]]:
        with contextlib.closing(self.world.reader()) as reader:
            return {row.ref: [one.body for hints in reader.hints(row.ref) for one in hints.callbacks] for row in reader.requests()}


def read(connection: socket.socket) -> bytes:
    """All that comes, until the other side closes."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            found += piece
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@contextlib.contextmanager
def listening(world: World, bounds: Bounds | None = None) -> Iterator[Post]:
    told: list[str] = []

    @contextlib.contextmanager
    def store() -> Iterator[Store]:
        with contextlib.closing(world.store()) as opened:
            yield opened

    def reader() -> StateReader:
        return world.reader()

    with Receiver(Inbox(reader, store, lambda: AT), "127.0.0.1", 0, tell=told.append, bounds=bounds or Bounds(pause=0.0)) as receiver:
        yield Post(world, receiver, told)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A state with two requests that have addresses, and one that has none."""
    made = new_sqlite(tmp_path)
    store = made.store()
    run = Run(store, store.begin_run(command="apply", digest="", at=AT))
    planned = [replace(request([FIRST + number]), callback=secret_hash(secret)) for number, secret in enumerate((SECRET, OTHER))]
    run.plan(*planned, request([FIRST + 9]))
    store.close()
    yield made
    for opened in made.stores:
        opened.close()


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with listening(world) as made:
        yield made


@pytest.fixture
def listen(world: World) -> Callable[[Bounds], contextlib.AbstractContextManager[Post]]:
    return lambda bounds: listening(world, bounds)
