"""Posting the answer to `callback_url` as well, from a thread of its own.

"The response on the method operation in asynchronous mode will be sent" there, says the documentation. What the provider
truly posts, and when, is not documented.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from urllib.parse import urlsplit

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_DELAY = 0.05
_TIMEOUT = 5.0
_GRACE = 0.5


class CallbackPoster:
    """Posts one callback after another; nobody waits for it, and it ends with the server.

    Only to loopback: a stand-in for the provider calls nobody else.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[float, str, bytes] | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox-callbacks", daemon=True)
        self._thread.start()

    def post(self, url: str, body: str) -> None:
        """Take one for posting, shortly."""
        if _is_loopback(url):
            self._waiting.put((time.monotonic() + _DELAY, url, body.encode("ascii")))

    def stop(self) -> None:
        """Half a second for what waits, then nothing more."""
        self._waiting.put(None)
        self._thread.join(_GRACE)
        self._stopping.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(_TIMEOUT)

    def _run(self) -> None:
        while not self._stopping.is_set() and (one := self._waiting.get()) is not None:
            due, url, body = one
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            # Nobody hears of a callback that fails: so it is with the provider, as far as is known.
            with suppress(OSError, http.client.HTTPException, ValueError):
                self._post(url, body)

    def _post(self, url: str, body: bytes) -> None:
        parts = urlsplit(url)
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        self._connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=_TIMEOUT)
        try:
            self._connection.request("POST", target, body, {"Content-Type": "application/json"})
            self._connection.getresponse().read(1 << 16)
        finally:
            self._connection.close()
            self._connection = None


def _is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in _LOOPBACK
