"""The receiver before a real state: what is kept, what gets the same 404, and what can't hold it up."""

from __future__ import annotations

import gzip
import http.client
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaignkit.receiver.inbox import Inbox
from campaignkit.receiver.server import Bounds, Receiver
from campaignkit.states.records import RequestState
from campaignkit.states.sqlite.presence import main_says_in_use
from campaignkit.states.store import StateReader
from tests.receiver.conftest import BODY, OTHER, SECRET, Post, read, status
from tests.states.conftest import AT, World

Listen = Callable[[Bounds], AbstractContextManager[Post]]
NOTHING: dict[str, list[bytes]] = {"r1": [], "r2": [], "r3": []}


def test_a_callback_is_kept_before_it_is_answered_and_the_state_is_left_at_rest(post: Post) -> None:
    assert post.post() == 200
    assert post.kept() == NOTHING | {"r1": [BODY]}
    assert not main_says_in_use(post.world.path)
    assert sorted(path.name for path in post.world.path.parent.iterdir()) == ["production.db"]
    assert post.told == ["a callback was kept"]


@pytest.mark.parametrize("target", [f"/{SECRET}", f"/a/b/c/{SECRET}?site=1", f"http://hooks.example.by/ck/{SECRET}#x"])
def test_only_the_last_segment_counts_as_a_proxy_may_map_the_rest(post: Post, target: str) -> None:
    assert post.post(target=target) == 200
    assert post.kept()["r1"] == [BODY]


def test_the_same_body_again_changes_nothing(post: Post) -> None:
    assert [post.post() for _ in range(30)] == [200] * 30
    assert post.post(target=f"/ck/{OTHER}") == 200
    assert post.kept() == {"r1": [BODY], "r2": [BODY], "r3": []}


def test_ordinary_clients_are_understood(post: Post) -> None:
    connection = http.client.HTTPConnection(urlsplit(post.receiver.url).netloc, timeout=10)
    connection.request("POST", f"/ck/{SECRET}", BODY, {"Content-Type": "application/json", "Expect": "100-continue"})
    assert connection.getresponse().status == 200
    connection.close()
    assert post.post(b"uuid=cc9c8043-8caf-11ef-b035-9e8f47954dec&success=OK") == 200
    with post.connect() as slow:  # sent as many small pieces as a network may make of it
        for byte in f"POST /ck/{SECRET} HTTP/1.0\r\ncontent-length:2\r\n\r\n[]".encode():
            slow.sendall(bytes([byte]))
        assert status(read(slow)) == 200
    assert len(post.kept()["r1"]) == 3


