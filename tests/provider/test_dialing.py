"""Connections that do not come about, beyond what the outcome table says of them: not one byte is sent."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .peers import Peer, answer, says
from .sending import BODY, CONNECTING, DEADLINE, A, N, interrupted, send, sender

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., Peer]


def test_an_address_of_a_kind_that_the_machine_does_not_have(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver names IPv6 addresses to a machine without IPv6, too."""
    peer = serve(says(answer()))
    strange: Any = (9999, socket.SOCK_STREAM, 6, "", ("::1", 80, 0, 0))
    addresses = [strange, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", peer.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    assert send(f"http://localhost:{peer.port}").outcome is A
    addresses.pop()
    result = send(f"http://localhost:{peer.port}")
    assert (result.outcome, result.phase, result.halt) == (N, CONNECTING, False)
    assert result.reason.startswith("no connection: Address family not supported")


def test_a_process_that_stood_still_while_it_connected_tries_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (1, 2)]

    tried: list[Any] = []

    def stopped(_: socket.socket, address: Any) -> None:
        tried.append(address)
        time.sleep(DEADLINE)
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    monkeypatch.setattr(socket.socket, "connect", stopped)
    result = send("http://localhost:80", connect_timeout=DEADLINE)
    assert (result.outcome, result.phase, result.halt) == (N, CONNECTING, False)
    assert result.reason.startswith("no connection: no answer in time")
    assert tried == [("127.0.0.1", 1)]


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue is refused elsewhere")
def test_an_interrupt_while_connecting_ends_it_and_leaves_no_socket(deaf: int) -> None:
    asked: list[str] = []

    def intent() -> bool:
        asked.append("it was asked for")
        return True

    one = sender(f"http://127.0.0.1:{deaf}", connect_timeout=9.0)
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(KeyboardInterrupt) as caught, interrupted(0.1):  # `caught` holds the frames, and all that is in them
        one.send_bulk(BODY, intent=intent)
    assert caught.value.__traceback__
    assert asked == []
    assert set(Path("/proc/self/fd").iterdir()) <= before
