"""A real peer on loopback that misbehaves as told."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket, "Peer"], None]

UUID = "cc9c8043-8caf-11ef-b035-9e8f47954dec"
OK = b'{"uuid":"cc9c8043-8caf-11ef-b035-9e8f47954dec","success":"OK"}'


class Peer:
    """Listens on loopback; each connection is handled by the next script, the last one for all further ones."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._met = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)  # and look whether to stop: a wake-up call can get lost in what a test does
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._handlers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                conn, _ = self._listener.accept()
            except TimeoutError:
                continue
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            self._handlers.append(threading.Thread(target=self._handle, args=(conn, script)))
            self._handlers[-1].start()
            self._met.set()

    def _handle(self, conn: socket.socket, script: Script) -> None:
        with conn, contextlib.suppress(OSError):
            script(conn, self)

    def read_request(self, conn: socket.socket) -> bytes:
        """Read one whole request, and remember it."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += _some(conn)
        head, _, body = data.partition(b"\r\n\r\n")
        expected = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < expected:
            body += _some(conn)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def wait_for_one(self) -> None:
        """Until the first connection has come and gone."""
        assert self._met.wait(5)
        self._handlers[0].join(5)

    def stop(self) -> None:
        self.stopping.set()
        self._thread.join(10)  # first: it may just be starting another handler
        for thread in self._handlers:
            thread.join(10)
        self._listener.close()
        assert not any(thread.is_alive() for thread in self._handlers), "a script neither ended nor saw that it should"


@contextlib.contextmanager
def serving() -> Iterator[Callable[..., Peer]]:
    """Starts peers, and stops them all in the end."""
    peers: list[Peer] = []

    def start(*scripts: Script) -> Peer:
        peers.append(Peer(*scripts))
        return peers[-1]

    try:
        yield start
    finally:
        for peer in peers:
            peer.stop()


def _some(conn: socket.socket) -> bytes:
    if not (data := conn.recv(1 << 16)):
        raise ConnectionError
    return data


def answer(body: bytes = OK, *, status: str = "200 OK", headers: bytes = b"", length: int | None = None) -> bytes:
    """A whole answer as bytes; `length` lies about the body."""
    size = len(body) if length is None else length
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status.encode(), size, headers, body)


def says(data: bytes) -> Script:
    """Read the request, say this, hang up."""

    def script(conn: socket.socket, peer: Peer) -> None:
        peer.read_request(conn)
        conn.sendall(data)

    return script


def stalls(data: bytes) -> Script:
    """Read the request, say this, and then nothing while the test lasts."""

    def script(conn: socket.socket, peer: Peer) -> None:
        peer.read_request(conn)
        conn.sendall(data)
        peer.stopping.wait(10)

    return script


def drips(head: bytes, endless: bytes) -> Script:
    """Read the request, say the head, then one of these bytes every 20 ms for ever."""

    def script(conn: socket.socket, peer: Peer) -> None:
        peer.read_request(conn)
        conn.sendall(head)
        while not peer.stopping.is_set():
            conn.sendall(endless)
            time.sleep(0.02)

    return script


def floods(head: bytes, endless: bytes) -> Script:
    """Read the request, say the head, then these bytes as fast as they go, for ever."""

    def script(conn: socket.socket, peer: Peer) -> None:
        peer.read_request(conn)
        conn.sendall(head)
        while not peer.stopping.is_set():
            conn.sendall(endless)

    return script


def listens(got: list[bytes]) -> Script:
    """Note all that comes, until the other side is done."""

    def script(conn: socket.socket, _: Peer) -> None:
        got.append(b"")
        while data := conn.recv(1 << 16):
            got[-1] += data

    return script


def resets_after(data: bytes = b"", *, read: bool = True) -> Script:
    """Read the request (or not), say this, and reset the connection."""

    def script(conn: socket.socket, peer: Peer) -> None:
        if read:
            peer.read_request(conn)
        else:
            conn.recv(1, socket.MSG_PEEK)  # earlier, the reset could reach a client that is still connecting
        if data:
            conn.sendall(data)
            time.sleep(0.05)  # what was said arrives before the reset
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return script


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
