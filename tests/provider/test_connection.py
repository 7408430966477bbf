"""The door: what it lets nobody through with, and that it closes."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from campaignkit.provider.connection import Connection
from campaignkit.provider.dialing import dial
from campaignkit.provider.origin import parse_origin

from .peers import UUID, Peer, answer, says
from .sending import A, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from .authority import Authority

    Serve = Callable[..., Peer]


def loose(*, named: bool, required: ssl.VerifyMode) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = named
    context.verify_mode = required
    return context


@pytest.mark.parametrize(
    "context",
    [
        None,
        loose(named=False, required=ssl.CERT_REQUIRED),
        loose(named=True, required=ssl.CERT_OPTIONAL),
        loose(named=False, required=ssl.CERT_NONE),
    ],
    ids=["none", "any name", "optional", "unverified"],
)
def test_no_context_that_trusts_too_much_is_used(serve: Serve, authority: Authority, context: ssl.SSLContext | None) -> None:
    peer = serve(authority.over_tls(says(answer())))
    origin = parse_origin(f"https://localhost:{peer.port}")
    with pytest.raises(ValueError, match="verifies the certificate and the host's name"):
        Connection(origin, timeout=5.0, tls=context)
    if context:
        with pytest.raises(ValueError, match="verifies the certificate and the host's name"):
            send(origin.url(""), tls=context)
    assert peer.connections == 0


class TellsOfAResetAtLast(socket.socket):
    """As some systems do, whose `close` fails though it closes."""

    def close(self) -> None:
        super().close()
        raise ConnectionResetError


def test_a_close_that_fails_takes_no_outcome_away(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[TellsOfAResetAtLast] = []

    def dialed(host: str, port: int, *, timeout: float) -> socket.socket:
        plain = dial(host, port, timeout=timeout)
        made.append(TellsOfAResetAtLast(plain.family, plain.type, plain.proto, plain.detach()))
        made[0].settimeout(timeout)
        return made[0]

    monkeypatch.setattr("campaignkit.provider.connection.dial", dialed)
    result = send(serve(says(answer())).url)
    assert (result.outcome, result.uuid) == (A, UUID)
    assert made[0].fileno() == -1
