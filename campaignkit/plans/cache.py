"""What a plan came to, kept until something it depends on changes: figures and samples, never anybody's delivery.

The file is a convenience for its owner alone (0600, in the user's cache): who removes it makes the next plan slower, who damages
it too. Nothing is ever sent on its word: apply always plans from the files themselves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from campaignkit.diagnostics import Diagnostic
from campaignkit.plans.digest import Components
from campaignkit.plans.plan import Draft, Texts
from campaignkit.protocol.codec import MessageError, decode, encode
from campaignkit.protocol.messages import MailingMessage, Open

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
