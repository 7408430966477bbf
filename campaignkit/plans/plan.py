"""The plan: what an apply would do, decided once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from campaignkit.model.counts import Counts, total
from campaignkit.model.mailings import BULK, LIST, Mailing
from campaignkit.model.settings import Environment, Price
from campaignkit.plans.classify import Fate
from campaignkit.plans.digest import Components

MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Figures about a mailing's rendered texts: characters, hosts of links by people, and a sample."""

    shortest: int = 0
    longest: int = 0
    characters: int = 0
    live: int = 0
    hosts: dict[str, int] = field(default_factory=dict)
    sample: str = ""
    sample_link: str = ""
    sample_phone: int = 0
    outline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A list mailing that stands at the provider: our request, its id there, how many it goes to (None: not said)."""

    request: str
    tag: str
    message_id: str
    subscribers: int | None
    edited: bool = False
    """Whether the file says something else by now: then it is not confirmed."""


@dataclass(slots=True, kw_only=True)
class MailingPlan:
    """One mailing of a plan; `examples` are the first people of each fate, for eyes."""

    mailing: Mailing
    counts: Counts = field(default_factory=Counts)
    texts: Texts = field(default_factory=Texts)
    examples: dict[Fate, list[int]] = field(default_factory=dict)
    started: bool = False
    """Whether the provider has accepted anything of it before."""
    opted_out: int = 0
    """Of the suppressed, those who asked for nothing more."""
    draft: Draft | None = None
    """The list mailing at the provider that only waits to be confirmed."""

    @property
    def reach(self) -> int:
        """The most people whom sending it would message, as far as anybody can say: a list's are known to the provider."""
        if self.mailing.method != LIST or not self.counts.to_send:
            return self.counts.to_send
        known = self.draft.subscribers if self.draft else None
        return known if known is not None else self.mailing.expect_max or 1

    def note(self, fate: Fate, phone: int) -> None:
        """Keep a phone as an example, while there are few."""
        known = self.examples.setdefault(fate, [])
        if len(known) < MOST_EXAMPLES:
            known.append(phone)


@dataclass(slots=True, kw_only=True)
class CampaignPlan:
    """One campaign of a plan. `accept_resend` is the number its file accepts."""

    campaign: str
    revision: int
    path: str
    accept_resend: int | None
    mailings: list[MailingPlan] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        """The sum over its mailings."""
        return total(mailing.counts for mailing in self.mailings)


@dataclass(slots=True, kw_only=True)
class Plan:
    """Everything an apply of this selection would do.

    `drafts` are campaigns shown but not sent here; a `stateless` plan was made without looking at a state.
    """

    environment: Environment
    components: Components
    campaigns: list[CampaignPlan]
    drafts: list[str]
    notes: list[str]
    price: Price | None
    batch_size: int
    batches_per_request: int
    created_at: datetime
    stateless: bool = False
    not_to_message: int = 0
    """People on suppression lists, and opted out: a list of the provider may hold them."""

    @property
    def digest(self) -> str:
        """The plan's identity."""
        return self.components.digest()

    @property
    def counts(self) -> Counts:
        """The sum over its campaigns."""
        return total(campaign.counts for campaign in self.campaigns)

    @property
    def cost(self) -> Decimal | None:
        """What its messages are estimated to cost, in the price's currency; None without a price."""
        return self.price.amount * self.reach if self.price else None

    @property
    def reach(self) -> int:
        """The most people it would message, where lists of the provider count as far as their size is known or expected."""
        return sum(one.reach for campaign in self.campaigns for one in campaign.mailings)

    @property
    def at_stake(self) -> int:
        """The most people whom one lost call would leave unknown; of a list of the provider those whom its file allows."""
        return max((self._at_stake(one) for campaign in self.campaigns for one in campaign.mailings if one.counts.to_send), default=0)

    def _at_stake(self, one: MailingPlan) -> int:
        if one.mailing.method == BULK:
            bulk = (m.counts.to_send for c in self.campaigns for m in c.mailings if m.mailing.method == BULK)
            return min(self.batch_size * self.batches_per_request, sum(bulk))
        return one.reach if one.mailing.method == LIST else 1


def _method(mailing: Mailing) -> dict[str, Any]:
    """How a mailing of another method than bulk is sent."""
    if mailing.method == BULK:
        return {}
    return {"method": mailing.method} | ({"list_id": int(mailing.list_id)} if mailing.method == LIST else {})


def campaign_rows(plan: Plan) -> list[dict[str, Any]]:
    """Campaigns and mailings with their counts, as the printed and the saved plan both have them: no phone, no text."""
    return [
        {
            "campaign": campaign.campaign,
            "revision": campaign.revision,
            "path": campaign.path,
            "mailings": [
                {
                    "mailing": one.mailing.key.mailing,
                    **_method(one.mailing),
                    "message_type": one.mailing.message_type or None,
                    "content_type": one.mailing.content_type,
                    "schedule_time": one.mailing.schedule_wire or None,
                }
                | one.counts.as_dict()
                for one in campaign.mailings
            ],
        }
        for campaign in plan.campaigns
    ]
