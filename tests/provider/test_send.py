"""One send against real sockets that misbehave: what is known, what is not, and what the peer truly got."""

from __future__ import annotations

import base64
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from campaignkit.errors import RefusedError
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.exchange import Exchange
from campaignkit.provider.send import BulkSender

from .peers import OK, UUID, Peer, Script, answer, closed_port, drips, resets_after, says, stalls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., Peer]

TOKEN = "eyJpdiI6IjJz+FlF/XBm=tests-only"
BODY = b'{"messages":[]}'
DEADLINE = 0.3
A, R, T, N, U = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT, Outcome.UNKNOWN


def sender(url: str, **given: Any) -> BulkSender:
    given = {"connect_timeout": DEADLINE, "deadline": DEADLINE, "policy": ProviderBehaviour(), **given}
    return BulkSender(url, TOKEN, **given)


def send(url: str, body: bytes = BODY, **given: Any) -> SendResult:
    return sender(url, **given).send_bulk(body, intent=lambda: True)


def test_an_accepted_send_is_one_plain_post(serve: Serve) -> None:
    peer = serve(says(answer()))
    result = send(peer.url)
    assert (result.outcome, result.uuid, result.http_status, result.phase) == (A, UUID, 200, Phase.DONE)
    assert result.answer == OK
    assert not result.halt
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/v1/sendBulkViber HTTP/1.1"
    assert {"Accept-Encoding: identity", "Connection: close", f"Host: 127.0.0.1:{peer.port}"} < set(lines)
    assert f"Content-Length: {len(BODY)}" in lines
    assert body == BODY
    assert result.bytes_written == len(peer.requests[0])
    assert TOKEN.encode() not in head


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# script, outcome, phase, part of the reason; rows by their numbers in the outcome table of the reliability study
BROKEN = {
    "16 reset after accept": (resets_after(read=False), U, None, ""),
    "19 FIN after the request": (says(b""), U, Phase.WAITING, "closed without an answer"),
    "20 reset after the request": (resets_after(), U, Phase.WAITING, "reset"),
    "21 no answer": (stalls(b""), U, Phase.WAITING, "deadline of 0.3 s"),
    "22 drip in the status line": (drips(b"HTTP/1.1 ", b"2"), U, Phase.ANSWERING, "deadline"),
    "22 drip in the headers": (drips(HEAD, b"x"), U, Phase.ANSWERING, "deadline"),
    "22 drip of headers": (drips(HEAD, b"x: y\r\n"), U, Phase.ANSWERING, ""),
    "22 drip in the body": (drips(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b" "), U, Phase.ANSWERING, "deadline"),
    "22 drip of 100s": (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), U, Phase.ANSWERING, "deadline"),
    "22 drip of chunks": (drips(CHUNKED, b"1\r\nx\r\n"), U, Phase.ANSWERING, "deadline"),
    "23 cut in the headers": (says(HEAD + b"X-Half: "), U, Phase.ANSWERING, "middle of the answer"),
    "23 cut after a header": (says(HEAD), U, Phase.ANSWERING, "middle of the answer"),
    "23 cut headers of a refusal": (says(b"HTTP/1.1 400 Bad\r\nX: y\r\n"), U, Phase.ANSWERING, "middle of the answer"),
    "24 cut in the body": (says(answer(length=900)), U, Phase.ANSWERING, UUID),
    "25 reset in the body": (resets_after(answer(length=900)), U, Phase.ANSWERING, "reset"),
    "26 stall in the body": (stalls(answer(length=900)), U, Phase.ANSWERING, "deadline"),
    "27 cut body, close-delimited": (says(b"HTTP/1.1 200 OK\r\n\r\n" + OK[:-5]), U, Phase.DONE, "cannot be read"),
    "28 bad status line": (says(b"SSH-2.0-OpenSSH_9\r\n\r\n"), U, Phase.ANSWERING, "BadStatusLine"),
    "28 bad version": (says(b"HTTP/9.9 200 OK\r\n\r\n" + OK), U, Phase.ANSWERING, "UnknownProtocol"),
    "28 bad chunk": (says(CHUNKED + b"zz\r\nxx"), U, Phase.ANSWERING, "middle of the answer"),
    "28 cut chunk": (says(CHUNKED + b"40\r\n" + OK[:20]), U, Phase.ANSWERING, "middle of the answer"),
    "28 header of 70 kB": (says(HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n" + OK), U, Phase.ANSWERING, "LineTooLong"),
    "28 200 headers": (says(HEAD + b"X: y\r\n" * 200 + b"\r\n" + OK), U, Phase.ANSWERING, "HTTPException"),
    "29 gzip": (says(answer(gzip.compress(OK), headers=b"Content-Encoding: gzip\r\n")), U, Phase.DONE, "UTF-8"),
    "30 too much": (says(answer(b" " * (2 << 20))), U, Phase.ANSWERING, "cut"),
    "33 HTML": (says(answer(b"<html>maintenance")), U, Phase.DONE, "not JSON"),
    "33 empty": (says(answer(b"")), U, Phase.DONE, "empty"),
    "33 brackets": (says(answer(b"[" * 100_000)), U, Phase.DONE, "nest"),
    "34 two uuids": (says(answer(b'{"uuid":"abcdefgh","uuid":"ijklmnop"}')), U, Phase.DONE, "twice"),
    "36 no content": (says(b"HTTP/1.1 204 No\r\n\r\n"), U, Phase.DONE, "204"),
    "37 interim only": (says(b"HTTP/1.1 100 Continue\r\n\r\n"), U, Phase.ANSWERING, "closed without"),
    "37 interim, then success": (says(b"HTTP/1.1 100 Continue\r\n\r\n" + answer()), A, Phase.DONE, ""),
    "37 early hints": (says(b"HTTP/1.1 103 Hints\r\n\r\n" + answer()), U, Phase.DONE, "103"),
    "39 bad request": (says(answer(b'{"error":"no"}', status="400 Bad")), R, Phase.DONE, "no"),
    "40 refusal with a cut body": (says(answer(b"<p>", status="413 Large", length=99)), R, Phase.ANSWERING, "413"),
    "41 throttled": (says(answer(b"", status="429 Slow", headers=b"Retry-After: 7\r\n")), T, Phase.DONE, "429"),
    "43 server error": (says(answer(b'{"error":"billing error"}', status="500 Oh")), U, Phase.DONE, "billing"),
    "44 gateway": (says(answer(OK, status="502 Bad Gateway")), U, Phase.DONE, "502"),
    "close-delimited": (says(b"HTTP/1.1 200 OK\r\n\r\n" + OK), A, Phase.DONE, "accepted"),
    "chunked": (says(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(OK), OK)), A, Phase.DONE, "accepted"),
    "kept open": (stalls(answer()), A, Phase.DONE, "accepted"),
    "HTTP/1.0": (says(b"HTTP/1.0 200 OK\r\n\r\n" + OK), A, Phase.DONE, "accepted"),
}


