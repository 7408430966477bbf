"""How far a state had come when it was last used here, kept apart from it: an older copy put back is noticed.

One small file per lineage in the user's own folder (`$XDG_STATE_HOME/campaignkit`, else `~/.local/state/campaignkit`). It is
raised before the first intent of a run, so that no copy older than a sent message passes for the newest on this machine.
On another machine there is no mark, and only people know which copy is the newest.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.states.lockfile import make_folder, sync_folder
from campaignkit.states.records import StateInfo


def marks_folder() -> Path | None:
    """Where the marks are; None for a user without a home."""
    base = os.environ.get("XDG_STATE_HOME")
    if base:
        return Path(base) / "campaignkit"
    try:
        return Path.home() / ".local" / "state" / "campaignkit"
    except RuntimeError:
        return None


def mark_of(lineage: str, folder: Path | None) -> int:
    """The serial that a state had reached when it was last used here; 0 where nobody knows."""
    return _read(folder, lineage) or 0


def check(info: StateInfo, folder: Path | None) -> None:
    """Hold a state against its mark.

    Raises:
        StateError: The state is older than what was last used here.
    """
    mark = _read(folder, info.lineage)
    if mark is not None and info.serial < mark:
        raise StateError(
            f"{info.path} went back in time: it stands at serial {info.serial}, and was used here at {mark}. What was sent in between is "
            "not in it, and those people would be sent to again. Nothing was sent. Bring back the newest copy; if it is lost for good, "
            "restore this one: whoever may have been sent to since then is unknown afterwards.",
            next_command=f"campaignkit state restore {info.path} --accept-lost-history --env {info.environment}",
        )


def raise_to(info: StateInfo, folder: Path | None) -> None:
    """Remember how far a state has come, durably. Where nothing can be kept, nothing is: the mark is a second net."""
    if folder is None or (_read(folder, info.lineage) or 0) >= info.serial:
        return
    with contextlib.suppress(OSError):
        make_folder(folder)
        draft = folder / f".{info.lineage}.{os.getpid()}"
        with draft.open("w", encoding="ascii") as stream:
            json.dump({"serial": info.serial}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(folder / f"{info.lineage}.json")
        sync_folder(folder)


def _read(folder: Path | None, lineage: str) -> int | None:
    if folder is None or not lineage.isalnum():
        return None
    try:
        found = json.loads((folder / f"{lineage}.json").read_text("ascii"))
    except (OSError, ValueError):
        return None
    serial = found.get("serial") if isinstance(found, dict) else None
    return serial if type(serial) is int else None
