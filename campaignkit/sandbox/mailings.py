"""POST /api/v2/getViberMessages, getViberMessageData, getViberDeliveryList and getViberDeliveryData: what became of mailings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from campaignkit.sandbox.exchange import Refusal
from campaignkit.sandbox.index import LIST, QUICK
from campaignkit.sandbox.reading import required_id, whole
from campaignkit.sandbox.sendings import deliveries, find_sending, required_sending
from campaignkit.sandbox.times import list_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.exchange import Call
    from campaignkit.sandbox.sendings import Sending

DRAFT, SENT = "DRAFT", "SENT"
ROWS = 100
"""How many a page holds where the call says nothing."""


def page(call: Call, desk: Desk) -> object:
    """A part of the mailings, oldest first.

    Raises:
        Refusal: The part is none.
    """
    offset, rows = whole(call, "limit_offset"), whole(call, "limit_rows", 1)
    start = 0 if offset is None or desk.scenario.ignore_offset else offset
    ids = desk.ledger.message_ids(desk.scenario.listed)[start : start + (ROWS if rows is None else rows)]
    return desk.ok([_row(required_sending(message_id, desk, desk.scenario.listed), desk) for message_id in ids])


def data(call: Call, desk: Desk) -> object:
    """One mailing.

    Raises:
        Refusal: There is none of that id among those that are listed.
    """
    return desk.ok(_row(required_sending(required_id(call, "message_id"), desk, desk.scenario.listed), desk))


def delivery_list(call: Call, desk: Desk) -> object:
    """The phones of a mailing, and how far each message got; none for a draft.

    Raises:
        Refusal: There is none of that id.
    """
    sending = required_sending(required_id(call, "message_id"), desk, desk.scenario.listed | {LIST})
    rows = []
    for delivery_id, phone, found in deliveries(sending, desk):
        number = desk.scenario.id(delivery_id)
        rows.append({"delivery_id": number, "phone": phone, "status": found.status, "error_code": found.error_code})
    return desk.ok(rows)


def delivery_data(call: Call, desk: Desk) -> object:
    """How far a quick message got.

    Raises:
        Refusal: There is none of that id, or it is never reported.
    """
    sending = required_sending(required_id(call, "message_id"), desk, frozenset({QUICK}))
    for _, phone, found in deliveries(sending, desk):
        return desk.ok({"phone": phone, "status": found.status, "error_code": found.error_code})
    raise Refusal(404, "message_id is not found")


def names(call: Call, desk: Desk) -> Iterator[str]:
    """The name of the mailing whose id a call has."""
    sending = find_sending(required_id(call, "message_id"), desk)
    yield from () if sending is None else (sending.name,)


def no_names(_call: Call, _desk: Desk) -> tuple[str, ...]:
    """None: the call is about no mailing."""
    return ()


def _row(sending: Sending, desk: Desk) -> dict[str, Any]:
    body = sending.body
    return desk.named(sending.message_id) | {
        "message_type": body.type,
        "message": body.message,
        "button_caption": body.button,
        "button_link": body.button_link,
        "image_file": body.image_file,
        "status": DRAFT if sending.start is None else SENT,
        "d_create": list_time(sending.created),
        "d_schedule": list_time(sending.scheduled_for),
        "cost": f"{sending.cost:.5f} EUR",
    }
