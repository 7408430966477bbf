"""Rendered bytes between the plan and the send: one unlinked temporary file, so that apply renders once and sends those bytes.

It never has a name after it was opened, so no crash leaves phones or texts behind. Reads and writes name their place
themselves (pread, pwrite): several requests in flight read at once, and a shared position would mix their people.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from campaignkit.errors import SpoolError


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where some bytes stand in the spool."""

    offset: int
    length: int


class Spool:
    """Append-only bytes on disk; use as a context manager. Appending is for one thread, reading for any number.

    Raises:
        SpoolError: The file can't be made.
    """

    def __init__(self) -> None:
        with _told():
            self._file = tempfile.TemporaryFile(prefix="campaignkit-", buffering=0)  # noqa: SIM115 - closed by __exit__
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def append(self, data: bytes) -> Stretch:
        """Keep some bytes.

        Raises:
            SpoolError: They can't be written; the disk may be full.
        """
        stretch = Stretch(self._end, len(data))
        left = memoryview(data)
        with _told():
            while left:
                written = os.pwrite(self._file.fileno(), left, self._end)
                self._end += written
                left = left[written:]
        return stretch

    def read(self, stretch: Stretch) -> bytes:
        """Get them back.

        Raises:
            SpoolError: They can't be read, or are not there any more: somebody truncated the file.
        """
        parts: list[bytes] = []
        offset, end = stretch.offset, stretch.offset + stretch.length
        with _told():
            while offset < end:
                part = os.pread(self._file.fileno(), end - offset, offset)
                if not part:
                    raise OSError(0, "it lost bytes")
                parts.append(part)
                offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def _told() -> Iterator[None]:
    """What the system says of the file, with the way out."""
    try:
        yield
    except OSError as error:
        raise SpoolError(
            f"the temporary file of rendered messages fails ({error.strerror}): the folder for temporary files, which TMPDIR names, "
            "must be writable and have room. What was not rendered or read back was not sent."
        ) from error
