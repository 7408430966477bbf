"""What a plan came to, kept until something it depends on changes: figures and samples, never anybody's delivery.

The file is a convenience for its owner alone (0600, in the user's cache): who removes it makes the next plan slower, who damages
it too. Nothing is ever sent on its word: apply always plans from the files themselves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from campaignkit.diagnostics import Diagnostic
from campaignkit.model.mailings import MailingKey
from campaignkit.plans.digest import Components
from campaignkit.plans.plan import Draft, Texts
from campaignkit.protocol.codec import MessageError, decode, encode
from campaignkit.protocol.messages import LARGEST_SNAPSHOT, MailingMessage, Open

FORMAT = 3
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A file that the plan was made from: how it was asked for, where it was found, its size and the SHA-256 of its bytes."""

    asked: Open
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedMailing:
    """One mailing of the plan; `examples` by the name of the fate. `snapshot` is the SHA-256 of where its run stood, if that is kept."""

    mailing: MailingMessage
    counts: dict[str, int]
    texts: Texts
    examples: dict[str, tuple[int, ...]]
    started: bool
    opted_out: int
    draft: Draft | None
    snapshot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedCampaign:
    """One campaign of the plan."""

    campaign: str
    revision: int
    path: str
    accept_resend: int | None
    mailings: tuple[CachedMailing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPlan:
    """A plan, and everything that must still hold for it to be the plan of today.

    `key` covers what was known before any audience was opened, `files` the rest. `past` names the mailings whose scheduled time
    had passed: once another one's has, the plan is another.
    """

    format: int
    key: str
    files: tuple[OpenedFile, ...]
    past: tuple[str, ...]
    components: Components
    campaigns: tuple[CachedCampaign, ...]
    drafts: tuple[str, ...]
    notes: tuple[str, ...]
    not_to_message: int
    diagnostics: tuple[Diagnostic, ...]


def cache_folder() -> Path | None:
    """Where plans are kept: `$XDG_CACHE_HOME/campaignkit`, else `~/.cache/campaignkit`; None for a user without a home."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "campaignkit"
    try:
        return Path.home() / ".cache" / "campaignkit"
    except RuntimeError:
        return None


def cache_path(folder: Path, *what: str) -> Path:
    """The file for one project, environment and selection."""
    return folder / f"plan-{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]}.json"


def load(path: Path) -> CachedPlan | None:
    """What is kept there; None where there is nothing, or nothing that can be used."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
        checksum, _, body = data.partition(b"\n")
        if len(data) > _LARGEST or checksum != hashlib.sha256(body).hexdigest().encode():
            return None
        found = decode(CachedPlan, body)
    except (OSError, MessageError):
        return None
    return found if found.format == FORMAT else None


def keep(path: Path, cached: CachedPlan) -> None:
    """Keep a plan, whole or not at all. That it can't be kept is no trouble to anybody."""
    body = encode(cached)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def forget_plans(folder: Path | None) -> None:
    """Remove whatever is kept there of any plan."""
    for path in folder.glob("plan-*") if folder is not None else ():
        with contextlib.suppress(OSError):
            path.unlink()


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
