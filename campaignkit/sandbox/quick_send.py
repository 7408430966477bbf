"""POST /api/v2/sendQuickViberMessage: one message to one phone, accepted at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from campaignkit.sandbox.exchange import Refusal
from campaignkit.sandbox.message_form import read_body
from campaignkit.sandbox.reading import required_id, text, whole
from campaignkit.sandbox.v2_records import Quick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.exchange import Call

LEAST_MINUTES, MOST_MINUTES = 5, 60

# Twelve digits behind 375, 8 to 15 elsewhere; written without looking ahead, as it is in the OpenAPI document, too.
PHONE = r"^(375[0-9]{9}|([0-24-9][0-9]|3[0-68-9])[0-9]{6,13}|37[0-46-9][0-9]{5,12})$(?!\n)"
_PHONE = re.compile(PHONE)
_DECORATION = re.compile(r"[+\-() ]")


def answer(call: Call, desk: Desk) -> object:
    """Accepts a message and numbers it.

    Raises:
        Refusal: It can't be sent.
    """
    strict = desk.scenario.strict
    phone = text(call, "phone") if strict else _DECORATION.sub("", text(call, "phone"))
    quick = Quick(
        at=desk.clock(),
        token_place=call.token_place,
        vibername_id=required_id(call, "vibername_id"),
        phone=phone,
        body=read_body(call, strict=strict),
        forward_after=_minutes(call),
        alphaname_id=whole(call, "alphaname_id", 1),
    )
    if not _PHONE.match(phone):
        raise Refusal(400, "incorrect phone number")
    if (refusal := desk.scenario.refusal(phone)) is not None:
        raise Refusal(400, refusal)
    return desk.ok(desk.named(desk.ledger.accept_quick(quick).message_id))


def names(call: Call, _desk: Desk) -> Iterator[str]:
    """The phone: a quick message has no other name."""
    yield text(call, "phone")


def _minutes(call: Call) -> int | None:
    minutes = whole(call, "forwarding_time")
    if whole(call, "forwarding_message") != 1:
        return None
    # The strict mode refused what lies outside; a lenient server moves it to the nearest that can be.
    return min(max(MOST_MINUTES if minutes is None else minutes, LEAST_MINUTES), MOST_MINUTES)
