"""A TCP connection within a bound, however many addresses a name has and however slowly it is resolved.

The system's own functions take a timeout for each address and none for the name: with ten silent addresses, ten times as
long.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Sequence

MOST_ADDRESSES = 8
"""Addresses of one name that are tried; the time is shared out among them."""

_Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, _Address]


class ConnectError(Exception):
    """No connection came about; not one byte of a request was sent.

    Attributes:
        untrusted: Whether TLS itself failed (a bad certificate, no TLS at all): then the run must stop.
    """

    def __init__(self, reason: str, *, untrusted: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.untrusted = untrusted


def dial(host: str, port: int, *, timeout: float) -> socket.socket:
    """Connect to the first address that answers; the socket is left with this timeout.

    Args:
        host: A name or an address.
        port: The port.
        timeout: Seconds for the name and all its addresses together.

    Raises:
        ConnectError: None answered in time.
    """
    end = time.monotonic() + timeout
    addresses = _resolve(host, port, timeout)[:MOST_ADDRESSES]
    reason = "the host's name has no address"
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        left = end - time.monotonic()
        if left <= 0:
            raise ConnectError("no connection: no answer in time")
        try:
            # The socket is made in here too: a machine without IPv6 fails at it, and the next address may do.
            sock = _connected(socket.socket(family, kind, protocol), address, left / (len(addresses) - number))
        except OSError as error:
            reason = f"no connection: {_words(error)}"
        else:
            sock.settimeout(timeout)
            return sock
    raise ConnectError(reason)


def _connected(sock: socket.socket, address: _Address, share: float) -> socket.socket:
    """The same socket, connected within its share of the time; closed if it is not, an interrupt included."""
    try:
        sock.settimeout(share)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int, timeout: float) -> Sequence[_Found]:
    """The addresses of a name; in a thread, since nothing can interrupt the system's resolver."""
    found: queue.SimpleQueue[Sequence[_Found] | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found.put(None)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        addresses = found.get(timeout=timeout)
    except queue.Empty:
        raise ConnectError("the host's name could not be resolved in time") from None
    if addresses is None:
        raise ConnectError("the host's name could not be resolved")
    return addresses


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or type(error).__name__
