"""POST /api/v2/getNewIncomingMessages and readResponseStatus: replies, given out again until they are marked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from campaignkit.sandbox.exchange import Refusal
from campaignkit.sandbox.index import BULK, LIST, QUICK
from campaignkit.sandbox.reading import required_id
from campaignkit.sandbox.records import Request
from campaignkit.sandbox.replies import MOST_RULES, IncomingMessage, arrived
from campaignkit.sandbox.sendings import find_sending, required_sending
from campaignkit.sandbox.times import list_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.exchange import Call
    from campaignkit.sandbox.sendings import Sending

_ID = re.compile(r"\d{1,18}", re.ASCII)


def incoming(call: Call, desk: Desk) -> object:
    """The replies to a mailing that nobody marked yet.

    Raises:
        Refusal: There is no such mailing.
    """
    sending = required_sending(required_id(call, "message_id"), desk, frozenset({BULK, QUICK, LIST}))
    marked = desk.ledger.read_marks()
    return desk.ok(
        [
            {"id": one.id, "phone": one.phone, "message": one.text, "d_receiver": list_time(one.at)}
            for one in _arrived(sending, desk)
            if one.id not in marked
        ]
    )


def mark(call: Call, desk: Desk) -> object:
    """Marks replies as read; counts those that had come and were not marked before.

    Raises:
        Refusal: The ids are none.
    """
    known = [one for one in dict.fromkeys(_ids(call)) if _has_come(one, desk)]
    flagged = desk.ledger.mark_read(known[: desk.scenario.marks_at_most], at=desk.clock())
    return desk.ok(f"Number of flagged messages: {flagged}")


def _ids(call: Call) -> Iterator[str]:
    value = call.fields.get("incoming_messages")
    parts = value if isinstance(value, list) else str(value if isinstance(value, str | int) else "").split(",")
    found = [part for part in (str(part).strip() for part in parts) if part]
    if not found:
        raise Refusal(400, "incoming_messages is required")
    for part in found:
        if not _ID.fullmatch(part):
            raise Refusal(400, "incoming_messages must be IDs with commas between them")
        yield str(int(part))


def _has_come(incoming_id: str, desk: Desk) -> bool:
    delivery_id = int(incoming_id) // MOST_RULES
    sending = _sending_of(delivery_id, desk)
    return sending is not None and any(one.id == incoming_id for one in _arrived(sending, desk, delivery_id))


def _arrived(sending: Sending, desk: Desk, delivery_id: int | None = None) -> list[IncomingMessage]:
    scenario = desk.scenario
    return arrived(sending, scenario.replies, now=desk.clock(), speed=scenario.speed, delivery_id=delivery_id)


def _sending_of(delivery_id: int, desk: Desk) -> Sending | None:
    found = desk.ledger.find_delivery(delivery_id)
    if isinstance(found, Request):
        for mailing in found.mailings:
            if mailing.first_delivery_id <= delivery_id < mailing.first_delivery_id + len(mailing.recipients):
                return find_sending(mailing.message_id, desk)
        return None
    return None if found is None else find_sending(found.message_id, desk)
