"""A threaded HTTP server on the loopback address, silent, that ends with all its connections."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager, suppress
from threading import Condition
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"

_BACKLOG = 512
_GRACE = 0.5
_PATIENCE = 5.0


class PortError(OSError):
    """The port can't be listened on."""


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Says nothing: request lines may hold a token."""

    def version_string(self) -> str:
        return "sandbox"


class LoopbackServer(ThreadedWSGIServer):
    """The server. `serve_forever` runs it, `shutdown` ends that, `finish` waits for the answers under way.

    Args:
        app: What to serve.
        port: 0 for any free one; `port` holds it afterwards.

    Raises:
        PortError: The port is taken, or not ours to take.
    """

    def __init__(self, app: WSGIApplication, port: int) -> None:
        self._changed = Condition()
        self._open: set[socket.socket] = set()
        # Werkzeug would print and exit where a port is taken, so the socket is made here.
        with _listening(port) as listener:
            super().__init__(HOST, port, app, _Handler, fd=listener.fileno())

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Says nothing."""

    def handle_error(self, *args: Any, **kwargs: Any) -> None:
        """Says nothing: a client that went away is no news, and the application reports its own failures."""

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Runs in a thread of its own, which leaves signals to the others; so do the threads it starts."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        super().serve_forever(poll_interval)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts the thread of a connection."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def finish(self) -> None:
        """Waits for the answers under way, then cuts off what is left."""
        with self._changed:
            if self._changed.wait_for(lambda: not self._open, _GRACE):
                return
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, _PATIENCE)


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(_BACKLOG)
        except OverflowError as error:
            raise PortError(f"port {port} is not a port") from error
        except OSError as error:
            raise PortError(error.errno, f"port {port}: {error.strerror}") from error
        yield listener
