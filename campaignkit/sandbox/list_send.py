"""POST /api/v2/sendViberMessageList and confirmViberMessage: a draft, and the step that costs money and sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaignkit.sandbox.exchange import Refusal
from campaignkit.sandbox.ledger import Confirmed
from campaignkit.sandbox.message_form import read_body
from campaignkit.sandbox.reading import required_id, text
from campaignkit.sandbox.times import list_scheduled
from campaignkit.sandbox.v2_records import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.exchange import Call


def create(call: Call, desk: Desk) -> object:
    """Makes a draft of the list's subscribers as they are now.

    Raises:
        Refusal: It can't be sent, or there is no such list.
    """
    scenario = desk.scenario
    name, list_id, schedule = text(call, "name"), required_id(call, "list_id"), text(call, "d_schedule")
    scheduled_for = list_scheduled(schedule) if schedule else None
    if schedule and scheduled_for is None:
        raise Refusal(400, "d_schedule must have the format YYYY-MM-DD HH:MM")
    draft = Draft(
        at=desk.clock(),
        token_place=call.token_place,
        name=name,
        vibername_id=required_id(call, "vibername_id"),
        list_id=list_id,
        body=read_body(call, strict=scenario.strict),
        phones=tuple(scenario.lists.get(list_id, ())),
        scheduled_for=scheduled_for,
    )
    if list_id not in scenario.lists:
        raise Refusal(404, "list_id is not found")
    if (refusal := scenario.refusal(name)) is not None:
        raise Refusal(400, refusal)
    numbered = desk.ledger.accept_draft(draft)
    return desk.ok(desk.named(numbered.message_id) | {"count_subscribers": len(numbered.phones)})


def created_names(call: Call, _desk: Desk) -> Iterator[str]:
    """The name that the call gives."""
    yield text(call, "name")


def confirm(call: Call, desk: Desk) -> object:
    """Debits the balance and sends the draft, once.

    Raises:
        Refusal: There is none, it was confirmed before, or the balance is too small.
    """
    scenario = desk.scenario
    confirmed = desk.ledger.confirm(
        required_id(call, "message_id"),
        at=desk.clock(),
        token_place=call.token_place,
        price=scenario.price,
        balance=scenario.balance,
    )
    if confirmed is Confirmed.UNKNOWN:
        raise Refusal(404, "message_id is not found")
    if confirmed is Confirmed.POOR:
        raise Refusal(400, "Not enough money")
    if confirmed is Confirmed.BEFORE and scenario.repeat_confirm == "error":
        raise Refusal(400, "Message is already confirmed")
    return {"status": "OK"}
