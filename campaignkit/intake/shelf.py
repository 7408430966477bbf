"""The files that the child may ask for: where each is found, and which bytes it has."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from campaignkit.intake.files import OpenRefusedError, open_beneath, parts_inside
from campaignkit.protocol.messages import Open

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Shelf:
    """A project's folder, and the further one for its audiences (`CAMPAIGNKIT_AUDIENCES`), or None."""

    root: Path
    audiences: Path | None

    def find(self, wanted: Open) -> tuple[str, int]:
        """The path of a file beneath its folder, and it open.

        Raises:
            OpenRefusedError: It may not be opened, or is not there.
        """
        start = wanted.beside.split("/")[:-1] if wanted.beside else []
        inside = parts_inside(wanted.path, start=start)
        try:
            return "/".join(inside), open_beneath(self.root, inside)
        except OpenRefusedError as refused:
            if self.audiences is None or not wanted.beside or wanted.image or "no file" not in refused.message:
                raise
            if ".." in wanted.path.split("/"):
                raise  # it names a place in the project, and in no other folder
            elsewhere = parts_inside(wanted.path)
            return "/".join(elsewhere), open_beneath(self.audiences, elsewhere)

    def look(self, wanted: Open, *, size: int | None = None) -> tuple[str, int, str] | None:
        """Where a file stands now that the child asked for, or would ask for, its size and SHA-256; None if it is not opened.

        The hash is left empty where the file has another `size` than it is asked for.
        """
        try:
            path, file = self.find(wanted)
        except OpenRefusedError:
            return None
        try:
            now = os.fstat(file).st_size
            return path, now, sha256_of(file) if size in {None, now} else ""
        finally:
            os.close(file)


def sha256_of(descriptor: int) -> str:
    """Of the whole file, by position: whoever else holds it reads on where they are."""
    found, at = hashlib.sha256(), 0
    try:
        while piece := os.pread(descriptor, _PIECE, at):
            found.update(piece)
            at += len(piece)
    except OSError:
        return ""  # the child says what is wrong with it
    return found.hexdigest()
