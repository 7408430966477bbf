"""Open descriptors that the operator handed over, as streams that know their own hash."""

from __future__ import annotations

import hashlib
import io
import os


class HashedFile(io.RawIOBase):
    """A file read once from its beginning, hashing what passes. Owns the descriptor."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self.size = 0
        """Bytes that passed."""
        self._last = b""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader passes a memoryview; 3.11 has no name for any buffer
        """Fill the buffer with the next bytes."""
        count = os.readv(self._descriptor, [buffer])
        self._hash.update(memoryview(buffer)[:count])
        if count:
            self.size += count
            self._last = bytes(memoryview(buffer)[count - 1 : count])
        return count

    def passed(self) -> str:
        """SHA-256 of what passed."""
        return self._hash.hexdigest()

    @property
    def ends_a_line(self) -> bool:
        """Whether what passed last was the end of a line."""
        return self._last == b"\n"

    def skip_to(self, size: int) -> bool:
        """Let the bytes up to there pass; False if more have passed already, or there are fewer."""
        while self.size < size and self.read(min(size - self.size, 1 << 20)):
            pass
        return self.size == size

    def digest(self) -> str:
        """SHA-256 of the whole file: reads what is left first."""
        while self.read(1 << 20):
            pass
        return self._hash.hexdigest()

    def rewind(self) -> None:
        """Back to the beginning, with a fresh hash."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hash = hashlib.sha256()
        self.size, self._last = 0, b""

    def close(self) -> None:
        """Close the descriptor, once."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def read_all(descriptor: int, most: int) -> bytes:
    """The bytes of a small file, at most `most` + 1 of them; closes it."""
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(most + 1)


class _Shared(io.RawIOBase):
    """Reads through a file without closing it."""

    def __init__(self, file: HashedFile) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader passes a memoryview; 3.11 has no name for any buffer
        return self._file.readinto(buffer)


def unclosed(file: HashedFile) -> io.BufferedReader:
    """A buffered view of a file that stays open when the view goes: for its hash, and for a second pass."""
    return io.BufferedReader(_Shared(file), 1 << 18)
