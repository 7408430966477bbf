"""Status reads against real sockets."""

from __future__ import annotations

import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from campaignkit.errors import ProviderError
from campaignkit.provider.port import NotVisibleError
from campaignkit.provider.reads import StatusClient

from .peers import Peer, Script, answer, closed_port, drips, resets_after, says, stalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from campaignkit.wire.statuses import StatusAnswer

    Serve = Callable[..., Peer]

TOKEN = "eyJpdiI6+tests/only="
UUID = "cc9c8043-8caf-11ef"
STATUSES = json.dumps([{"name": "n", "success": [{"phone": "375291111111", "status": "NEW"}]}]).encode()
FINE = says(answer(STATUSES))


class Waits(list[float]):
    """Sleeps that are noted and not slept."""


def ask(url: str, waits: Waits | None = None, token_in: str = "documented", **given: Any) -> StatusAnswer:
    given = {"connect_timeout": 0.3, "read_timeout": 0.2, **given}
    sleep = (Waits() if waits is None else waits).append
    with StatusClient(url, TOKEN, token_in=token_in, sleep=sleep, **given) as client:
        return client.bulk_status(UUID)


def test_the_documented_place_is_the_query_of_a_post(serve: Serve) -> None:
    peer = serve(FINE)
    assert ask(peer.url).entries[0].name == "n"
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    line = head.split(b"\r\n")[0]
    assert line == b"POST /api/v1/statusBulkViber?token=eyJpdiI6%2Btests%2Fonly%3D&uuid=cc9c8043-8caf-11ef HTTP/1.1"
    assert body == b""


def test_the_setting_moves_both_into_a_form(serve: Serve) -> None:
    peer = serve(FINE)
    ask(peer.url, token_in="body")
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/statusBulkViber HTTP/1.1")
    assert b"application/x-www-form-urlencoded" in head
    assert body == b"token=eyJpdiI6%2Btests%2Fonly%3D&uuid=cc9c8043-8caf-11ef"


def test_an_empty_array_and_chunks_are_answers(serve: Serve) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
    assert ask(serve(says(chunked)).url).entries == ()


def busy(status: str, headers: bytes = b"") -> Script:
    return says(answer(b"", status=status, headers=headers + b"Connection: close\r\n"))


@pytest.mark.parametrize(
    "trouble",
    [
        busy("500 Oh"),
        busy("503 Busy"),
        busy("429 Slow"),
        resets_after(),
        resets_after(answer(STATUSES, length=9999)),
        says(answer(STATUSES, length=9999)),
        says(b""),
        says(b"garbage\r\n\r\n"),
        stalls(b""),
        stalls(answer(STATUSES, length=9999)),
    ],
)
def test_a_read_is_repeated_at_most_twice(serve: Serve, trouble: Script) -> None:
    waits = Waits()
    peer = serve(trouble, trouble, FINE)
    assert len(ask(peer.url, waits).entries) == 1
    assert waits == [1.0, 2.0]
    peer = serve(trouble)
    with pytest.raises(ProviderError) as caught:
        ask(peer.url)
    assert peer.connections == 3
    assert_clean(caught.value)


def test_retry_after_is_honoured_up_to_a_cap(serve: Serve) -> None:
    waits = Waits()
    ask(serve(busy("429 S", b"Retry-After: 5\r\n"), busy("429 S", b"Retry-After: 3600\r\n"), FINE).url, waits)
    assert waits == [5.0, 30.0]


def test_a_drip_is_cut(serve: Serve) -> None:
    with pytest.raises(ProviderError, match="in time"):
        ask(serve(drips(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" ")).url, read_timeout=0.05)


def test_a_refused_port_is_told_without_the_token() -> None:
    with pytest.raises(ProviderError) as caught:
        ask(f"http://127.0.0.1:{closed_port()}")
    assert_clean(caught.value)


def error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("404 Not Found", b"<html>", NotVisibleError),
        ("404 Not Found", error(TOKEN), NotVisibleError),
        ("200 OK", error(f"no {TOKEN}"), NotVisibleError),
        ("400 Bad", error(f"no {TOKEN}"), NotVisibleError),
        ("400 Bad", b"", ProviderError),
        ("401 Who", error(TOKEN), ProviderError),
        ("403 No", error(f"token {TOKEN} is invalid \x1b"), ProviderError),
        ("200 OK", b"<html>", ProviderError),
        ("200 OK", b'{"uuid":"x"}', ProviderError),
        ("200 OK", b"[" * 10_000, ProviderError),
        ("204 No", b"", ProviderError),
    ],
)
def test_what_is_no_status_answer(serve: Serve, status: str, body: bytes, kind: type[ProviderError]) -> None:
    peer = serve(says(answer(body, status=status)))
    with pytest.raises(ProviderError) as caught:
        ask(peer.url)
    assert type(caught.value) is kind
    assert peer.connections == 1
    assert_clean(caught.value)


def assert_clean(caught: BaseException) -> None:
    """No text reachable from the exception holds the token or the query."""
    assert str(caught).isprintable()
    assert "eyJ" not in str(caught)
    assert "?" not in str(caught)
    assert caught.__suppress_context__ or caught.__context__ is None or "eyJ" not in repr(caught.__context__)


def test_an_echoed_token_in_statuses_is_blotted(serve: Serve) -> None:
    body = json.dumps([{"errors": [f"n: {TOKEN}"]}]).encode()
    assert ask(serve(says(answer(body))).url).entries[0].errors == ("n: [token]",)


@pytest.mark.parametrize("status", ["301 M", "303 S", "307 T", "308 P"])
def test_redirects_are_not_followed(serve: Serve, status: str) -> None:
    other = serve(FINE)
    headers = f"Location: {other.url}/\r\n".encode()
    with pytest.raises(ProviderError, match=status[:3]):
        ask(serve(says(answer(b"", status=status, headers=headers))).url)
    assert other.connections == 0


def test_a_compressed_answer_is_refused(serve: Serve) -> None:
    bomb = answer(gzip.compress(b" " * 10**6), headers=b"Content-Encoding: gzip\r\n")
    with pytest.raises(ProviderError, match="compressed"):
        ask(serve(says(bomb)).url)


def test_an_answer_that_is_too_large_is_cut_off(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaignkit.provider.reads.LARGEST_ANSWER", 1 << 20)
    with pytest.raises(ProviderError, match="more than 1 MiB"):
        ask(serve(says(answer(b" " * (3 << 20)))).url)


def test_the_environment_has_no_say(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    proxy, peer = serve(FINE), serve(FINE)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    ask(peer.url)
    assert proxy.connections == 0
    assert b"uthorization" not in peer.requests[0]


def test_the_library_logs_no_url(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(serve(FINE).url)
    assert "token" not in caplog.text


def test_tls_is_verified(serve: Serve) -> None:
    peer = serve(lambda conn, _: conn.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
    with pytest.raises(ProviderError, match="TLS"):
        ask(peer.url.replace("http:", "https:"))
    assert peer.connections == 1
