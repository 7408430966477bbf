"""The outcome table of the reliability study, row by row, against real sockets that misbehave so.

Its 49 rows stand here as data, as tests named after their number, or as the name of the test elsewhere that holds them.
"""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome, Phase
from campaignkit.provider.exchange import Exchange

from .authority import Authority
from .peers import OK, UUID, Peer, Script, answer, closed_port, drips, floods, listens, resets_after, says, stalls
from .sending import (
    ANSWERING,
    BODY,
    CONNECTED,
    CONNECTING,
    DEADLINE,
    DONE,
    LARGE,
    PATIENCE,
    WAITING,
    WRITING,
    A,
    N,
    R,
    T,
    U,
    interrupted,
    send,
    sender,
)

Serve = Callable[..., Peer]
ROOT = Path(__file__).resolve().parents[2]

ELSEWHERE = {
    1: "tests/wire/test_bulk.py::test_what_is_no_json_is_never_encoded",
    2: "tests/wire/test_bulk.py::test_what_is_no_json_is_never_encoded",
    3: "tests/provider/test_send.py::test_what_cannot_be_sent_to_safely_is_refused",
    32: "tests/engine/test_wire.py::test_row_32_a_uuid_that_another_request_has_is_unknown_and_halts",
    46: "tests/engine/test_applier.py::test_an_outcome_that_can_not_be_stored_is_spilled_and_its_people_are_unknown",
    47: "tests/acceptance/test_interruptions.py::test_a_second_interrupt_gives_the_request_up_as_unknown",
    48: "tests/states/test_sqlite_processes.py::test_a_death_between_intent_and_outcome_is_unknown",
}


@dataclass(frozen=True)
class Row:
    """A row of the table: how the peer misbehaves, and what must be known of the request then.

    `phase` None: the moment of a reset decides it. `over`: `both` plays the script over http and over TLS, `tcp` over http
    only, `raw` beneath a client that expects TLS.
    """

    number: int
    what: str
    script: Script
    outcome: Outcome
    phase: Phase | None
    said: str = ""
    halt: bool = False
    over: str = "both"
    body: bytes = BODY


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n"
SOUND = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(OK)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIP = b"Content-Encoding: gzip\r\n"


def without_reading(conn: socket.socket, peer: Peer) -> None:
    peer.stopping.wait(10)


def reading_a_little(conn: socket.socket, peer: Peer) -> None:
    conn.recv(1000)


def reading_a_little_and_waiting(conn: socket.socket, peer: Peer) -> None:
    conn.recv(1000)
    peer.stopping.wait(10)


def resetting_midway(conn: socket.socket, peer: Peer) -> None:
    conn.recv(1000)
    resets_after(read=False)(conn, peer)


def refusing_early(conn: socket.socket, peer: Peer) -> None:
    conn.recv(1000)
    conn.sendall(answer(b"", status="413 Too Large"))
    time.sleep(0.05)


def says_without_tls(data: bytes) -> Script:
    return lambda conn, _: conn.sendall(data)


def dripping_a_server_hello(conn: socket.socket, peer: Peer) -> None:
    conn.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not peer.stopping.is_set():
        conn.sendall(b"\x00")
        time.sleep(0.02)


def beneath_tls(conn: socket.socket, data: bytes) -> None:
    """Write to the bare socket under a TLS one."""
    with socket.socket(fileno=os.dup(conn.fileno())) as bare:
        bare.sendall(data)


ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
BAD_RECORD = b"\x17\x03\x03\x00\x20" + b"x" * 32


def breaks_tls(said: bytes, record: bytes) -> Script:
    def script(conn: socket.socket, peer: Peer) -> None:
        peer.read_request(conn)
        conn.sendall(said)
        beneath_tls(conn, record)
        peer.stopping.wait(10)

    return script


def drips_a_record(conn: socket.socket, peer: Peer) -> None:
    peer.read_request(conn)
    beneath_tls(conn, b"\x17\x03\x03\x40\x00")
    while not peer.stopping.is_set():
        beneath_tls(conn, b"\x00")
        time.sleep(0.02)


def says_goodbye_after(data: bytes) -> Script:
    """Close TLS as it should be closed, in the middle of an answer."""

    def script(conn: Any, peer: Peer) -> None:
        peer.read_request(conn)
        conn.sendall(data)
        conn.unwrap()

    return script


