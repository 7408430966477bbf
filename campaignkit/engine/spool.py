"""Rendered bytes between the plan and the send: one unlinked temporary file, so that apply renders once and sends those bytes.

It never has a name after it was opened, so no crash leaves phones or texts behind.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where some bytes stand in the spool."""

    offset: int
    length: int


class Spool:
    """Append-only bytes on disk; use as a context manager."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="campaignkit-")  # noqa: SIM115 - closed by __exit__
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def append(self, data: bytes) -> Stretch:
        """Keep some bytes."""
        self._file.seek(self._end)
        self._file.write(data)
        stretch = Stretch(self._end, len(data))
        self._end += len(data)
        return stretch

    def read(self, stretch: Stretch) -> bytes:
        """Get them back."""
        self._file.seek(stretch.offset)
        return self._file.read(stretch.length)
