"""A mailing of any method, as the methods that look at mailings see it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from campaignkit.sandbox.exchange import Refusal
from campaignkit.sandbox.index import BULK, LIST, QUICK
from campaignkit.sandbox.progress import Reached, reached
from campaignkit.sandbox.records import Request
from campaignkit.sandbox.v2_records import Body, Quick

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.records import Mailing
    from campaignkit.sandbox.v2_records import Confirmation, Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One mailing. `start` is when its messages go out; nothing for a draft. A quick message's name is its phone."""

    kind: str
    message_id: int
    name: str
    body: Body
    created: float
    scheduled_for: float
    start: float | None
    cost: Decimal
    phones: Sequence[str]
    first_delivery_id: int


def find_sending(message_id: int, desk: Desk) -> Sending | None:
    """The mailing of an id."""
    found = desk.ledger.find_message(message_id)
    if found is None:
        return None
    price = desk.scenario.price
    if isinstance(found, Request):
        return next(_bulk(found, mailing, price) for mailing in found.mailings if mailing.message_id == message_id)
    if isinstance(found, Quick):
        return _quick(found, price)
    return _list(found, desk.ledger.confirmation(message_id))


def required_sending(message_id: int, desk: Desk, kinds: frozenset[str]) -> Sending:
    """The mailing of an id, if it is of one of these kinds.

    Raises:
        Refusal: There is none.
    """
    sending = find_sending(message_id, desk)
    if sending is None or sending.kind not in kinds:
        raise Refusal(404, "message_id is not found")
    return sending


def deliveries(sending: Sending, desk: Desk) -> Iterator[tuple[int, str, Reached]]:
    """Each message of a mailing that is reported: its id, its phone, and how far it got."""
    if sending.start is None:
        return
    scenario, elapsed = desk.scenario, desk.clock() - sending.start
    for delivery_id, phone in enumerate(sending.phones, sending.first_delivery_id):
        found = reached(seed=scenario.seed, phone=phone, elapsed=elapsed, speed=scenario.speed, script=scenario.script(phone))
        if found is not None:
            yield delivery_id, phone, found


def _bulk(request: Request, mailing: Mailing, price: Decimal) -> Sending:
    content = mailing.content
    body = Body(
        type=content.get("type", "text").upper(),
        message=content.get("text", ""),
        button=content.get("caption", ""),
        button_link=content.get("button_link", ""),
        image_file=content.get("image_url", ""),
    )
    scheduled = mailing.scheduled_for or request.at
    return Sending(
        kind=BULK,
        message_id=mailing.message_id,
        name=mailing.name,
        body=body,
        created=request.at,
        scheduled_for=scheduled,
        start=max(request.at, scheduled),
        cost=price * len(mailing.recipients),
        phones=mailing.phones,
        first_delivery_id=mailing.first_delivery_id,
    )


def _quick(quick: Quick, price: Decimal) -> Sending:
    return Sending(
        kind=QUICK,
        message_id=quick.message_id,
        name=quick.phone,
        body=quick.body,
        created=quick.at,
        scheduled_for=quick.at,
        start=quick.at,
        cost=price,
        phones=(quick.phone,),
        first_delivery_id=quick.delivery_id,
    )


def _list(draft: Draft, confirmation: Confirmation | None) -> Sending:
    scheduled = draft.scheduled_for or draft.at
    return Sending(
        kind=LIST,
        message_id=draft.message_id,
        name=draft.name,
        body=draft.body,
        created=draft.at,
        scheduled_for=scheduled,
        start=None if confirmation is None else max(confirmation.at, scheduled),
        cost=Decimal(0) if confirmation is None else Decimal(confirmation.cost),
        phones=draft.phones,
        first_delivery_id=draft.first_delivery_id,
    )
