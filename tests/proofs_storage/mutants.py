"""Engines broken on purpose: a proof that does not catch each of them proves nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from campaignkit.states import highwater, lockfile
from campaignkit.states.sqlite import connection, opening, presence

Mutant = Callable[[], AbstractContextManager[Any]]


class _NoSync:
    """The module `os`, on which nothing is ever made durable."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def fsync(self, descriptor: int) -> None:
        """Promise what is not kept."""


def _synchronous(word: str) -> Mutant:
    def connect(path: Path, mode: str, **settings: Any) -> sqlite3.Connection:
        sql = connection.connect(path, mode, **settings)
        sql.execute(f"PRAGMA synchronous = {word}")
        return sql

    return lambda: patch.object(opening, "connect", connect)


def _mark_in_the_wal_only(path: Path, sql: sqlite3.Connection) -> None:
    sql.execute("PRAGMA journal_mode = WAL").fetchone()
    sql.execute("UPDATE meta SET in_use = 1")


MUTANTS: dict[str, Mutant] = {
    "synchronous = OFF": _synchronous("OFF"),
    "synchronous = NORMAL": _synchronous("NORMAL"),
    "in-use mark not checkpointed before the first commit": lambda: patch.object(presence, "mark", _mark_in_the_wal_only),
    "high-water mark without fsync": lambda: patch.object(highwater, "os", _NoSync()),
    "campaignkit.lock without fsync": lambda: patch.object(lockfile, "os", _NoSync()),
}
