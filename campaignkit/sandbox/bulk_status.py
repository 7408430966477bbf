"""POST /api/v1/statusBulkViber: how far the mailings of one request got, computed from the time that went by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from campaignkit.sandbox.exchange import Call, Refusal
from campaignkit.sandbox.progress import reached
from campaignkit.sandbox.times import status_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.records import Mailing, Request


def answer(call: Call, desk: Desk) -> object:
    """One entry for each mailing, in the order of the request.

    Raises:
        Refusal: No uuid, or one nobody got.
    """
    request_uuid = call.fields.get("uuid")
    if not isinstance(request_uuid, str) or not request_uuid.strip(" \t\r\n"):
        raise Refusal(400, "uuid is required")
    request = desk.ledger.find(request_uuid)
    if request is None:
        raise Refusal(404, "uuid is not found")
    now = desk.clock()
    return [_entry(mailing, request, desk, now) for mailing in request.mailings]


def names(call: Call, desk: Desk) -> Iterator[str]:
    """The names of the mailings asked for."""
    request = desk.ledger.find(str(call.fields.get("uuid", "")))
    yield from (mailing.name for mailing in request.mailings) if request is not None else ()


def _entry(mailing: Mailing, request: Request, desk: Desk, now: float) -> dict[str, Any]:
    if mailing.errors:
        return {"errors": [f"{mailing.name}: {text}" for text in mailing.errors]}
    return {
        "message_id": desk.scenario.id(mailing.message_id),
        "name": mailing.name,
        "alphaname_id": mailing.alphaname_id,
        "success": list(_deliveries(mailing, request, desk, now)),
    }


def _deliveries(mailing: Mailing, request: Request, desk: Desk, now: float) -> Iterator[dict[str, Any]]:
    start = max(request.at, mailing.scheduled_for or request.at)
    scenario = desk.scenario
    for delivery_id, phone in enumerate(mailing.phones, mailing.first_delivery_id):
        found = reached(
            seed=scenario.seed,
            phone=phone,
            elapsed=now - start,
            speed=scenario.speed,
            script=scenario.script(phone),
        )
        if found is None:
            continue
        # The first status is as old as the request, also where the rest waits for the scheduled time.
        since = start + found.after if found.after else request.at
        yield {
            "delivery_id": scenario.id(delivery_id),
            "phone": phone,
            "status": found.status,
            "status_time": status_time(since),
        }
