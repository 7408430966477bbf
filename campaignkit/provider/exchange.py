"""One request and its answer on a connected socket: written once, read within bounds, ended by one total deadline.

The socket's timeout is set anew to what is left of the deadline before each system call, for writes, headers and body
alike. A peer that drips bytes, in the headers too, is thus cut at the deadline, without a second thread.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import socket

_PIECE = 1 << 16
_RECORD = 1 << 14
"""What TLS carries at most as one record. A larger write that breaks tells nothing of the records that went before, and a
person would read "0 bytes were written" though the peer has read thousands."""

_KEPT_HEAD = 4096


class Exchange:
    """One request and its answer, and how far they came.

    The attributes are true at any moment, also after an exception of any kind. Bodies in gzip are not decoded: none is
    asked for.

    Args:
        sock: Connected and, for https, verified.
        deadline: Seconds from the first byte written to the last one read.
        limit: Most bytes of a body that are read; a longer one is cut and incomplete.

    Attributes:
        written: Bytes handed to the system; where an interrupt hit a write, the most that can have been.
        received: The first 4096 bytes that came back, status line and headers included.
        status: The status, once its line was read.
        has_headers: Whether the headers were read to their end.
        retry_after: The header of that name.
        body: What was read of the body.
        complete: Whether that is all of it.
    """

    def __init__(self, sock: socket.socket, *, deadline: float, limit: int) -> None:
        self._sock = sock
        self._limit = limit
        self._end = time.monotonic() + deadline
        self.written = 0
        self.received = b""
        self.status: int | None = None
        self.has_headers = False
        self.retry_after: str | None = None
        self.body = bytearray()
        self.complete = False

    def run(self, request: bytes) -> None:
        """Write the request once and read its answer.

        A peer may answer and hang up before it has read everything (an early 413): so when writing fails, an answer is
        still looked for.

        Raises:
            OSError: The connection broke, or the deadline passed (`TimeoutError`).
            http.client.HTTPException: What came is no HTTP.
        """
        try:
            self._write(request)
        except OSError:
            self._read()
        else:
            self._read()

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _write(self, request: bytes) -> None:
        view = memoryview(request)
        while self.written < len(view):
            self._sock.settimeout(self._left())
            before = self.written
            piece = view[before : before + _RECORD]
            self.written += len(piece)
            try:
                self.written = before + self._sock.send(piece)
            except OSError:  # then nothing of this piece can be read by the peer
                self.written = before
                raise

    def _read(self) -> None:
        source = _Source(self)
        response = http.client.HTTPResponse(cast("socket.socket", source), method="POST")
        try:
            try:
                response.begin()
            finally:
                # The status line may be known though a header broke; before it, the library has a word there.
                status = cast("object", response.status)
                self.status = status if isinstance(status, int) else None
            # The standard library takes the end of the stream for the end of the headers.
            if source.at_end:
                raise http.client.IncompleteRead(b"")
            self.retry_after = response.headers.get("Retry-After")
            self.has_headers = True
            self._read_body(response)
        finally:
            response.close()

    def _read_body(self, response: http.client.HTTPResponse) -> None:
        expected = response.length
        while expected is None or len(self.body) < expected:
            room = self._limit - len(self.body)
            piece = response.read1(min(room, _PIECE) or 1)
            if not piece:
                break
            if not room:
                return
            self.body += piece
        self.complete = expected is None or len(self.body) == expected

    def receive_into(self, buffer: memoryview) -> int:
        """Receive what is there within the deadline, keeping the beginning as evidence; 0 at the end."""
        self._sock.settimeout(self._left())
        count = self._sock.recv_into(buffer)
        if len(self.received) < _KEPT_HEAD:
            self.received += bytes(buffer[: min(count, _KEPT_HEAD - len(self.received))])
        return count


class _Source(io.RawIOBase):
    """What `http.client` takes for a socket: a readable file under the deadline."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange
        self.at_end = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader brings nothing else
        count = self._exchange.receive_into(buffer)
        self.at_end = count == 0
        return count
