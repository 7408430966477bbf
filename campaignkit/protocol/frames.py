"""Frames between the operator and the front child: a kind, a length, bytes, and now and then an open file.

Bounded on both sides: whoever gets a frame larger than `LARGEST` hangs up.
"""

from __future__ import annotations

import array
import os
import socket
import struct
from types import TracebackType
from typing import Self

LARGEST = 16 * 1024 * 1024
_HEAD = struct.Struct("<BI")


class ChannelClosedError(Exception):
    """The other side is gone, was silent for too long, or broke the rules."""


class Channel:
    """One end of the socket pair between the two processes.

    Args:
        end: A connected stream socket; closed with the channel.
        timeout: Seconds that a frame may take; None waits for ever (the child's side: its life is bounded otherwise).
    """

    def __init__(self, end: socket.socket, *, timeout: float | None) -> None:
        self._end = end
        end.settimeout(timeout)
        self._files: list[int] = []
        self._buffer = bytearray()

    def send(self, kind: int, payload: bytes = b"", *, file: int | None = None) -> None:
        """Send one frame, with an open file if given (which stays open here)."""
        if len(payload) > LARGEST:
            raise ChannelClosedError(f"a frame of {len(payload):,} bytes is too large")
        head = _HEAD.pack(kind, len(payload))
        try:
            if file is not None:
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))
                sent = self._end.sendmsg([head], [rights])
                self._end.sendall(head[sent:])
                self._end.sendall(payload)
            elif len(payload) > 65536:
                self._end.sendall(head)
                self._end.sendall(payload)
            else:
                self._end.sendall(head + payload)
        except OSError as error:
            raise ChannelClosedError(str(error)) from None

    def receive(self) -> tuple[int, bytes]:
        """The next frame; a file that came with it waits in `take_file`."""
        kind, length = _HEAD.unpack(self._exactly(_HEAD.size))
        if length > LARGEST:
            raise ChannelClosedError(f"a frame of {length:,} bytes is too large")
        return kind, self._exactly(length)

    def take_file(self) -> int | None:
        """The oldest open file received and not yet taken; the caller closes it."""
        return self._files.pop(0) if self._files else None

    def _exactly(self, count: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < count:
            try:
                data, control, _flags, _address = self._end.recvmsg(max(65536, count - len(buffer)), 64)
            except OSError as error:
                raise ChannelClosedError(str(error) or type(error).__name__) from None
            for level, kind, rights in control:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    numbers = array.array("i")
                    numbers.frombytes(rights[: len(rights) - len(rights) % numbers.itemsize])
                    self._files.extend(numbers)
            if not data:
                raise ChannelClosedError("the other side closed the channel")
            buffer += data
        result = bytes(buffer[:count])
        del buffer[:count]
        return result

    def close(self) -> None:
        """Hang up, closing files nobody took."""
        self._end.close()
        for file in self._files:
            os.close(file)
        self._files.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