@pytest.mark.parametrize(("script", "outcome", "phase", "reason"), BROKEN.values(), ids=BROKEN)
def test_every_way_to_break(serve: Serve, script: Script, outcome: Outcome, phase: Phase | None, reason: str) -> None:
    peer = serve(script)
    began = time.monotonic()
    result = send(peer.url)
    assert time.monotonic() - began < DEADLINE + 1
    assert result.outcome is outcome, result
    assert phase is None or result.phase is phase, result
    assert reason in result.reason
    assert peer.connections == 1
    assert len(peer.requests) <= 1


def test_what_is_known_of_a_throttle(serve: Serve) -> None:
    peer = serve(BROKEN["41 throttled"][0])
    assert send(peer.url).retry_after == 7.0
    assert send(peer.url, policy=ProviderBehaviour(throttled_is="unknown")).outcome is U


def test_garbage_is_kept_as_evidence(serve: Serve) -> None:
    assert send(serve(says(b"SSH-2.0\r\n" + TOKEN.encode())).url).answer == b"SSH-2.0\r\n[token]"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_never_followed(serve: Serve, status: int) -> None:
    other = serve(says(answer()))
    peer = serve(says(answer(OK, status=f"{status} Moved", headers=f"Location: {other.url}/x\r\n".encode())))
    result = send(peer.url)
    assert (result.outcome, result.halt, result.uuid) == (U, True, "")
    assert (peer.connections, other.connections) == (1, 0)


def test_an_early_refusal_counts_though_the_upload_broke(serve: Serve) -> None:
    def refuse(conn: socket.socket, peer: Peer) -> None:
        conn.recv(1000)
        conn.sendall(answer(b"", status="413 Too Large"))
        time.sleep(0.05)

    result = send(serve(refuse).url, b"x" * (20 << 20))
    assert (result.outcome, result.http_status) == (R, 413)
    assert 0 < result.bytes_written < 20 << 20


def test_a_stalled_upload_ends_at_the_deadline_and_tells_how_far_it_came(serve: Serve) -> None:
    result = send(serve(lambda _, peer: peer.stopping.wait(10)).url, b"x" * (20 << 20))
    assert (result.outcome, result.phase) == (U, Phase.WRITING)
    assert 0 < result.bytes_written < 20 << 20
    assert f"; {result.bytes_written} of " in result.reason


