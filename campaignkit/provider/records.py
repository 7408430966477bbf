"""The provider's own records by the v2 methods, and the one that changes something: marking replies as read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from campaignkit.errors import ProviderError
from campaignkit.provider.reads import Asker, Endpoint, StatusClient
from campaignkit.wire.records import (
    NotRecordsError,
    decode_deliveries,
    decode_flagged,
    decode_incoming,
    decode_mailing,
    decode_mailings,
    decode_quick_status,
    is_reply_id,
)
from campaignkit.wire.values import digits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from campaignkit.wire.records import DeliveryRow, IncomingMessage, Listing, MailingRecord, QuickStatus

Record = TypeVar("Record")

QUICK = Endpoint(
    path="/api/v2/getViberDeliveryData", wanted="the status of a quick message", answer="answer about a quick message", subject="message"
)
MAILING = Endpoint(
    path="/api/v2/getViberMessageData", wanted="a mailing", answer="answer about a mailing", subject="mailing", token_in_query=True
)
MAILINGS = Endpoint(path="/api/v2/getViberMessages", wanted="the list of mailings", answer="list of mailings", token_in_query=True)
DELIVERIES = Endpoint(
    path="/api/v2/getViberDeliveryList", wanted="the deliveries of a mailing", answer="list of deliveries", subject="mailing"
)
INCOMING = Endpoint(path="/api/v2/getNewIncomingMessages", wanted="the replies to a mailing", answer="list of replies", subject="mailing")
MARKING = Endpoint(path="/api/v2/readResponseStatus", wanted="a mark on replies", answer="answer about marked replies")


class RecordClient(StatusClient):
    """Implements `provider.port.Reader`; a context manager, for one thread. See `provider.reads.Asker` for the arguments."""

    def quick_status(self, message_id: str) -> QuickStatus:
        """What is known of one quick message (`getViberDeliveryData`)."""
        return self._about(message_id, QUICK, decode_quick_status)

    def mailing(self, message_id: str) -> MailingRecord:
        """One list mailing (`getViberMessageData`)."""
        record = self._about(message_id, MAILING, decode_mailing)
        if record.message_id and int(record.message_id) != int(message_id):
            # Whether a confirmation counted is decided by this: never by what is said of another one.
            raise ProviderError(f"the provider was asked about mailing {message_id} and answered about {record.message_id}")
        return record

    def mailings(self, *, offset: int, rows: int) -> Listing[MailingRecord]:
        """One page of the account's mailings (`getViberMessages`)."""
        return _read(self, MAILINGS, {"limit_offset": str(offset), "limit_rows": str(rows)}, decode_mailings)

    def deliveries(self, message_id: str) -> Listing[DeliveryRow]:
        """Everyone of a list mailing (`getViberDeliveryList`)."""
        return self._about(message_id, DELIVERIES, decode_deliveries)

    def incoming(self, message_id: str) -> Listing[IncomingMessage]:
        """The replies to a mailing that are not marked as read (`getNewIncomingMessages`)."""
        return self._about(message_id, INCOMING, decode_incoming)

    def _about(self, message_id: str, endpoint: Endpoint, decode: Callable[[bytes], Record]) -> Record:
        if not digits(message_id):
            raise ValueError("a message_id is digits only")
        return _read(self, endpoint, {"message_id": message_id}, decode)


class MarkClient(Asker):
    """Implements `provider.port.Marker`; a context manager, for one thread. See `provider.reads.Asker` for the arguments."""

    def mark_read(self, ids: Iterable[str]) -> int | None:
        """Mark replies as read (`readResponseStatus`); see `provider.port.Marker`."""
        marked = tuple(ids)
        if not marked or not all(map(is_reply_id, marked)):
            raise ValueError("the ids of replies are letters, digits, hyphens and underscores, and at least one is needed")
        return _read(self, MARKING, {"incoming_messages": ",".join(marked)}, decode_flagged)


def _read(asker: Asker, endpoint: Endpoint, fields: dict[str, str], decode: Callable[[bytes], Record]) -> Record:
    body = asker.ask(endpoint, fields)
    try:
        return decode(body)
    except NotRecordsError as error:
        raise ProviderError(f"the {endpoint.answer} is of no use: {error}") from None
