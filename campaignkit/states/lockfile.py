"""`campaignkit.lock`: which state belongs to which environment, committed so that a lost or swapped one is noticed."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from campaignkit.errors import StateError

NAME = "campaignkit.lock"
VERSION = 1
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Pin:
    """What is recorded of one environment: the lineage of its state, and the origin (base URL) it sends to."""

    lineage: str
    origin: str


def read_pins(root: Path) -> dict[str, Pin]:
    """The pins by environment of the project at `root`; empty if it has no such file.

    Raises:
        StateError: The file is there and cannot be understood.
    """
    path = root / NAME
    try:
        # Not blocking: a pipe in its place would never answer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unusable(path, "it is no regular file")
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from error
    try:
        return _parsed(content)
    except RecursionError as error:
        raise _unusable(path, "it is nested too deeply") from error
    except ValueError as error:
        if content.startswith(b"<<<<<<<") or b"\n<<<<<<<" in content:
            raise _unusable(path, "it holds an unsettled merge") from error
        raise _unusable(path, str(error)) from error


def write_pins(root: Path, pins: Mapping[str, Pin]) -> None:
    """Replace the file as a whole, durably; sorted, so that the same pins are the same bytes.

    Raises:
        StateError: It cannot be written; what stood there still stands.
    """
    path = root / NAME
    document = {"version": VERSION, "environments": {name: asdict(pin) for name, pin in pins.items()}}
    content = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
    draft = root / f".{NAME}.{secrets.token_hex(4)}"
    try:
        _write_through(draft, content)
        draft.replace(path)
        sync_folder(root)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StateError(f"{path}: it cannot be written ({error.strerror}); nothing was sent.") from error


def sync_folder(folder: Path) -> None:
    """Make names just created or replaced in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder (0700) with its parents where they are missing, so that a power cut does not take them away again."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in missing:
        sync_folder(one.parent)


def _write_through(path: Path, content: bytes) -> None:
    # 0666 less the umask: the file is committed and holds nothing secret.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _parsed(content: bytes) -> dict[str, Pin]:
    if len(content) > _MOST_BYTES:
        raise ValueError("it is far too large")
    document = json.loads(content.decode(), object_pairs_hook=_unique)
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ValueError(f'it must be a JSON object with "version": {VERSION}')
    if document.keys() != {"version", "environments"} or not isinstance(document["environments"], dict):
        raise ValueError('it must hold "version" and "environments"')
    return {name: _pin(name, value) for name, value in document["environments"].items()}


def _pin(name: str, value: object) -> Pin:
    match value:
        case {"lineage": str(lineage), "origin": str(origin), **rest} if lineage and origin and not rest:
            return Pin(lineage, origin)
    raise ValueError(f'environment {name!r} must hold "lineage" and "origin", both text')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)


def _unusable(path: Path, why: str) -> StateError:
    return StateError(
        f"{path}: {why}; nothing was sent. Take it back from the repository's history: it says which state belongs to which environment.",
        next_command=f"git checkout -- {NAME}",
    )
