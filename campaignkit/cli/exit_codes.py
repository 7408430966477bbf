"""Every exit code, and the one place where errors get theirs."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from campaignkit.errors import CampaignKitError


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


def code_of(error: CampaignKitError) -> ExitCode:
    """The exit code of an error."""
    from campaignkit import errors  # what ends well, as `--help`, needs none

    codes: tuple[tuple[type[CampaignKitError], ExitCode], ...] = (
        (errors.UsageError, ExitCode.USAGE),
        (errors.DefinitionError, ExitCode.INVALID),
        (errors.RefusedError, ExitCode.REFUSED),
        (errors.LockedError, ExitCode.LOCKED),
        (errors.PlanError, ExitCode.STALE),
        (errors.ProviderError, ExitCode.INCOMPLETE),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), ExitCode.UNEXPECTED)


def worst(*, unknown: bool, interrupted: bool, rejected: bool, incomplete: bool) -> ExitCode:
    """When several hold, the order of the contract decides: 7, 9, 6, 10."""
    if unknown:
        return ExitCode.UNKNOWN
    if interrupted:
        return ExitCode.INTERRUPTED
    if rejected:
        return ExitCode.REJECTED
    return ExitCode.INCOMPLETE if incomplete else ExitCode.DONE
