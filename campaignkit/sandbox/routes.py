"""Every method of the API, by its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from campaignkit.sandbox import bulk_send, bulk_status, inbox, list_send, mailings, quick_send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.exchange import Call


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        name: What the documentation and scenarios call it.
        answer: Does it, and gives the document to answer with.
        names: The mailings a call is about, for faults that look for one.
    """

    name: str
    answer: Callable[[Call, Desk], object]
    names: Callable[[Call, Desk], Iterable[str]]


_METHODS = {
    "v1": (
        Method("sendBulkViber", bulk_send.answer, bulk_send.names),
        Method("statusBulkViber", bulk_status.answer, bulk_status.names),
    ),
    "v2": (
        Method("sendQuickViberMessage", quick_send.answer, quick_send.names),
        Method("getViberDeliveryData", mailings.delivery_data, mailings.names),
        Method("sendViberMessageList", list_send.create, list_send.created_names),
        Method("confirmViberMessage", list_send.confirm, mailings.names),
        Method("getViberMessages", mailings.page, mailings.no_names),
        Method("getViberMessageData", mailings.data, mailings.names),
        Method("getViberDeliveryList", mailings.delivery_list, mailings.names),
        Method("getNewIncomingMessages", inbox.incoming, mailings.names),
        Method("readResponseStatus", inbox.mark, mailings.no_names),
    ),
}

ROUTES: Mapping[str, Method] = {f"/api/{version}/{method.name}": method for version, methods in _METHODS.items() for method in methods}
"""All of them are POST."""
