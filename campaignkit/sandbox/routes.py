"""Every method of the API: a new one is a module with `answer` and `names`, and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from campaignkit.sandbox import bulk_send, bulk_status

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


ROUTES: Mapping[str, Method] = {
    "/api/v1/sendBulkViber": Method("sendBulkViber", bulk_send.answer, bulk_send.names),
    "/api/v1/statusBulkViber": Method("statusBulkViber", bulk_status.answer, bulk_status.names),
}
"""All of them are POST."""
