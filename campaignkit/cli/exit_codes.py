"""Every exit code, and the one place where errors get theirs."""

from __future__ import annotations

from enum import IntEnum

from campaignkit.errors import (
    CampaignKitError,
    DefinitionError,
    LockedError,
    PlanError,
    ProviderError,
    RefusedError,
    UsageError,
)


class ExitCode(IntEnum):
    """What the process says to a script; also when its output is JSON."""

    DONE = 0
    """done, nothing wrong"""
    UNEXPECTED = 1
    """unexpected error"""
    CHANGES = 2
    """changes pending (only `plan --detailed-exitcode`)"""
    INVALID = 3
    """invalid definition, audience or configuration; nothing sent"""
    STALE = 4
    """plan stale, expired or mismatched"""
    REFUSED = 5
    """refused: no state, a limit, a resend, no approval"""
    REJECTED = 6
    """the provider rejected something"""
    UNKNOWN = 7
    """unknown outcomes exist"""
    LOCKED = 8
    """another run holds the state"""
    INTERRUPTED = 9
    """interrupted safely"""
    INCOMPLETE = 10
    """some not sent (unreachable, throttled out, stopped by a rule), nothing unknown; the same command again is safe"""
    USAGE = 64
    """wrong usage"""


_OF: tuple[tuple[type[CampaignKitError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (DefinitionError, ExitCode.INVALID),
    (RefusedError, ExitCode.REFUSED),
    (LockedError, ExitCode.LOCKED),
    (PlanError, ExitCode.STALE),
    (ProviderError, ExitCode.INCOMPLETE),
)


def code_of(error: CampaignKitError) -> ExitCode:
    """The exit code of an error."""
    return next((code for kind, code in _OF if isinstance(error, kind)), ExitCode.UNEXPECTED)


def worst(*, unknown: bool, interrupted: bool, rejected: bool, incomplete: bool) -> ExitCode:
    """When several hold, the order of the contract decides: 7, 9, 6, 10."""
    if unknown:
        return ExitCode.UNKNOWN
    if interrupted:
        return ExitCode.INTERRUPTED
    if rejected:
        return ExitCode.REJECTED
    return ExitCode.INCOMPLETE if incomplete else ExitCode.DONE
