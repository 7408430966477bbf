"""Folders for states: a death of processes loses nothing that was written, so they may be in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")


@contextmanager
def fast_folder() -> Iterator[Path]:
    """A temporary folder in memory, where the system has one."""
    parent = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="campaignkit-proof-", dir=parent) as folder:
        yield Path(folder)
