"""What a plan depends on, and its digest: equal digests mean that what was reviewed is what would be sent."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Everything a plan depends on. No clock, no serial, no path.

    Attributes:
        tool: Version of campaignkit: another one may render differently.
        environment: Its name and origin.
        lineage: The state's, or None where there is none.
        releases: How often a person freed keys by hand.
        settings: Hash of the settings of project and environment.
        suppressions: Hash of the suppression lists.
        retry_rejected: Whether refused people are tried again.
        definitions: Hash of each campaign's content, by id.
        audiences: Hash of each audience's bytes, by campaign/mailing.
    """

    tool: str
    environment: str
    lineage: str | None
    releases: int
    settings: str
    suppressions: str
    retry_rejected: bool
    definitions: dict[str, str]
    audiences: dict[str, str]

    def digest(self) -> str:
        """`sha256:` and the hash over the canonical JSON of all components."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


_WORDS = {
    "tool": "the version of campaignkit",
    "environment": "the environment or its origin",
    "lineage": "the state",
    "releases": "the state: keys were freed by hand",
    "settings": "the settings in campaignkit.yaml",
    "suppressions": "the suppression lists",
    "retry_rejected": "--retry-rejected",
}


def moved(before: Components, now: Components) -> list[str]:
    """What differs between two plans, in words."""
    found = [word for name, word in _WORDS.items() if getattr(before, name) != getattr(now, name)]
    for what, old, new in (
        ("the definition of", before.definitions, now.definitions),
        ("the audience of", before.audiences, now.audiences),
    ):
        found += [f"{what} {name}" for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return found
