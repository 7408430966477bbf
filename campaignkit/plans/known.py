"""What a plan needs to know of one delivery key, in the plan's own words; the engine translates the state into it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a delivery key stands in the state."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Accepted, then refused by the provider in two agreeing polls."""
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"
    DRAFT = "draft"
    """Made at the provider, and not confirmed: nobody got it yet."""
    PENDING = "pending"
    """Planned by a run that has not come to it."""


@dataclass(frozen=True, slots=True)
class Standings:
    """One delivery key: how it stands, what was sent under which definition, and by which request."""

    standing: Standing
    fingerprint: bytes
    definition: str
    request: str = ""
