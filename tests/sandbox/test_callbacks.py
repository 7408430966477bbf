"""With `"callbacks": true` the sandbox also posts its answer, whatever becomes of the connection, and to loopback alone."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from campaignkit.sandbox.scenario_reading import read_scenario
from campaignkit.sandbox.server import EmbeddedServer

from .asking import SEND, ask, request


class Hook(ThreadingHTTPServer):
    """A webhook that remembers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, Any]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def sandbox(*faults: str, callbacks: bool = True) -> EmbeddedServer:
    scenario = {"callbacks": callbacks, "faults": [{"method": "sendBulkViber", "fault": fault, "nth": 1} for fault in faults]}
    return EmbeddedServer(scenario=read_scenario(scenario))


def accepted(server: EmbeddedServer) -> list[str]:
    return [request.uuid for request in server.ledger.requests()]


def test_the_answer_is_posted_to_the_address_with_its_query(hook: Hook) -> None:
    with sandbox() as server:
        answer = ask(server.url, SEND, request() | {"callback_url": hook.url("/ck/one?site=1")}).document
        until(lambda: len(hook.got) == 1)
    assert hook.got == [("/ck/one?site=1", answer)]
    assert answer == {"uuid": answer["uuid"], "success": "OK"}


@pytest.mark.parametrize("fault", ["drop_after", "http_500_after", "truncated", "garbage"])
def test_a_lost_answer_is_posted_all_the_same(hook: Hook, fault: str) -> None:
    with sandbox(fault) as server:
        with contextlib.suppress(OSError, http.client.HTTPException):
            ask(server.url, SEND, request() | {"callback_url": hook.url("/ck/one")})
        until(lambda: len(hook.got) == 1)
        assert hook.got == [("/ck/one", {"uuid": accepted(server)[0], "success": "OK"})]


def test_what_was_not_accepted_is_not_posted_and_nothing_is_without_being_asked(hook: Hook) -> None:
    asked = request() | {"callback_url": hook.url("/ck/one")}
    with sandbox("http_400") as server:
        assert ask(server.url, SEND, asked).status == 400
        assert ask(server.url, SEND, asked | {"callback_url": hook.url("/ck/two")}).status == 200
        until(lambda: len(hook.got) == 1)
    with sandbox(callbacks=False) as server:
        assert ask(server.url, SEND, asked).status == 200
    assert [path for path, _ in hook.got] == ["/ck/two"]


def test_nobody_beyond_loopback_is_called(monkeypatch: pytest.MonkeyPatch, hook: Hook) -> None:
    called: list[object] = []
    connect = socket.create_connection

    def spy(address: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        called.append(address[0])
        return connect(address, *rest, **options)

    monkeypatch.setattr(socket, "create_connection", spy)
    with sandbox() as server:
        for url in (
            "http://192.0.2.1/ck",
            "https://127.0.0.1/ck",
            "http://hooks.example.by/ck",
            "http://127.0.0.1:x/ck",
            "ftp://127.0.0.1/",
        ):
            assert ask(server.url, SEND, request() | {"callback_url": url}).status == 200
        assert ask(server.url, SEND, request() | {"callback_url": hook.url("/last")}).status == 200
        until(lambda: len(hook.got) == 1)
    assert set(called) == {"127.0.0.1"}


def test_a_webhook_that_hangs_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/ck"
        with sandbox() as server:
            for _ in range(3):
                assert ask(server.url, SEND, request() | {"callback_url": url}).status == 200
            connection, _address = silent.accept()
        connection.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox-callbacks"]
