"""One send against real sockets that misbehave: what is known, what is not, and what the peer truly got."""

from __future__ import annotations

import base64
import errno
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from campaignkit.errors import RefusedError
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.send import BulkSender
from tests.canary import TOKEN

from .peers import OK, UUID, Peer, answer, closed_port, listens, says, stalls
from .sending import BODY, CONNECTED, DONE, WAITING, A, N, U, send, sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from campaignkit.model.outcomes import SendResult

    Serve = Callable[..., Peer]


def test_an_accepted_send_is_one_plain_post(serve: Serve) -> None:
    peer = serve(says(answer()))
    result = send(peer.url)
    assert (result.outcome, result.uuid, result.http_status, result.phase) == (A, UUID, 200, DONE)
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


def test_what_is_known_of_a_throttle(serve: Serve) -> None:
    peer = serve(says(answer(b"", status="429 Slow", headers=b"Retry-After: 7\r\n")))
    assert send(peer.url).retry_after == 7.0
    assert send(peer.url, policy=ProviderBehaviour(throttled_is="unknown")).outcome is U


def test_garbage_is_kept_as_evidence(serve: Serve) -> None:
    assert send(serve(says(b"SSH-2.0\r\n" + TOKEN.encode())).url).answer == b"SSH-2.0\r\n[token]"


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


def test_a_machine_that_slept_after_the_intent_does_not_send(serve: Serve) -> None:
    got: list[bytes] = []
    peer = serve(listens(got))
    ticks = iter([0.0, 31.0])
    result = send(peer.url, clock=lambda: next(ticks))
    assert (result.outcome, result.phase) == (N, CONNECTED)
    peer.wait_for_one()
    assert got == [b""]
    ticks = iter([0.0, 30.0])
    assert send(serve(says(answer())).url, clock=lambda: next(ticks)).outcome is A


def test_the_way_is_lost_after_the_request(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says once its repetitions ended at a router that knows the way no longer."""

    def lost(*_: Any) -> int:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr(socket.socket, "recv_into", lost, raising=False)
    result = send(serve(stalls(b"")).url)
    assert (result.outcome, result.phase, result.halt) == (U, WAITING, False)
    assert result.reason.startswith("the connection broke (No route to host); ")


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


def test_one_sender_serves_several_threads(serve: Serve) -> None:
    peer = serve(says(answer()))
    one = sender(peer.url)
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
