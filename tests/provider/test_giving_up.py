"""The operator gives up: what is under way ends at once with what is known of it, and nothing is begun."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from .peers import OK, Peer, answer, listens
from .sending import ANSWERING, BODY, CONNECTED, DONE, LARGE, WAITING, WRITING, A, N, U, sender

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from campaignkit.model.outcomes import Outcome, Phase

    from .authority import Authority

    Serve = Callable[..., Peer]

HALF_A_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n"
HALF_A_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + OK[:20]
WITHOUT_LENGTH = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("said", "outcome", "phase", "words"),
    [
        (None, U, WRITING, "given up by the operator: "),
        (b"", U, WAITING, "given up by the operator: the connection was closed"),
        (HALF_A_HEAD, U, ANSWERING, "given up by the operator: the connection was closed"),
        (answer(length=900), U, ANSWERING, "given up by the operator: the answer was cut off; HTTP 200"),
        (HALF_A_CHUNK, U, ANSWERING, "given up by the operator: the connection was closed"),
        (WITHOUT_LENGTH + OK[:-5], U, DONE, "cannot be read"),
        (WITHOUT_LENGTH + OK, A, DONE, "accepted"),
    ],
    ids=["writing", "waiting", "in the headers", "in the body", "in a chunk", "in a body without length", "after a whole answer"],
)
def test_what_is_known_of_a_request_that_is_given_up(
    serve: Serve, authority: Authority, scheme: str, said: bytes | None, outcome: Outcome, phase: Phase, words: str
) -> None:
    """Nothing ends these requests but the operator; `said` None: the request is not read to its end."""

    def script(conn: socket.socket, peer: Peer) -> None:
        if said is None:
            conn.recv(1000)
        else:
            peer.read_request(conn)
            conn.sendall(said)
            time.sleep(0.05)  # what was said arrives before
        one.give_up()
        peer.stopping.wait(10)

    peer = serve(authority.over_tls(script) if scheme == "https" else script)
    one = sender(f"{scheme}://localhost:{peer.port}", tls=authority.trusted())
    result = one.send_bulk(b"x" * LARGE if said is None else BODY, intent=lambda: True)
    assert (result.outcome, result.phase, result.halt) == (outcome, phase, False), result
    assert words in result.reason
    assert "deadline" not in result.reason
    assert bool(result.uuid) == (outcome is A)


def test_who_gave_up_begins_none(serve: Serve) -> None:
    got: list[bytes] = []
    peer = serve(listens(got))
    one = sender(peer.url)
    one.give_up()
    result = one.send_bulk(BODY, intent=lambda: True)
    assert (result.outcome, result.phase, result.bytes_written) == (N, CONNECTED, 0)
    peer.wait_for_one()
    assert got == [b""]


def test_giving_up_between_the_intent_and_the_first_byte(serve: Serve) -> None:
    got: list[bytes] = []
    peer = serve(listens(got))
    one = sender(peer.url)

    def intent() -> bool:
        one.give_up()
        return True

    result = one.send_bulk(BODY, intent=intent)
    assert (result.outcome, result.phase, result.bytes_written) == (N, CONNECTED, 0)
    assert result.reason == "interrupted twice before the first byte; nothing was sent"
    peer.wait_for_one()
    assert got == [b""]
