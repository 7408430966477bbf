"""What the engine needs of a provider: one way to send, one way to read. The engine sees only these protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from campaignkit.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from campaignkit.model.outcomes import SendResult
    from campaignkit.wire.statuses import StatusAnswer


FENCE = 30.0
"""Seconds between asking for the intent and the first byte. A machine that slept longer in between gives up: the intent
may have been settled by someone else meanwhile."""


class NotVisibleError(ProviderError):
    """The provider does not know the uuid: 404, or an `error` in its place. Soon after a send this means "not yet"."""


class Sender(Protocol):
    """The only thing in the program that can cost money."""

    def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
        """Connect, ask `intent` (commit it durably; False means: do not send), write once, read bounded.

        Never raises for anything the network or the provider does: every end is a `SendResult`. An exception of
        `intent` itself passes through, with nothing written.
        """
        ...


class StatusReader(Protocol):
    """Reads of the v1 bulk method; repeating one is harmless."""

    def bulk_status(self, uuid: str) -> StatusAnswer:
        """The statuses of one accepted request.

        Raises:
            NotVisibleError: The provider does not know this uuid, or not yet.
            ProviderError: The provider could not be asked, or its answer is no status answer. Holds no token.
        """
        ...