def test_a_refused_port_is_surely_not_sent() -> None:
    result = send(f"http://127.0.0.1:{closed_port()}")
    assert (result.outcome, result.phase, result.halt) == (N, Phase.CONNECTING, False)
    assert "refused" in result.reason
    assert result.bytes_written == 0


def test_a_name_that_is_none_is_surely_not_sent() -> None:
    result = send("https://no-such-host.invalid")
    assert (result.outcome, result.halt) == (N, False)


def test_a_hanging_tls_handshake_is_surely_not_sent(serve: Serve) -> None:
    peer = serve(lambda _, peer: peer.stopping.wait(10))
    result = send(peer.url.replace("http:", "https:"))
    assert (result.outcome, result.phase, result.halt) == (N, Phase.CONNECTING, False)
    assert "handshake" in result.reason


def test_a_dripping_tls_handshake_is_cut(serve: Serve) -> None:
    def drip(conn: socket.socket, peer: Peer) -> None:
        conn.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while not peer.stopping.is_set():
            conn.sendall(b"\x00")
            time.sleep(0.02)

    began = time.monotonic()
    assert send(serve(drip).url.replace("http:", "https:")).outcome is N
    assert time.monotonic() - began < DEADLINE + 1


@pytest.mark.parametrize("script", [resets_after(read=False), lambda conn, _: conn.recv(1)])
def test_a_tls_handshake_that_breaks_is_surely_not_sent(serve: Serve, script: Script) -> None:
    result = send(serve(script).url.replace("http:", "https:"))
    assert (result.outcome, result.halt) == (N, False)


def test_no_tls_where_tls_should_be_stops_the_run(serve: Serve) -> None:
    peer = serve(lambda conn, _: conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    result = send(peer.url.replace("http:", "https:"))
    assert (result.outcome, result.halt) == (N, True)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if not (program := shutil.which("openssl")):
        pytest.skip("needs the openssl program")
    key, cert = tmp_path / "key.pem", tmp_path / "both.pem"
    order = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([program, *order.split(), *names], check=True, capture_output=True)
    cert.write_text(cert.read_text() + key.read_text())
    return cert


def over_tls(certificate: Path, script: Script) -> Script:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrapped(conn: socket.socket, peer: Peer) -> None:
        conn.settimeout(5)
        with context.wrap_socket(conn.dup(), server_side=True) as secure:
            script(secure, peer)

    return wrapped


def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    return context


def test_only_a_trusted_certificate_of_this_very_host_is_sent_to(serve: Serve, certificate: Path) -> None:
    peer = serve(over_tls(certificate, says(answer())))
    stranger = send(f"https://localhost:{peer.port}")
    assert (stranger.outcome, stranger.halt, stranger.phase) == (N, True, Phase.CONNECTING)
    other_name = send(f"https://127.0.0.1:{peer.port}", tls=trusting(certificate))
    assert (other_name.outcome, other_name.halt) == (N, True)
    assert peer.requests == []
    assert send(f"https://localhost:{peer.port}", tls=trusting(certificate)).outcome is A
    assert len(peer.requests) == 1


@pytest.mark.parametrize("script", [stalls(b""), drips(HEAD, b"x")])
def test_the_deadline_holds_over_tls(serve: Serve, certificate: Path, script: Script) -> None:
    peer = serve(over_tls(certificate, script))
    began = time.monotonic()
    result = send(f"https://localhost:{peer.port}", tls=trusting(certificate))
    assert time.monotonic() - began < DEADLINE + 1
    assert (result.outcome, len(peer.requests)) == (U, 1)


def test_a_context_that_does_not_verify_is_refused(serve: Serve) -> None:
    peer = serve(says(answer()))
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname = False
    with pytest.raises(ValueError, match="verifies"):
        send(peer.url.replace("http:", "https:"), tls=lax)


def test_the_intent_is_asked_after_connecting_and_before_the_first_byte(serve: Serve) -> None:
    peer = serve(says(answer()))
    seen: list[tuple[int, int]] = []

    def intent() -> bool:
        time.sleep(0.05)
        seen.append((peer.connections, len(peer.requests)))
        return True

    assert sender(peer.url).send_bulk(BODY, intent=intent).outcome is A
    assert seen == [(1, 0)]
    assert sender(f"http://127.0.0.1:{closed_port()}").send_bulk(BODY, intent=intent).outcome is N
    assert len(seen) == 1


def reading_all(got: list[bytes], done: threading.Event) -> Script:
    def script(conn: socket.socket, _: Peer) -> None:
        got.append(conn.recv(100))
        done.set()

    return script


def test_without_an_intent_nothing_is_written(serve: Serve) -> None:
    got: list[bytes] = []
    done = threading.Event()
    result = sender(serve(reading_all(got, done)).url).send_bulk(BODY, intent=lambda: False)
    assert (result.outcome, result.phase, result.bytes_written) == (N, Phase.CONNECTED, 0)
    assert done.wait(5)
    assert got == [b""]


def test_an_exception_of_the_intent_passes_with_nothing_written(serve: Serve) -> None:
    got: list[bytes] = []
    done = threading.Event()

    def intent() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        sender(serve(reading_all(got, done)).url).send_bulk(BODY, intent=intent)
    assert done.wait(5)
    assert got == [b""]


def test_a_machine_that_slept_after_the_intent_does_not_send(serve: Serve) -> None:
    got: list[bytes] = []
    done = threading.Event()
    ticks = iter([0.0, 31.0])
    result = send(serve(reading_all(got, done)).url, clock=lambda: next(ticks))
    assert (result.outcome, result.phase) == (N, Phase.CONNECTED)
    assert done.wait(5)
    assert got == [b""]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError, RuntimeError])