def status(line: str, body: bytes = b"", headers: bytes = b"") -> Script:
    return says(answer(body, status=line, headers=headers))


ERROR = b'{"error":"no"}'
ROWS = (
    Row(10, "TLS to a plain port", says_without_tls(b"HTTP/1.1 400 Bad\r\n\r\n"), N, CONNECTING, "no TLS", halt=True, over="raw"),
    Row(11, "the handshake hangs", without_reading, N, CONNECTING, "did not end in time", over="raw"),
    Row(11, "the handshake drips", dripping_a_server_hello, N, CONNECTING, "did not end in time", over="raw"),
    Row(12, "reset in the handshake", resets_after(read=False), N, CONNECTING, "handshake", over="raw"),
    Row(12, "FIN in the handshake", reading_a_little, N, CONNECTING, "handshake", over="raw"),
    Row(13, "a late alert", breaks_tls(b"", ALERT), U, None, "TLS broke", over="tls"),
    Row(13, "a bad record", breaks_tls(b"", BAD_RECORD), U, None, "TLS broke", over="tls"),
    Row(13, "a bad record in the answer", breaks_tls(HEAD, BAD_RECORD), U, ANSWERING, "TLS broke", over="tls"),
    Row(13, "a bad record in the body", breaks_tls(answer(length=900), BAD_RECORD), U, ANSWERING, UUID, over="tls"),
    Row(16, "reset after accept", resets_after(read=False), U, None, over="tcp"),
    Row(17, "reset in the upload", resetting_midway, U, WRITING, "the connection was", over="tcp", body=b"x" * LARGE),
    Row(17, "FIN in the upload", reading_a_little, U, WRITING, "the connection was", body=b"x" * LARGE),
    Row(18, "the upload stalls", without_reading, U, WRITING, "deadline of 0.3 s", over="tcp", body=b"x" * LARGE),
    Row(18, "the upload stalls after a little", reading_a_little_and_waiting, U, WRITING, "deadline",
        body=b"x" * LARGE),
    Row(19, "FIN after the request", says(b""), U, WAITING, "closed without an answer"),
    Row(19, "goodbye after the request", says_goodbye_after(b""), U, WAITING, "closed without an answer", over="tls"),
    Row(20, "reset after the request", resets_after(), U, WAITING, "the connection was"),
    Row(21, "no answer", stalls(b""), U, WAITING, "deadline of 0.3 s"),
    Row(22, "drip in the status line", drips(b"HTTP/1.1 ", b"2"), U, ANSWERING, "deadline"),
    Row(22, "drip in a header", drips(HEAD, b"x"), U, ANSWERING, "deadline"),
    Row(22, "drip of headers", drips(HEAD, b"x: y\r\n"), U, ANSWERING, "deadline"),
    Row(22, "drip in the body", drips(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b" "), U, ANSWERING, "deadline"),
    Row(22, "drip of interim answers", drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), U, ANSWERING, "deadline"),
    Row(22, "flood of interim answers", floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 999), U, ANSWERING, "deadline"),
    Row(22, "drip in an interim header", drips(b"HTTP/1.1 100 Continue\r\nX: ", b"y"), U, ANSWERING, "deadline"),
    Row(22, "drip of chunks", drips(CHUNKED, b"1\r\nx\r\n"), U, ANSWERING, "deadline"),
    Row(22, "drip in a chunk's head", drips(CHUNKED + b"1", b";"), U, ANSWERING, "deadline"),
    Row(22, "drip in a trailer", drips(CHUNKED + b"%x\r\n%b\r\n0\r\n" % (len(OK), OK), b"x"), U, ANSWERING, "deadline"),
    Row(22, "flood of trailers", floods(CHUNKED + b"%x\r\n%b\r\n0\r\n" % (len(OK), OK), b"x: y\r\n" * 999), U, ANSWERING, "deadline"),
    Row(22, "drip in a TLS record", drips_a_record, U, WAITING, "deadline", over="tls"),
    Row(23, "cut in a header", says(HEAD + b"X-Half: "), U, ANSWERING, "middle of the answer"),
    Row(23, "cut after a header", says(HEAD), U, ANSWERING, "middle of the answer"),
    Row(23, "cut in the headers of a refusal", says(b"HTTP/1.1 400 Bad\r\nX: y\r\n"), U, ANSWERING, "middle of the answer"),
    Row(23, "cut in the headers of a redirect", says(b"HTTP/1.1 303 See\r\nX: y\r\n"), U, ANSWERING, "middle of", halt=True),
    Row(24, "cut in the body", says(answer(length=900)), U, ANSWERING, UUID),
    Row(24, "goodbye in the body", says_goodbye_after(answer(length=900)), U, ANSWERING, UUID, over="tls"),
    Row(25, "reset in the body", resets_after(answer(length=900)), U, ANSWERING, UUID),
    Row(26, "stall in the body", stalls(answer(length=900)), U, ANSWERING, "deadline"),
    Row(27, "cut body, close-delimited", says(b"HTTP/1.1 200 OK\r\n\r\n" + OK[:-5]), U, DONE, "cannot be read"),
    Row(28, "bad status line", says(b"SSH-2.0-OpenSSH_9\r\n\r\n"), U, ANSWERING, "BadStatusLine"),
    Row(28, "bad version", says(b"HTTP/9.9 200 OK\r\n\r\n" + OK), U, ANSWERING, "UnknownProtocol"),
    Row(28, "bad chunk", says(CHUNKED + b"zz\r\nxx"), U, ANSWERING, "middle of the answer"),
    Row(28, "cut chunk", says(CHUNKED + b"40\r\n" + OK[:20]), U, ANSWERING, "middle of the answer"),
    Row(28, "a header of 70 kB", says(HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n" + OK), U, ANSWERING, "LineTooLong"),
    Row(28, "a header without end", floods(HEAD + b"X: ", b"x" * (1 << 16)), U, ANSWERING, "LineTooLong"),
    Row(28, "200 headers", says(HEAD + b"X: y\r\n" * 200 + b"\r\n" + OK), U, ANSWERING, "HTTPException"),
    Row(28, "headers without end", floods(HEAD, b"X: y\r\n" * 999), U, ANSWERING, "HTTPException"),
    Row(28, "a folded header, otherwise sound", says(SOUND + b"X: y\r\n and more\r\n\r\n" + OK), A, DONE),
    Row(28, "a folded length", says(b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 65\r\n\r\n" + OK[:60]), U, ANSWERING, "cut"),
    Row(29, "gzip that was not asked for", status("200 OK", gzip.compress(OK), GZIP), U, DONE, "UTF-8"),
    Row(29, "bad gzip", status("200 OK", b"\x1f\x8b\x08" + b"x" * 20, GZIP), U, DONE, "UTF-8"),
    Row(29, "gzip as a transfer coding", says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n"), U, DONE),
    Row(30, "gzip bomb", status("200 OK", gzip.compress(b" " * LARGE), GZIP), U, DONE, "UTF-8"),
    Row(30, "more than 1 MiB", status("200 OK", b" " * (2 << 20)), U, ANSWERING, "cut"),
    Row(30, "a body without end", floods(b"HTTP/1.1 200 OK\r\n\r\n", b" " * (1 << 16)), U, ANSWERING, "cut"),
    Row(31, "accepted", says(answer()), A, DONE, "accepted"),
    Row(31, "accepted, close-delimited", says(b"HTTP/1.1 200 OK\r\n\r\n" + OK), A, DONE, "accepted"),
    Row(31, "accepted, in chunks", says(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(OK), OK)), A, DONE, "accepted"),
    Row(31, "accepted, kept open", stalls(answer()), A, DONE, "accepted"),
    Row(31, "accepted, HTTP/1.0", says(b"HTTP/1.0 200 OK\r\n\r\n" + OK), A, DONE, "accepted"),
    Row(33, "no uuid", status("200 OK", b'{"success":"OK"}'), U, DONE, "without a valid uuid"),
    Row(33, "no object", status("200 OK", b'["OK"]'), U, DONE, "no JSON object"),
    Row(33, "HTML", status("200 OK", b"<html>maintenance"), U, DONE, "not JSON"),
    Row(33, "empty", status("200 OK"), U, DONE, "empty"),
    Row(33, "100,000 brackets", status("200 OK", b"[" * 100_000), U, DONE, "nest"),
    Row(33, "5,000 digits", status("200 OK", b'{"uuid":' + b"9" * 5000 + b"}"), U, DONE, "30 digits"),
    Row(34, "two uuids", status("200 OK", b'{"uuid":"abcdefgh","uuid":"ijklmnop"}'), U, DONE, "twice"),
    Row(34, "NaN", status("200 OK", b'{"uuid":"abcdefgh","cost":NaN}'), U, DONE, "NaN"),
    *(Row(35, f"{code} with a uuid", status(f"{code} Fine", OK), A, DONE, str(code)) for code in (201, 202, 203)),
    Row(36, "204", says(b"HTTP/1.1 204 No\r\n\r\n"), U, DONE, "204"),
    *(Row(36, f"{code} with a uuid", status(f"{code} Odd", OK), U, DONE, str(code)) for code in (206, 207, 299)),
    Row(37, "interim only", says(b"HTTP/1.1 100 Continue\r\n\r\n"), U, ANSWERING, "closed without"),
    Row(37, "interim, then success", says(b"HTTP/1.1 100 Continue\r\n\r\n" + answer()), A, DONE),
    Row(37, "early hints", says(b"HTTP/1.1 103 Hints\r\n\r\n" + answer()), U, DONE, "103"),
    *(Row(39, str(code), status(f"{code} No", ERROR), R, DONE, "no", halt=code == 404) for code in (400, 404)),
    *(
        Row(40, str(code), status(f"{code} No", ERROR), R, DONE, "no", halt=code in {401, 403})
        for code in (401, 403, 405, 413, 414, 415, 422, 431)
    ),
    Row(40, "a refusal with a cut body", says(answer(b"<p>", status="413 Large", length=99)), R, ANSWERING, "413"),
    Row(40, "413 before the upload ends", refusing_early, R, DONE, "413", over="tcp", body=b"x" * LARGE),
    Row(40, "a refusal that names a uuid", says(answer(OK[:-2], status="400 Bad", length=99)), U, ANSWERING, UUID),
    Row(41, "429", status("429 Slow", b"", b"Retry-After: 7\r\n"), T, DONE, "429"),
    Row(41, "403 as a throttle", status("403 No", b'{"error":"limit excided"}'), T, DONE, "too many"),
    *(Row(42, str(code), status(f"{code} Odd", b"<p>"), U, DONE, str(code)) for code in (402, 408, 409, 410, 421, 425, 451, 499)),
    Row(43, "500", status("500 Oh", b'{"error":"billing error"}'), U, DONE, "billing"),
    *(Row(44, str(code), status(f"{code} Gone", OK), U, DONE, str(code)) for code in (502, 503, 504, 511, 520, 524)),
)  # fmt: skip

PLAYED = [
    pytest.param(row, scheme, id=f"{row.number} {row.what}, {scheme}")
    for row in ROWS
    for scheme in {"both": ("http", "https"), "tcp": ("http",), "tls": ("https",), "raw": ("raw",)}[row.over]
]


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def test_all_49_rows_are_here() -> None:
    named = [re.match(r"test_rows?((?:_[0-9]+)+)_", name) for name in globals()]
    tested = {int(number) for found in named if found for number in found[1].split("_")[1:]}
    assert {row.number for row in ROWS} | tested | set(ELSEWHERE) == set(range(1, 50))


@pytest.mark.parametrize("place", ELSEWHERE.values())
def test_what_is_held_elsewhere_is_held_there(place: str) -> None:
    path, _, name = place.partition("::")
    assert f"\ndef {name}(" in (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize(("row", "scheme"), PLAYED)
def test_the_row(serve: Serve, authority: Authority, row: Row, scheme: str) -> None:
    peer = serve(authority.over_tls(row.script) if scheme == "https" else row.script)
    url = peer.url if scheme == "http" else f"https://localhost:{peer.port}"
    given: dict[str, Any] = {"tls": None if scheme == "http" else authority.trusted()}
    given |= {"connect_timeout": DEADLINE} if "did not end in time" in row.said else {}
    given |= {"deadline": DEADLINE} if "deadline" in row.said else {}
    with at_most(PATIENCE):
        result = send(url, row.body, **given)
    assert (result.outcome, result.halt) == (row.outcome, row.halt), result
    assert row.phase is None or result.phase is row.phase, result
    assert row.said in result.reason
    assert bool(result.uuid) == (row.outcome is A)
    assert (result.bytes_written == 0) == (row.outcome is N)
    assert peer.connections == 1
    assert len(peer.requests) <= 1
    if result.phase is WRITING:  # what a person needs who must decide
        assert 0 < result.bytes_written < LARGE
        assert f"; {result.bytes_written} of " in result.reason


def test_row_4_a_name_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = send("https://no-such-host.invalid")
    assert (result.outcome, result.phase, result.halt) == (N, CONNECTING, False)
    assert "could not be resolved;" in result.reason


def test_row_4_a_name_that_is_never_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = socket.getaddrinfo

    def hanging(*words: Any, **more: Any) -> Any:
        time.sleep(2)
        return slow(*words, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with at_most(1.5):
        result = send(f"http://localhost:{closed_port()}", connect_timeout=DEADLINE)
    assert (result.outcome, result.phase) == (N, CONNECTING)
    assert "resolved in time" in result.reason


def test_row_5_a_refused_port() -> None:
    result = send(f"http://127.0.0.1:{closed_port()}")
    assert (result.outcome, result.phase, result.halt, result.bytes_written) == (N, CONNECTING, False, 0)
    assert "refused" in result.reason


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue is refused elsewhere")
def test_row_6_a_silent_address(deaf: int) -> None:
    with at_most(DEADLINE + 1):
        result = send(f"http://127.0.0.1:{deaf}", connect_timeout=DEADLINE)
    assert (result.outcome, result.phase, result.halt) == (N, CONNECTING, False)
    assert "no answer in time" in result.reason


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue is refused elsewhere")
@pytest.mark.parametrize("silent", [3, 500])
def test_row_6_many_silent_addresses_share_one_bound(deaf: int, monkeypatch: pytest.MonkeyPatch, silent: int) -> None:
    one = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", deaf))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [one] * silent)
    with at_most(DEADLINE + 1):
        assert send("https://app.example.by", connect_timeout=DEADLINE).outcome is N


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue is refused elsewhere")
def test_row_6_the_next_address_is_tried(serve: Serve, deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = serve(says(answer()))
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (deaf, closed_port(), peer.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    assert send(f"http://localhost:{peer.port}", connect_timeout=3 * DEADLINE).outcome is A
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    assert "no address" in send(f"http://localhost:{peer.port}").reason


PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def test_rows_7_8_9_the_environment_has_no_say(serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no proxy to refuse (7), to answer 407 (8), or to answer in the provider's place (9); and no key log, no netrc."""
    got: list[bytes] = []
    trap = serve(listens(got))
    for name in PROXIES:
        monkeypatch.setenv(name, trap.url)
    login = tmp_path / ".netrc"
    login.write_text("machine 127.0.0.1 login a password b\nmachine localhost login a password b\n", "utf-8")
    login.chmod(0o600)
    monkeypatch.setenv("NETRC", str(login))
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    plain, secure = serve(says(answer())), serve(authority.over_tls(says(answer())))
    assert send(plain.url).outcome is A
    assert send(f"https://localhost:{secure.port}").outcome is A
    for peer in (plain, secure):
        assert b"uthorization" not in peer.requests[0]
        assert peer.requests[0].startswith(b"POST /api/")
    assert (trap.connections, got) == (0, [])
    assert not keys.exists()


@pytest.mark.parametrize("wrong", ["unknown authority", "self-signed", "expired", "another host", "address", "old TLS"])
def test_row_10_whom_tls_does_not_trust_nothing_is_sent(serve: Serve, authority: Authority, wrong: str) -> None:
    context = {
        "self-signed": authority.self_signed,
        "expired": lambda: authority.server(expired=True),
        "another host": lambda: authority.server("localhost.example.by"),
        "old TLS": authority.outdated,
    }.get(wrong, authority.server)()
    peer = serve(authority.over_tls(says(answer()), context))
    given: dict[str, Any] = {} if wrong == "unknown authority" else {"tls": authority.trusted()}
    result = send(f"https://{'127.0.0.1' if wrong == 'address' else 'localhost'}:{peer.port}", **given)
    assert (result.outcome, result.phase, result.halt, result.bytes_written) == (N, CONNECTING, True, 0)
    assert ("no TLS could be agreed" if wrong == "old TLS" else "certificate was refused") in result.reason
    assert peer.requests == []


def test_row_10_no_authority_of_another_tool_is_trusted(serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """`SSL_CERT_FILE` says where the system's authorities are; if nothing is there, nobody is trusted."""
    peer = serve(authority.over_tls(says(answer())))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.file))
    assert send(f"https://localhost:{peer.port}").halt
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file.with_name("none")))
    assert send(f"https://localhost:{peer.port}").halt
    assert peer.requests == []


def test_row_13_a_client_turned_away_after_the_handshake(serve: Serve, authority: Authority) -> None:
    """TLS 1.3 ends the client's handshake before the server has judged it; nobody can tell then what the server read."""
    peer = serve(authority.over_tls(says(answer()), authority.asking_for_a_certificate()))
    result = send(f"https://localhost:{peer.port}", tls=authority.trusted())
    assert (result.outcome, result.halt, result.uuid) == (U, False, "")
    assert peer.requests == []


@pytest.mark.parametrize("granted", [False, StateError("the disk is full"), KeyboardInterrupt()])
def test_row_14_without_a_committed_intent_not_a_byte_leaves(serve: Serve, granted: Any) -> None:
    got: list[bytes] = []
    peer = serve(listens(got))

    def intent() -> bool:
        if granted is not False:
            raise granted
        return False

    if granted is False:
        result = sender(peer.url).send_bulk(BODY, intent=intent)
        assert (result.outcome, result.phase, result.bytes_written) == (N, CONNECTED, 0)
    else:
        with pytest.raises(type(granted)):
            sender(peer.url).send_bulk(BODY, intent=intent)
    peer.wait_for_one()
    assert got == [b""]


STOPPED = """
import os, signal, sys, time
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.send import BulkSender

def intent():
    os.kill(os.getpid(), signal.SIGSTOP)
    return True

def hasty():
    return 100 * time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

one = BulkSender(sys.argv[1], "no-token", connect_timeout=9, deadline=9, policy=ProviderBehaviour(), clock=hasty)
print(one.send_bulk(b"{}", intent=intent))
"""


def test_row_15_a_process_stopped_past_the_fence_does_not_send(serve: Serve) -> None:
    got: list[bytes] = []
    peer = serve(listens(got))
    with subprocess.Popen([sys.executable, "-c", STOPPED, peer.url], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        os.waitpid(process.pid, os.WUNTRACED)
        time.sleep(0.5)  # 50 s by its clock
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=20)
    assert "Outcome.NOT_SENT" in out
    assert "more than 30 s passed" in out
    peer.wait_for_one()
    assert got == [b""]


@pytest.mark.parametrize("code", [300, 301, 302, 303, 305, 307, 308])
def test_row_38_redirects_are_never_followed(serve: Serve, code: int) -> None:
    got: list[bytes] = []
    other = serve(listens(got))
    peer = serve(says(answer(OK, status=f"{code} Moved", headers=f"Location: {other.url}/x\r\n".encode())))
    result = send(peer.url)
    assert (result.outcome, result.halt, result.uuid) == (U, True, "")
    assert (peer.connections, other.connections, got) == (1, 0, [])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError, RecursionError, RuntimeError, GeneratorExit])
@pytest.mark.parametrize("where", ["_write", "receive_into", "_read_body"])
def test_row_45_any_exception_after_the_intent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException], where: str
) -> None:
    def broken(*_: Any) -> int:
        raise kind

    monkeypatch.setattr(Exchange, where, broken)
    result = send(serve(says(answer())).url)
    assert (result.outcome, result.uuid) == (U, "")
    assert kind.__name__ in result.reason


def test_row_45_an_interrupt_in_the_middle(serve: Serve) -> None:
    with interrupted(0.1):
        result = send(serve(stalls(b"")).url)
    assert (result.outcome, result.phase) == (U, WAITING)
    assert result.reason.startswith("interrupted")


def test_row_49_no_connection_is_used_twice_and_nothing_is_repeated(serve: Serve) -> None:
    kept_open, reset = stalls(answer()), resets_after()
    peer = serve(kept_open, reset, kept_open)
    one = sender(peer.url)
    assert [one.send_bulk(BODY, intent=lambda: True).outcome for _ in range(3)] == [A, U, A]
    assert (peer.connections, len(peer.requests)) == (3, 3)
