"""Opening what a campaign names: inside the project, no links, regular files only.

Each part of a path is opened beneath the one before it without following links, so that neither `..` nor a link planted by
a pull request leads out, not even between a check and its use.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

CAMPAIGN_ENDINGS = (".yaml", ".yml")


class OpenRefusedError(Exception):
    """A file is not opened; with a code, a message and a hint for the author."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def parts_inside(path: str, *, start: Sequence[str] = ()) -> tuple[str, ...]:
    """The parts of a relative path below a root, with `.` and `..` worked out.

    Raises:
        OpenRefusedError: It is absolute or leads out.
    """
    if path.startswith("/") or "\0" in path:
        raise OpenRefusedError("CK301", f"{path!r} is outside the project", "name it relative to the campaign file")
    parts = list(start)
    for part in PurePosixPath(path).parts:
        if part == "..":
            if not parts:
                hint = "files stay inside the project; audiences may also be under CAMPAIGNKIT_AUDIENCES"
                raise OpenRefusedError("CK301", f"{path!r} is outside the project", hint)
            parts.pop()
        elif part != ".":
            parts.append(part)
    return tuple(parts)


def open_beneath(root: Path, parts: Sequence[str]) -> int:
    """An open descriptor of the regular file at `parts` below `root`.

    Raises:
        OpenRefusedError: There is none, or it may not be read.
    """
    shown = "/".join(parts)
    if not parts:
        raise OpenRefusedError("CK300", "an empty path names no file")
    folder = _folder(root, parts[:-1], shown)
    try:
        descriptor = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise _refusal(shown, error) from None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OpenRefusedError("CK300", f"{shown} is not a regular file")
    return descriptor


def _folder(root: Path, parts: Sequence[str], shown: str) -> int:
    """An open descriptor of a folder below `root`, no link followed on the way."""
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OpenRefusedError("CK300", f"{root.name} can't be opened: {error.strerror}") from None
    for part in parts:
        try:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise _refusal(shown, error) from None
        finally:
            os.close(folder)
        folder = below
    return folder


def _refusal(shown: str, error: OSError) -> OpenRefusedError:
    if error.errno == errno.ENOENT:
        return OpenRefusedError("CK300", f"there is no file {shown}")
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return OpenRefusedError("CK301", f"{shown} is, or leads through, a symbolic link or no folder", "links are not followed")
    return OpenRefusedError("CK300", f"{shown} can't be read: {error.strerror}")


def campaign_files(root: Path, folder: Sequence[str]) -> list[tuple[str, ...]]:
    """The campaign files of a project, in a fixed order.

    Raises:
        OpenRefusedError: The folder can't be listed.
    """
    try:
        descriptor = _folder(root, folder, "/".join(folder))
    except OpenRefusedError as refused:
        raise OpenRefusedError(refused.code, f"the folder of campaigns: {refused.message}", refused.hint) from None
    try:
        with os.scandir(descriptor) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(CAMPAIGN_ENDINGS) and not entry.name.startswith("."))
    finally:
        os.close(descriptor)
    return [(*folder, name) for name in names]
