"""One HTTP request read from a socket within bounds of size and time: just enough of the protocol to be posted to.

The standard library's server times each read, so that a drip of bytes could hold it for hours; here one deadline holds for
the whole request.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from campaignkit.wire.callbacks import LARGEST_BODY

LARGEST_HEAD = 16 << 10
_PIECE = 16 << 10
_LINE = re.compile(rb"([A-Z]{1,20}) ([!-~]{1,8000}) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*")


class RefusedRequestError(Exception):
    """The request is answered with a status and nothing is kept of it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """Method, target as it was sent, and the header fields; a field that comes twice is joined by commas."""

    method: str
    target: str
    fields: Mapping[str, str]


class Incoming:
    """One request on a connection.

    Args:
        connection: The socket.
        seconds: For the whole request, however its bytes come.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._end = time.monotonic() + seconds
        self._held = bytearray()
        self.whole = False
        """Whether everything that was announced has been read."""

    def head(self) -> Head:
        """The request line and the header fields.

        Raises:
            RefusedRequestError: 400, 408 or 431.
            OSError: The connection broke.
        """
        looked = 0
        while (end := self._held.find(b"\r\n\r\n", looked)) < 0:
            if len(self._held) > LARGEST_HEAD:
                raise RefusedRequestError(431)
            looked = max(0, len(self._held) - 3)
            self._held += self._more()
        lines = bytes(self._held[:end]).split(b"\r\n")
        del self._held[: end + 4]
        asked = _LINE.fullmatch(lines[0])
        if end > LARGEST_HEAD or asked is None:
            raise RefusedRequestError(431 if asked else 400)
        fields: dict[str, str] = {}
        for line in lines[1:]:
            field = _FIELD.fullmatch(line)
            if field is None:
                raise RefusedRequestError(400)
            name, value = field[1].decode("ascii").lower(), field[2].decode("latin-1")
            fields[name] = f"{fields[name]},{value}" if name in fields else value
        return Head(asked[1].decode("ascii"), asked[2].decode("ascii"), fields)

    def body(self, head: Head) -> bytes:
        """The body, as it was sent.

        Raises:
            RefusedRequestError: 400, 408; 411 without a length; 413 above 64 KiB; 415 if it is compressed.
            OSError: The connection broke.
        """
        if head.fields.get("content-encoding", "identity").lower() != "identity":
            raise RefusedRequestError(415)
        length = head.fields.get("content-length", "")
        if "transfer-encoding" in head.fields or not length:
            raise RefusedRequestError(411)
        if not (length.isascii() and length.isdecimal()):
            raise RefusedRequestError(400)
        if len(length) > 9 or int(length) > LARGEST_BODY:
            raise RefusedRequestError(413)
        if head.fields.get("expect", "").lower() == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._held) < int(length):
            self._held += self._more()
        self.whole = True
        return bytes(self._held[: int(length)])

    def _more(self) -> bytes:
        left = self._end - time.monotonic()
        if left <= 0:
            raise RefusedRequestError(408)
        self._connection.settimeout(left)
        try:
            piece = self._connection.recv(_PIECE)
        except TimeoutError:
            raise RefusedRequestError(408) from None
        if not piece:
            raise RefusedRequestError(400)
        return piece
