"""What the engine needs of a provider: one way to send, one way to read, one way to mark. It sees only these protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from campaignkit.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from campaignkit.model.outcomes import SendResult
    from campaignkit.wire.forms import Form
    from campaignkit.wire.records import DeliveryRow, IncomingMessage, Listing, MailingRecord, QuickStatus
    from campaignkit.wire.statuses import StatusAnswer


FENCE = 30.0
"""Seconds between asking for the intent and the first byte. A machine that slept longer in between gives up: the intent
may have been settled by someone else meanwhile."""


class NotVisibleError(ProviderError):
    """The provider does not know the id: 404, or an `error` in its place. Soon after a send this means "not yet"."""


class Sender(Protocol):
    """The only thing in the program that can cost money.

    All four calls keep the same promise: they connect, ask `intent` (commit it durably; False means: do not send), write
    once, and read within bounds. They never raise for anything the network or the provider does: every end is a
    `SendResult`. An exception of `intent` itself passes through, with nothing written.
    """

    def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
        """POST a body of `wire.bulk.encode_request` to `sendBulkViber`; accepted by a uuid."""
        ...

    def send_quick(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        """POST a form of `wire.forms` to `sendQuickViberMessage`; accepted by a message_id, which is the result's `uuid`."""
        ...

    def create_draft(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        """POST a form of `wire.forms` to `sendViberMessageList`; accepted by a message_id, with the `count` of subscribers."""
        ...

    def confirm(self, message_id: str, *, intent: Callable[[], bool]) -> SendResult:
        """Confirm a draft, which is what costs money; accepted by a status OK without an error.

        Raises:
            ValueError: The id is no text of digits; before anything is connected.
        """
        ...


class StatusReader(Protocol):
    """Reads of the v1 bulk method; repeating one is harmless."""

    def expect(self, uuid: str) -> None:
        """Tell that `bulk_status` is about to be called for this request, or will be next after the one that was told of before.

        Its answer may be fetched meanwhile, never two at once. Nothing comes of it if the call does not follow.
        """
        ...

    def bulk_status(self, uuid: str) -> StatusAnswer:
        """The statuses of one accepted request.

        Raises:
            NotVisibleError: The provider does not know this uuid, or not yet.
            ProviderError: The provider could not be asked, or its answer is no status answer. Holds no token.
        """
        ...


class Reader(StatusReader, Protocol):
    """All reads; repeating one is harmless. Each raises as `bulk_status` does, and `ValueError` for an id that is no digits."""

    def quick_status(self, message_id: str) -> QuickStatus:
        """What is known of one quick message."""
        ...

    def mailing(self, message_id: str) -> MailingRecord:
        """One list mailing: a draft, or one that was confirmed."""
        ...

    def mailings(self, *, offset: int, rows: int) -> Listing[MailingRecord]:
        """One page of the account's mailings; it is a full one if its `entries` are `rows`. Never raises `NotVisibleError`."""
        ...

    def deliveries(self, message_id: str) -> Listing[DeliveryRow]:
        """Everyone of a list mailing."""
        ...

    def incoming(self, message_id: str) -> Listing[IncomingMessage]:
        """The replies to a mailing that are not marked as read."""
        ...


class Marker(Protocol):
    """Says that replies were read: from then on, the provider gives them to nobody. Repeating it is harmless."""

    def mark_read(self, ids: Iterable[str]) -> int | None:
        """Mark replies that are safely stored.

        Returns:
            How many the provider says it has marked, if it says so.

        Raises:
            ProviderError: The provider could not be asked, or refused. Holds no token.
            ValueError: There are none, or one is no id of a reply.
        """
        ...
