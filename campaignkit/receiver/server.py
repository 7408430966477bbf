"""The receiver: a small HTTP server that takes POSTs to addresses of requests, and tells everybody else the same 404."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from campaignkit.errors import StateError
from campaignkit.receiver.inbox import Inbox
from campaignkit.receiver.incoming import Incoming, RefusedRequestError
from campaignkit.states.records import Taken
from campaignkit.wire.callbacks import BadCallbackError, read_callback, secret_of

_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_TAKEN = {Taken.STORED: 200, Taken.REPEATED: 200, Taken.UNKNOWN: 404, Taken.FULL: 429}
_BACKLOG = 128
_POLL = 0.05
_LINGER_SECONDS, _LINGER_BYTES = 0.5, 1 << 20
_LONGEST_END = 40.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds for one request, requests at a time, and seconds before a 404, which bound how fast one can guess."""

    seconds: float = 5.0
    at_a_time: int = 16
    pause: float = 0.1


class Receiver:
    """Listens for the length of a `with` block; at its end what is being kept is kept, and readers are cut off.

    Args:
        inbox: Where callbacks go.
        host: An address of this machine.
        port: 0 for any free one.
        tell: Hears of what was kept and what could not be, without phones and secrets.
        bounds: Of size and time.

    Raises:
        OSError: The address or port can't be listened on.
    """

    def __init__(self, inbox: Inbox, host: str, port: int, *, tell: Callable[[str], None], bounds: Bounds | None = None) -> None:
        self._inbox = inbox
        self._tell = tell
        self._bounds = bounds or Bounds()
        family, *_rest, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
        self._listener.settimeout(_POLL)
        self._slots = threading.BoundedSemaphore(self._bounds.at_a_time)
        self._ending = threading.Event()
        self._reading: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._open = 0
        self._thread = threading.Thread(target=self._accept, name="callbacks", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()
        self._listener.close()
        with self._changed:
            for connection in self._reading:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._open, _LONGEST_END)

    def _accept(self) -> None:
        while not self._ending.is_set():
            # Nobody is let in before there is room: the others wait in the kernel's queue, which costs nothing.
            if not self._slots.acquire(timeout=_POLL):
                continue
            try:
                connection, _address = self._listener.accept()
            except OSError:  # nobody came, or left again, or this process has no descriptor left
                self._slots.release()
                self._ending.wait(_POLL / 10)
                continue
            with self._changed:
                self._open += 1
            threading.Thread(target=self._serve, args=(connection,), name="callback", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                incoming = Incoming(connection, self._bounds.seconds)
                _reply(connection, self._answer(connection, incoming), whole=incoming.whole)
        finally:
            self._slots.release()
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _answer(self, connection: socket.socket, incoming: Incoming) -> int:
        with self._changed:
            self._reading.add(connection)
        try:
            status = self._status(incoming, lambda: self._has_read(connection))
        except RefusedRequestError as refused:
            status = refused.status
        except OSError:  # it went away: there is nobody to answer
            raise
        except StateError as error:
            self._tell(f"a callback could not be kept: {error.message}")
            status = 503
        except Exception as error:  # noqa: BLE001 - a fault of ours ends neither the server nor in a traceback that quotes others
            self._tell(f"a callback could not be kept: {type(error).__name__}, a fault of campaignkit")
            status = 503
        finally:
            self._has_read(connection)
        if status == 404:
            self._ending.wait(self._bounds.pause)
        return status

    def _has_read(self, connection: socket.socket) -> None:
        with self._changed:
            self._reading.discard(connection)

    def _status(self, incoming: Incoming, read: Callable[[], None]) -> int:
        head = incoming.head()
        secret = secret_of(head.target)
        if head.method != "POST" or not secret or not self._inbox.knows(secret):
            return 404
        body = incoming.body(head)
        read()
        try:
            read_callback(body)
        except BadCallbackError:
            return 400
        taken = self._inbox.take(secret, body)
        if taken is Taken.STORED:
            self._tell("a callback was kept")
        return _TAKEN[taken]


def _reply(connection: socket.socket, status: int, *, whole: bool) -> None:
    text = f"{_REASONS[status]}\n".encode()
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "Content-Type: text/plain", f"Content-Length: {len(text)}", "Connection: close"]
    if status in {429, 503}:
        lines.append("Retry-After: 60")
    connection.settimeout(_LINGER_SECONDS)
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + text)
    if not whole:
        _linger(connection)


def _linger(connection: socket.socket) -> None:
    """Let the other side read the answer: closing upon unread bytes would reset the connection under it."""
    connection.shutdown(socket.SHUT_WR)
    end, left = time.monotonic() + _LINGER_SECONDS, _LINGER_BYTES
    while left > 0 and (seconds := end - time.monotonic()) > 0:
        connection.settimeout(seconds)
        piece = connection.recv(1 << 16)
        if not piece:
            return
        left -= len(piece)
