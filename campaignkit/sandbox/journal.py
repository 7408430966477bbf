"""An append-only file of lines, shared by processes: what one appended, all see; what a killed one half wrote, nobody.

Each line is a short head, a tab and a body: opening a large file reads heads only. Durability means that it survives
the death of the process, not of the machine: nothing is fsynced, so a thousand requests cost no thousand disk turns.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEADER = b'{"format":"campaignkit-sandbox","version":1}\n'
_BLOCK = 1 << 20


class JournalError(ValueError):
    """The data file can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One complete line: its head, and where its body stands."""

    head: bytes
    offset: int
    length: int


class Journal:
    """The file itself. Not safe between threads: its owner holds a lock.

    Args:
        path: The file, made with mode 0600 where it is missing; none for a temporary one without a name.

    Raises:
        JournalError: It is something else, or can't be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = _opened(path)
        try:
            with self.exclusive():
                self._check_header(path)
            # Only now: a foreign file keeps its mode.
            os.fchmod(self._file, 0o600)
        except BaseException:
            self.close()
            raise
        self._end = len(_HEADER)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Holds every other writer off."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def news(self) -> Iterator[Line]:
        """The complete lines that this object has not handed out yet."""
        rest = b""
        while block := os.pread(self._file, _BLOCK, self._end + len(rest)):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                head, _, body = line.partition(b"\t")
                found = Line(head, self._end + len(head) + 1, len(body))
                self._end += len(line) + 1
                yield found

    def append(self, head: bytes, body: bytes) -> Line:
        """Adds a line; only inside `exclusive`, and after `news` was read to its end."""
        # Whoever left a torn line behind is dead, because we hold the lock; nobody was told that it was accepted.
        os.ftruncate(self._file, self._end)
        line = memoryview(head + b"\t" + body + b"\n")
        offset, self_end = self._end + len(head) + 1, self._end + len(line)
        while line:
            line = line[os.write(self._file, line) :]
        self._end = self_end
        return Line(head, offset, len(body))

    def body(self, line: Line) -> bytes:
        """The body of a line."""
        parts = bytearray()
        while len(parts) < line.length:
            part = os.pread(self._file, line.length - len(parts), line.offset + len(parts))
            if not part:
                raise JournalError("the sandbox's data file was cut short while in use")
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """Closes the file; a temporary one is gone then."""
        os.close(self._file)

    def _check_header(self, path: Path | None) -> None:
        found = os.pread(self._file, len(_HEADER), 0)
        if found == _HEADER:
            return
        # A server killed in its first moment leaves a part of our own header, or nothing.
        if os.fstat(self._file).st_size != len(found) or not _HEADER.startswith(found):
            raise JournalError(f"{path} is no data file of the sandbox")
        os.ftruncate(self._file, 0)
        os.write(self._file, _HEADER)


def _opened(path: Path | None) -> int:
    if path is None:
        with tempfile.TemporaryFile() as file:
            return fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 0)
    try:
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
