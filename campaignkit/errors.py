"""The exception tree: what the operator must face. What an author can fix is a `Diagnostic` instead.

    CampaignKitError
    ├── UsageError            the command line names something that is not there
    ├── DefinitionError       definitions, audiences or configuration are invalid; carries diagnostics
    ├── RefusedError          a rule of safety says no: no approval, a limit, a resend, a draft
    │   ├── SpoolError        the temporary file of rendered messages can't be written or read
    │   └── StateError        the state is missing, damaged, of another environment or origin
    ├── PlanError             a saved plan is stale, expired or of something else
    ├── LockedError           another run holds the state
    └── ProviderError         a read from the provider failed

Exit codes are given to them in one place, `campaignkit.cli.exit_codes`.
"""

from __future__ import annotations

from collections.abc import Sequence

from campaignkit.diagnostics import Diagnostic


class CampaignKitError(Exception):
    """Something the operator must face.

    Args:
        message: What happened and where, in one or a few plain sentences.
        next_command: The exact command that helps, printed as the last line; empty where none does.
    """

    def __init__(self, message: str, *, next_command: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_command = next_command


class UsageError(CampaignKitError):
    """The command line names something that is not there."""


class DefinitionError(CampaignKitError):
    """Definitions, audiences or configuration are invalid; nothing was sent."""

    def __init__(self, diagnostics: Sequence[Diagnostic], *, message: str = "", next_command: str = "campaignkit validate") -> None:
        super().__init__(message, next_command=next_command)
        self.diagnostics = tuple(diagnostics)


class RefusedError(CampaignKitError):
    """A rule of safety says no; nothing was sent."""


class SpoolError(RefusedError):
    """The temporary file between rendering and sending can't be written or read."""


class StateError(RefusedError):
    """The state is missing, empty, damaged, or belongs elsewhere."""


class PlanError(CampaignKitError):
    """A saved plan is stale, expired, damaged or of another environment."""


class LockedError(CampaignKitError):
    """Another run holds the state."""


class ProviderError(CampaignKitError):
    """A read from the provider failed; reads change nothing."""
