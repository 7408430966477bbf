"""What people write back: computed from the time that went by, like the statuses, so that nothing has to be simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from campaignkit.sandbox.sendings import Sending

MOST_RULES = 100
"""The last two digits of an incoming message's id are the number of its rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A rule: who answers what, and how many seconds after the message.

    `phone` is a phone, or `*` and what it ends in; `match` a part of the mailing's name, empty for any.
    """

    phone: str
    text: str
    after: float = 2.0
    match: str = ""

    def is_from(self, phone: str) -> bool:
        """Whether it is this phone that answers."""
        return phone.endswith(self.phone[1:]) if self.phone.startswith("*") else phone == self.phone


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One reply that has come."""

    id: str
    phone: str
    text: str
    at: float


USUAL = (
    Reply(phone="*1111", text="Thank you!", after=2.0),
    Reply(phone="*2222", text="стоп", after=3.0),
)
"""Who writes back where a scenario says nothing of it."""


def arrived(
    sending: Sending,
    rules: Sequence[Reply],
    *,
    now: float,
    speed: float,
    delivery_id: int | None = None,
) -> list[IncomingMessage]:
    """The replies to a mailing, or to one message of it, that have come by now, oldest first."""
    return sorted(_arrived(sending, rules, now, speed, delivery_id), key=lambda one: (one.at, int(one.id)))


def _arrived(
    sending: Sending,
    rules: Sequence[Reply],
    now: float,
    speed: float,
    delivery_id: int | None,
) -> Iterator[IncomingMessage]:
    if sending.start is None:
        return
    first = sending.first_delivery_id
    wanted = range(first, first + len(sending.phones)) if delivery_id is None else (delivery_id,)
    for number, rule in enumerate(rules):
        at = sending.start + rule.after / speed
        if at > now or rule.match not in sending.name:
            continue
        for one in wanted:
            phone = sending.phones[one - first]
            if rule.is_from(phone):
                yield IncomingMessage(str(one * MOST_RULES + number), phone, rule.text, at)
