"""Answers under one deadline, for a library whose timeout knows silence only: dripped bytes never trip it."""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any, cast

SILENCES = 10
"""A whole answer may take this many times as long as a single silence."""


class TimedResponse(http.client.HTTPResponse):
    """An answer that ends with `TimeoutError` when ten times the socket's timeout have passed: headers, trailers, all of it."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _Timed(sock)), *args, **kwargs)


class _Timed(io.RawIOBase):
    """What `http.client` takes for a socket: a readable file whose timeout shrinks."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        silence = sock.gettimeout()
        assert silence is not None  # the library has set its read timeout
        self._silence = silence
        self._end = time.monotonic() + SILENCES * silence
        self._raw = sock.makefile("rb", buffering=0)  # keeps the descriptor open when the connection lets go of it

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader brings nothing else
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._silence, left))
        return cast("io.RawIOBase", self._raw).readinto(buffer) or 0

    def close(self) -> None:
        self._raw.close()
        super().close()
