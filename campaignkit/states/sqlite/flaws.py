"""Why a file is not the state it is to be, told with the way out."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import dataclass
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.states.sqlite.presence import lacks_wal, side_file
from campaignkit.states.sqlite.schema import PAGE_SIZE, SCHEMA_VERSION
from campaignkit.states.sqlite.sums import holds

_BACKUP = "Nothing was sent. Bring back the newest backup of this file."


@dataclass(frozen=True, slots=True)
class Expected:
    """The state that should stand at a path. `lineage` is the recorded one, None if nothing is recorded."""

    path: Path
    environment: str
    origin: str
    lineage: str | None

    def flaw(self, what: str, *, command: str = "") -> StateError:
        """An error about this file; `command` is the subcommand of `campaignkit state` that helps."""
        words = {"restore": "restore FILE --accept-lost-history"}.get(command, command)
        next_command = f"campaignkit state {words} --env {self.environment}" if command else ""
        return StateError(f"{self.path}: {what}", next_command=next_command)


def check_file(expected: Expected) -> None:
    """Refuse what is no complete state file, by its name and main file alone.

    Raises:
        StateError: It is missing, a link, no file, empty, no state, or lacks its `-wal`.
        sqlite3.Error: It is damaged, or of another program.
    """
    path = expected.path
    for side in (path, side_file(path, "-wal"), side_file(path, "-shm"), side_file(path, "-journal")):
        try:
            status = side.lstat()
        except FileNotFoundError:
            if side == path:
                raise _missing(expected) from None
            continue
        if not stat.S_ISREG(status.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no regular file"
            raise expected.flaw(f"{side.name} is {kind}; nothing was sent. Name the state's own file in `state`.")
        if side == path and not status.st_size:
            raise expected.flaw(
                f"it is empty: no state, or one that was lost. {_BACKUP} "
                "If nothing was ever sent with it, remove the file and make a new state.",
                command="restore" if expected.lineage else "init",
            )
    if lacks_wal(path):
        raise expected.flaw(
            f"it was copied while in use, without its {path.name}-wal: the latest claims may be missing, and people "
            "could be messaged twice. Nothing was sent. Copy both files, or a state that is not in use.",
            command="restore",
        )
    # SQLite would take the missing end of the last page for zeros. What a crash left beside the file may set it right.
    if path.stat().st_size % PAGE_SIZE and not any(side_file(path, suffix).exists() for suffix in ("-wal", "-journal")):
        raise expected.flaw(f"it is damaged, or no database at all (its last page is cut short). {_BACKUP}", command="restore")


def check_identity(expected: Expected, sql: sqlite3.Connection, *, may_be_older: bool) -> None:
    """Refuse another schema than ours, and the state of another environment, origin or lineage."""
    row = sql.execute("SELECT schema_version, environment, origin, lineage FROM meta").fetchone()
    if row is None:
        raise expected.flaw(f"it does not say whose state it is. {_BACKUP}", command="restore")
    version, environment, origin, lineage = row
    if version > SCHEMA_VERSION:
        raise expected.flaw(
            f"a newer campaignkit wrote it (schema {version}, this one knows {SCHEMA_VERSION}); nothing was sent. Use that version."
        )
    if version < SCHEMA_VERSION and not may_be_older:
        raise StateError(
            f"{expected.path}: an older campaignkit wrote it (schema {version}, now {SCHEMA_VERSION}); nothing was "
            "sent. The next command that writes it steps it up.",
            next_command=f"campaignkit refresh --env {expected.environment}",
        )
    if version == SCHEMA_VERSION and sql.execute(f"SELECT {holds('meta')} FROM meta").fetchone() != (1,):  # noqa: S608 - our own names
        raise expected.flaw(f"the row that says whose state it is has a wrong checksum: it is damaged. {_BACKUP}", command="restore")
    for what, found, due in (("environment", environment, expected.environment), ("origin", origin, expected.origin)):
        if found != due:
            raise expected.flaw(
                f"it is the state of {what} {found!r}, not of {due!r}; nothing was sent. "
                "Look at `state` and `base_url` of this environment in campaignkit.yaml.",
            )
    if expected.lineage is not None and lineage != expected.lineage:
        raise expected.flaw(
            f"it is another state (lineage {lineage}) than campaignkit.lock records for {expected.environment} "
            f"({expected.lineage}): it does not know who was messaged with that one. {_BACKUP}",
            command="restore",
        )


def from_sqlite(expected: Expected, error: sqlite3.Error | UnicodeDecodeError) -> StateError:
    """What a failure of SQLite means when it comes on opening."""
    code = "SQLITE_CORRUPT" if isinstance(error, UnicodeDecodeError) else getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return expected.flaw(f"it is damaged, or no database at all ({error}). {_BACKUP}", command="restore")
    if code == "SQLITE_ERROR":  # no such table, no such column
        return expected.flaw(f"it is a database, but holds no tables of campaignkit, or not all of them ({error}). {_BACKUP}")
    if code.startswith("SQLITE_BUSY"):
        return expected.flaw(f"another process keeps it busy ({error}); nothing was sent. Wait until that is done.")
    return expected.flaw(
        f"it cannot be opened ({error}); nothing was sent. The file and its folder must be readable and writable, and "
        "the disk must have room."
    )


def occupied(path: Path) -> StateError:
    """Something stands where a new state is to be made."""
    return StateError(
        f"{path}: something stands there already; nothing was changed. A state is never overwritten: move it away by "
        "hand if it is not needed."
    )


def remains(path: Path, side: Path) -> StateError:
    """A state was there: what it left belongs to it."""
    return StateError(
        f"{path}: {side} is what a lost state left behind; nothing was changed. Bring back the file it belongs to, or move it away by hand."
    )


def _missing(expected: Expected) -> StateError:
    if expected.lineage is None:
        return expected.flaw(
            "there is no state; nothing was sent. Without one, nobody knows who was messaged already: make it once.",
            command="init",
        )
    return StateError(
        f"{expected.path}: the state is missing that campaignkit.lock records for {expected.environment} (lineage "
        f"{expected.lineage}); nothing was sent. Bring that file back, "
        "or an older backup of it with campaignkit state restore FILE --accept-lost-history. "
        "Only if all of them are lost for good, and with them who was messaged, replace it.",
        next_command=f"campaignkit state init --env {expected.environment} --replace-lost {expected.lineage} --reason TEXT",
    )
