"""Where the runs over audiences stood, kept beside a remembered plan: as disposable, and as much its owner's alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from campaignkit.model.mailings import MailingKey
from campaignkit.protocol.messages import LARGEST_SNAPSHOT


class KeptSnapshots:
    """Where the runs over the audiences of a plan stood, each in a file beside the plan's own: for its owner alone, too.

    Args:
        place: The plan's own file.
        known: By campaign/mailing: the SHA-256 of what is kept.
    """

    def __init__(self, place: Path, known: Mapping[str, str]) -> None:
        self._place = place
        self._known = dict(known)
        self._drafts: dict[str, tuple[Path, IO[bytes], Any]] = {}
        self._broken: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The mailings of which something is kept."""
        return tuple(self._known)

    def open(self, name: str) -> int | None:
        """A descriptor of what is kept of a mailing; None unless it is just that."""
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        os.lseek(descriptor, 0, os.SEEK_SET)
        if found != self._known.get(name):
            os.close(descriptor)
            return None
        return descriptor

    def take(self, mailing: MailingKey, piece: bytes) -> None:
        """A piece of what is to be kept; where it can't be, nothing of that mailing is."""
        name = str(mailing)
        if name in self._broken:
            return
        try:
            if name not in self._drafts:
                self._place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path = self._path(name).with_suffix(f".{os.getpid()}")
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                self._drafts[name] = path, os.fdopen(descriptor, "wb"), hashlib.sha256()
            _, stream, digest = self._drafts[name]
            if stream.tell() + len(piece) > LARGEST_SNAPSHOT:
                self._broken.add(name)
                return
            stream.write(piece)
            digest.update(piece)
        except OSError:
            self._broken.add(name)

    def keep(self) -> dict[str, str]:
        """Put in place what was taken; returns what is kept now, as `known` was."""
        kept: dict[str, str] = {}
        for name, (path, stream, digest) in self._drafts.items():
            with contextlib.suppress(OSError):
                stream.close()
                if name not in self._broken:
                    path.replace(self._path(name))
                    kept[name] = digest.hexdigest()
        self.drop()
        mine = {self._path(name) for name in kept}
        for other in self._place.parent.glob(f"{self._place.stem}-*.rows"):
            if other not in mine:
                with contextlib.suppress(OSError):
                    other.unlink()
        return kept

    def drop(self) -> None:
        """Let go of what was taken."""
        for path, stream, _ in self._drafts.values():
            with contextlib.suppress(OSError):
                stream.close()
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        self._drafts.clear()

    def _path(self, name: str) -> Path:
        return self._place.with_name(f"{self._place.stem}-{hashlib.sha256(name.encode()).hexdigest()[:32]}.rows")