def test_any_exception_after_the_first_byte_is_an_unknown(serve: Serve, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]) -> None:
    def broken(self: Exchange, _: bytes) -> int:
        raise kind

    monkeypatch.setattr(Exchange, "receive_into", broken)
    result = send(serve(says(answer())).url)
    assert (result.outcome, result.phase) == (U, Phase.WAITING)
    assert kind.__name__ in result.reason
    assert result.bytes_written > len(BODY)


FORMS = [
    TOKEN,
    TOKEN.replace("/", "\\/"),
    TOKEN.replace("/", "%2F").replace("+", "%2b").replace("=", "%3D"),
    TOKEN.replace("=", "\\u003d").replace("+", "\\u002B"),
    base64.b64encode(TOKEN.encode()).decode().rstrip("="),
    TOKEN[:12],
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", ["400 Bad", "200 OK", "500 Oh"])
def test_an_echoed_token_is_nowhere_in_the_result(serve: Serve, form: str, status: str) -> None:
    bodies = [f'{{"error":"bad token {form}"}}', f'{{"error":"{form} {"x" * 280} {form}"}}', f"<p>{form}"]
    if form != TOKEN[:12]:
        for body in bodies:
            result = send(serve(says(answer(body.encode(), status=status))).url)
            assert form not in repr(result)
            assert TOKEN[:10] not in repr(result)
            assert "[token]" in repr(result)
    cut = send(serve(says(answer(f'{{"error":"{form}'.encode(), status=status, length=999))).url)
    assert form not in repr(cut)


@pytest.mark.parametrize("uuid", ["abcdefgh-tests-only", "key-abcdefgh-tests-only-7"])
def test_an_echoed_token_is_no_uuid(serve: Serve, uuid: str) -> None:
    token = "abcdefgh-tests-only"
    peer = serve(says(answer(b'{"uuid":"%b"}' % uuid.encode())))
    one = BulkSender(peer.url, token, connect_timeout=1, deadline=1, policy=ProviderBehaviour())
    result = one.send_bulk(BODY, intent=lambda: True)
    assert result.outcome is U
    assert token not in repr(result)


def test_the_environment_has_no_say(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(says(answer()))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    assert send(serve(says(answer())).url).outcome is A
    assert proxy.connections == 0


def test_one_sender_serves_several_threads(serve: Serve) -> None:
    peer = serve(says(answer()))
    one = sender(peer.url, deadline=5, connect_timeout=5)
    results: list[SendResult] = []
    threads = [threading.Thread(target=lambda: results.append(one.send_bulk(BODY, intent=lambda: True))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [result.outcome for result in results] == [A] * 8
    assert peer.connections == 8


@pytest.mark.parametrize(
    "url",
    [
        "http://app.sms.by",
        "ftp://localhost",
        "https://",
        "localhost:80",
        "https://user:secret@app.sms.by",
        "https://app.sms.by?x=1",
        "https://app.sms.by/a b",
        "https://app.sms.by/a\r\nX: y",
        "https://app.sms.by:99999",
        "https://[::1",
        "http://127.0.0.1.example.by",
        "sandbox",
    ],
)
def test_what_cannot_be_sent_to_safely_is_refused(url: str) -> None:
    with pytest.raises(RefusedError) as caught:
        sender(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://app.sms.by", "https://app.sms.by/base/", "http://localhost:1", "http://[::1]:1"])
def test_what_can_be_sent_to(url: str) -> None:
    sender(url)