def test_a_client_that_waits_to_be_told_to_go_on_is_told(post: Post) -> None:
    with post.connect() as connection:
        connection.sendall(f"POST /{SECRET} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"[]")
        assert status(read(connection)) == 200


def test_an_answer_ends_properly_although_the_body_was_not_read(post: Post) -> None:
    with post.connect() as connection:
        connection.sendall(f"POST /{SECRET} HTTP/1.1\r\nContent-Length: 200000\r\n\r\n".encode() + b"x" * 200_000)
        answer = b""
        while piece := connection.recv(1000):  # a reset would raise here
            answer += piece
        assert status(answer) == 413


def test_a_head_without_an_end_is_cut(post: Post) -> None:
    with post.connect() as connection:
        connection.sendall(b"POST /" + b"x" * 20_000)
        assert status(read(connection)) == 431


def test_a_fault_of_ours_is_503_and_no_traceback(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> StateReader:
        raise RuntimeError("with the words of others in it")

    told: list[str] = []
    with Receiver(Inbox(broken, lambda: closing(world.store()), lambda: AT), "127.0.0.1", 0, tell=told.append) as receiver:
        assert Post(world, receiver).post() == 503
    assert told == ["a callback could not be kept: RuntimeError, a fault of campaignkit"]
    assert capfd.readouterr().err == ""


def test_whoever_does_not_know_an_address_gets_the_very_same_answer(post: Post) -> None:
    """B168: no guess, method or path tells anything, and nothing is kept."""
    body = b"Content-Length: 2\r\n\r\n[]"
    asked = [
        f"GET /ck/{SECRET} HTTP/1.1\r\n\r\n".encode(),
        f"PUT /ck/{SECRET} HTTP/1.1\r\n".encode() + body,
        f"HEAD /ck/{SECRET} HTTP/1.1\r\n\r\n".encode(),
        b"POST / HTTP/1.1\r\n" + body,
        f"POST /{SECRET}/ HTTP/1.1\r\n".encode() + body,
        f"POST /{SECRET[:-1]} HTTP/1.1\r\n".encode() + body,
        f"POST /ck/{SECRET.swapcase()} HTTP/1.1\r\n".encode() + body,
        f"POST /ck/{secrets.token_urlsafe(32)} HTTP/1.1\r\n".encode() + body,
        f"POST /ck/{secrets.token_urlsafe(32)} HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n".encode(),
        f"POST /ck/{secrets.token_urlsafe(32)} HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n".encode(),
        b"PRI * HTTP/1.1\r\n\r\n",
    ]
    answers = {post.raw(one) for one in asked}
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert post.kept() == NOTHING
    assert post.told == []


def test_hundreds_of_guesses_write_nothing(post: Post) -> None:
    before = post.world.path.read_bytes()
    assert {post.post(target=f"/ck/{secrets.token_urlsafe(32)}") for _ in range(300)} == {404}
    assert post.world.path.read_bytes() == before


@pytest.mark.parametrize(
    ("body", "fields", "expected"),
    [
        (b"x" * 65_537, {}, 413),
        (b"", {"Content-Length": 1_000_000_000}, 413),
        (b"", {"Content-Length": "9" * 5_000}, 413),
        (b"[]", {"Content-Length": "-2"}, 400),
        (b"[]", {"Content-Length": "2, 2"}, 400),
        (b"[]", {"Content-Length": "²"}, 400),
        (b"[]", {"Content-Length": None}, 411),
        (b"2\r\n[]\r\n0\r\n\r\n", {"Content-Length": None, "Transfer-Encoding": "chunked"}, 411),
        (gzip.compress(b" " * 10_000_000, mtime=0), {"Content-Encoding": "gzip"}, 415),
        (BODY, {"Content-Encoding": "br"}, 415),
        (gzip.compress(BODY, mtime=0), {}, 400),
        (b"[" * 60_000, {}, 400),
        (b"[" * 9 + b"]" * 9, {}, 400),
        (b"hello", {}, 400),
        (b"", {}, 400),
        (b"[]", {"Bad name": "x"}, 400),
        (b"[]", {"Long": "x" * 20_000}, 431),
    ],
)
def test_what_is_too_large_or_unreadable_is_refused(post: Post, body: bytes, fields: dict[str, object], expected: int) -> None:
    """B169: sizes, codings and depths, on an address that is known."""
    assert post.post(body, fields=fields) == expected
    assert post.kept() == NOTHING
    assert post.post() == 200


@pytest.mark.parametrize(
    "junk", [b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"POST  HTTP/1.1\r\n\r\n", b"POST / HTTP/2.0\r\n\r\n", b"POST /"]
)
def test_what_is_no_request_is_told_so(post: Post, junk: bytes) -> None:
    with post.connect() as connection:
        connection.sendall(junk)
        connection.shutdown(socket.SHUT_WR)
        assert status(read(connection)) == 400


@pytest.mark.parametrize("start", [b"", f"POST /ck/{SECRET} HTTP/1.1\r\nContent-Length: 60000\r\n\r\n".encode()])
def test_a_drip_is_cut_at_the_deadline_however_its_bytes_come(listen: Listen, start: bytes) -> None:
    with listen(Bounds(seconds=0.4, pause=0.0)) as post, post.connect() as connection:
        connection.sendall(start)
        answered = threading.Event()

        def drip() -> None:
            while not answered.wait(0.02):
                try:
                    connection.sendall(b"P")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        assert status(read(connection)) == 408
        answered.set()
        thread.join()
        assert post.kept() == NOTHING


def test_many_that_say_nothing_hold_nobody_up_for_longer_than_the_deadline(listen: Listen) -> None:
    """More silent connections than there is room for: the next one is answered once they are cut."""
    with listen(Bounds(seconds=0.3, at_a_time=3, pause=0.0)) as post:
        silent = [post.connect() for _ in range(7)]
        assert post.post() == 200
        assert sum(thread.name == "callback" for thread in threading.enumerate()) <= 3
        for connection in silent:
            connection.close()


def test_a_state_that_cannot_be_written_is_503_and_the_callback_may_come_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """B175."""
    path = post.world.path
    path.rename(path.with_suffix(".away"))
    assert post.post() == 503
    assert "could not be kept" in post.told[0]
    assert SECRET not in " ".join(post.told)
    path.with_suffix(".away").rename(path)
    monkeypatch.setattr("campaignkit.states.sqlite.connection.BUSY_MS", 50)
    other = post.world.store()
    busy = sqlite3.connect(path, isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("campaignkit.states.sqlite.opening.connect", _impatient)
    monkeypatch.setattr("campaignkit.states.sqlite.presence.PATIENCE", 0.1)
    assert post.post() == 503
    busy.execute("ROLLBACK")
    busy.close()
    other.close()
    assert post.post() == 200
    assert post.kept()["r1"] == [BODY]


def _impatient(path: object, mode: str) -> sqlite3.Connection:
    from campaignkit.states.sqlite import connection

    return connection.connect(path, mode, busy_ms=50)  # type: ignore[arg-type]  # what opening hands over


def test_more_than_a_request_keeps_is_told_to_come_no_more(post: Post) -> None:
    assert [post.post(b'{"n":%d}' % number) for number in range(18)] == [200] * 16 + [429] * 2


def test_a_callback_is_kept_beside_a_running_apply_and_faster_than_its_answer(world: World, post: Post) -> None:
    """B173: stored while the request is still under way; it changes nothing of it."""
    store = world.store()
    assert store.mark_intent("r1", AT) == 1
    assert post.post() == 200
    row = store.request("r1")
    assert row is not None
    assert row.state is RequestState.INTENT
    assert [one.body for hints in store.hints("r1") for one in hints.callbacks] == [BODY]
    store.close()


def test_many_at_once_are_all_kept(post: Post) -> None:
    got: list[int] = []
    threads = [threading.Thread(target=lambda n=number: got.append(post.post(b'{"n":%d}' % (n % 8)))) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [200] * 24
    assert sorted(post.kept()["r1"]) == [b'{"n":%d}' % number for number in range(8)]


def test_at_its_end_nothing_listens_and_no_thread_is_left(listen: Listen) -> None:
    with listen(Bounds(seconds=60.0)) as post:
        hanging = post.connect()
        address = hanging.getpeername()
        hanging.sendall(b"POST /")
        while not any(thread.name == "callback" for thread in threading.enumerate()):
            time.sleep(0.01)
    assert status(read(hanging)) == 400  # cut, not timed out
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
    hanging.close()
    while any(thread.name.startswith("callback") for thread in threading.enumerate()):
        time.sleep(0.01)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode), st.sampled_from([SECRET, OTHER, "x"]))
def test_no_body_brings_it_down_or_changes_a_request(post: Post, body: bytes, secret: str) -> None:
    assert post.post(body, target=f"/{secret}") in {200, 400, 404, 429}
    with_reader = post.world.reader()
    assert {row.state for row in with_reader.requests()} == {RequestState.PLANNED}
    with_reader.close()
