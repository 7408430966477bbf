"""Status reads against real sockets."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from campaignkit.errors import ProviderError
from campaignkit.model.secret import Secret
from campaignkit.provider.port import NotVisibleError
from campaignkit.provider.reads import StatusClient
from campaignkit.wire.text import clean
from tests import canary
from tests.canary import assert_hidden, shown

from .peers import Peer, Script, answer, closed_port, drips, floods, resets_after, says, stalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from campaignkit.wire.statuses import StatusAnswer

    from .authority import Authority

    Serve = Callable[..., Peer]

TOKEN = Secret(canary.TOKEN)
IN_URL = b"canary-token-eyJpdiI6%2Btests%2Fonly%3DIjJzOFl"
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
    assert line == b"POST /api/v1/statusBulkViber?token=%b&uuid=cc9c8043-8caf-11ef HTTP/1.1" % IN_URL
    assert body == b""


def test_the_setting_moves_both_into_a_form(serve: Serve) -> None:
    peer = serve(FINE)
    ask(peer.url, token_in="body")
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/statusBulkViber HTTP/1.1")
    assert b"application/x-www-form-urlencoded" in head
    assert body == b"token=%b&uuid=cc9c8043-8caf-11ef" % IN_URL


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


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "endless"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "),
        (b"HTTP/1.1 ", b"2"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (CHUNKED + b"1", b";"),
        (CHUNKED + b"0\r\n", b"x"),
    ],
    ids=["body", "status line", "header", "interim answers", "chunk head", "trailer"],
)
def test_a_drip_anywhere_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch, head: bytes, endless: bytes) -> None:
    monkeypatch.setattr("campaignkit.provider.timed.SILENCES", 2)
    peer = serve(drips(head, endless))  # five times as often as would be a silence
    with pytest.raises(ProviderError, match="in time"):
        ask(peer.url, read_timeout=0.1)


@pytest.mark.parametrize(
    ("head", "endless"),
    [(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (CHUNKED + b"0\r\n", b"x: y\r\n")],
    ids=["interim answers", "trailers"],
)
def test_a_flood_that_nothing_bounds_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch, head: bytes, endless: bytes) -> None:
    monkeypatch.setattr("campaignkit.provider.timed.SILENCES", 2)
    with pytest.raises(ProviderError, match="in time"):
        ask(serve(floods(head, endless * 999)).url, read_timeout=0.1)


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
    assert clean(str(caught), 10_000) == str(caught)
    assert "eyJ" not in str(caught)
    assert "?" not in str(caught)
    assert_hidden(shown(caught))


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


@pytest.mark.parametrize("name", ["urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "requests"])
def test_no_level_of_any_logger_makes_the_libraries_tell_the_token(serve: Serve, caplog: pytest.LogCaptureFixture, name: str) -> None:
    odd_header = says(b"HTTP/1.1 200 OK\r\n: no name\r\nX: y\r\n\r\n[]")  # warned of, with the URL
    for script in (FINE, busy("500 Oh"), odd_header, resets_after()):
        peer = serve(script)
        with (
            caplog.at_level(logging.DEBUG),
            caplog.at_level(logging.DEBUG, logger=name),
            contextlib.suppress(ProviderError),
            StatusClient(peer.url, TOKEN, token_in="documented", sleep=Waits().append, connect_timeout=1, read_timeout=1) as client,
        ):
            client.bulk_status(UUID)
    assert_hidden(caplog.text)


def test_tls_is_verified(serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = serve(lambda conn, _: conn.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
    with pytest.raises(ProviderError, match="TLS") as caught:
        ask(peer.url.replace("http:", "https:"))
    assert peer.connections == 1
    assert_clean(caught.value)
    peer = serve(authority.over_tls(FINE))
    with pytest.raises(ProviderError, match="TLS"):
        ask(f"https://localhost:{peer.port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with pytest.raises(ProviderError, match="TLS"):
        ask(f"https://127.0.0.1:{peer.port}")  # another name than the certificate's
    assert peer.requests == []
    assert len(ask(f"https://localhost:{peer.port}").entries) == 1


def test_reads_trust_nobody_whom_sends_do_not_trust(serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library brings a bundle of authorities along, and takes others from the environment."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("SSL_CERT_DIR", str(authority.file.parent / "none"))
    peer = serve(authority.over_tls(FINE))
    with StatusClient(f"https://localhost:{peer.port}", TOKEN, token_in="body", connect_timeout=1, read_timeout=1) as client:
        client.bulk_status(UUID)
        pools = client._session.get_adapter(f"https://localhost:{peer.port}").poolmanager  # type: ignore[attr-defined]  # of HTTPAdapter
        trusted = pools.connection_pool_kw["ssl_context"].get_ca_certs()
    assert len(trusted) == 1
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file.parent / "none"))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.file))
    with pytest.raises(ProviderError, match="TLS"):
        ask(f"https://localhost:{peer.port}")


def test_an_error_that_is_no_json_object_is_not_quoted(serve: Serve) -> None:
    with pytest.raises(ProviderError, match=r"HTTP 400$"):
        ask(serve(says(answer(b'{"error": "half', status="400 Bad"))).url)


def test_cookies_of_the_provider_are_not_sent_back(serve: Serve) -> None:
    peer = serve(says(answer(STATUSES, headers=b"Set-Cookie: a=b; Path=/\r\n")))
    with StatusClient(peer.url, TOKEN, token_in="body", connect_timeout=1, read_timeout=1) as client:
        for _ in range(2):
            client.bulk_status(UUID)
    assert len(peer.requests) == 2
    assert not any(b"cookie" in request.lower() for request in peer.requests)
