"""Confirming drafts of list mailings: the step that costs money, taken once, with the provider's own record read before and after.

A confirm whose answer was lost is repeated only when the record shows that it did not count: it still reads what it read while it
certainly was a draft. Nothing else about undocumented status words is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from campaignkit.engine.pace import Pace
from campaignkit.engine.sending import Ready, SendLoop
from campaignkit.errors import ProviderError, RefusedError, UsageError
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import LIST, Mailing
from campaignkit.plans.plan import Plan
from campaignkit.provider.port import Reader
from campaignkit.states.records import RequestRow, RequestState
from campaignkit.states.store import Store
from campaignkit.wire.vocabulary import has_gone_out


class Reading(StrEnum):
    """What a record says about a confirm that may have counted."""

    COUNTED = "counted"
    DRAFT = "draft"
    UNCLEAR = "unclear"


def reading(word: str, draft_word: str) -> Reading:
    """Whether a list mailing was confirmed.

    Args:
        word: The provider's status word of it now.
        draft_word: The one it had when it certainly was a draft; empty where nobody looked then.
    """
    if draft_word and word.casefold() == draft_word.casefold():
        return Reading.DRAFT
    return Reading.COUNTED if draft_word and has_gone_out(word) else Reading.UNCLEAR


def objection(mailing: Mailing, subscribers: int | None, *, allowed: int | None) -> str:
    """Why a draft of so many subscribers must not be confirmed; empty if nothing speaks against it.

    Args:
        mailing: What was reviewed.
        subscribers: The provider's number; None where it gave none.
        allowed: How many people the limits of this run still allow; None for any.
    """
    least, most = mailing.expect_min, mailing.expect_max
    if subscribers is None:
        bound = least is not None or most is not None or allowed is not None
        return "the provider did not say how many subscribers it has, and a limit depends on that" if bound else ""
    if least is not None and subscribers < least:
        return f"it would go to {subscribers:,} subscribers; expect_subscribers says at least {least:,}"
    if most is not None and subscribers > most:
        return f"it would go to {subscribers:,} subscribers; expect_subscribers says at most {most:,}"
    if allowed is not None and subscribers > allowed:
        return f"it would go to {subscribers:,} subscribers; the limits of this environment leave room for {max(0, allowed):,}"
    return ""


@dataclass(slots=True, kw_only=True)
class ConfirmJob:
    """Confirms the drafts of one run, one after another.

    Args:
        store: The state, its lock held.
        loop: Sends; its stop rules go on counting.
        reader: The provider's records.
        clock: Time.
        pace: Requests a second.
        allowed: How many more people the limits allow; None for any.
        held: Hears of each draft that a limit holds back, and why.
        failed: Hears of each draft whose record could not be read, and why.
        counted: Hears of each lost confirm that turned out to have counted.
    """

    store: Store
    loop: SendLoop
    reader: Callable[[], Reader]
    clock: Clock
    pace: Pace
    allowed: int | None
    held: Callable[[Ready, str], None]
    failed: Callable[[Ready, str], None]
    counted: Callable[[Ready], None]
    _asked: int = field(default=0)

    def run(self, drafts: Sequence[Ready]) -> None:
        """Confirm what nothing speaks against."""
        for ready in drafts:
            if self.loop.halted:
                return
            self._confirm(ready)

    def _confirm(self, ready: Ready) -> None:
        row = self.store.request(ready.ref)
        if row is None or row.state is not RequestState.DRAFT or row.listing is None:
            return
        if why := objection(ready.batches[0].mailing, row.listing.subscribers, allowed=self.allowed):
            self.held(ready, why)
            return
        try:
            word = self._word(row.uuid)
        except ProviderError as error:
            self.failed(ready, f"its record can't be read before it is confirmed: {error.message}")
            return
        before = row.listing.draft_word
        if has_gone_out(word) and word.casefold() != before.casefold():
            self.held(ready, f"the provider shows it as {word} already, though nobody confirmed it here: was it confirmed in the cabinet?")
            return
        if word != before:
            self.store.note_draft(ready.ref, word)
        self.loop.run([ready])
        if self.allowed is not None:
            self.allowed -= ready.people
        self._look_again(ready, word)

    def _look_again(self, ready: Ready, draft_word: str) -> None:
        """After a lost answer: the record may show that the confirm counted."""
        row = self.store.request(ready.ref)
        if row is None or row.state is not RequestState.UNKNOWN:
            return
        try:
            word = self._word(row.uuid)
        except ProviderError:
            return  # it stays unknown; the next run asks again
        if reading(word, draft_word) is Reading.COUNTED:
            accept(self.store, row, word, self.clock)
            self.counted(ready)

    def _word(self, message_id: str) -> str:
        self.pace.wait()
        return self.reader().mailing(message_id).status


def accept(store: Store, row: RequestRow, word: str, clock: Clock) -> int:
    """A lost confirm counted: the provider's record reads otherwise than the draft did. Returns people."""
    reason = f"confirmed after all: the provider shows it as {word}"
    return store.resolve(row.ref, RequestState.ACCEPTED, reason=reason, at=clock.now())


def one_draft(plan: Plan, name: str) -> Plan:
    """The plan of confirming one draft; of a mailing that was sent, or is unknown, it has nothing to send.

    Raises:
        UsageError: There is no such mailing, or it goes to no list of the provider.
        RefusedError: No draft of it stands at the provider, or one of other content.
    """
    found = [(campaign, one) for campaign in plan.campaigns for one in campaign.mailings if str(one.mailing.key) == name]
    if not found:
        raise UsageError(f"no mailing {name!r} is sent here", next_command="campaignkit plan")
    [(campaign, one)] = found
    env = plan.environment.name
    if one.mailing.method != LIST:
        raise UsageError(f"{name} goes to no list of the provider: there is nothing to confirm", next_command="campaignkit plan")
    if one.draft is not None and one.draft.edited:
        raise RefusedError(f"{name}: the draft at the provider has other content than the file now. Nothing was sent. {plan.notes[-1]}")
    if one.counts.to_send and one.draft is None:
        again = f"campaignkit apply {campaign.campaign} --no-confirm --env {env}"
        raise RefusedError(f"{name}: no draft of it stands at the provider. Nothing was sent.", next_command=again)
    return replace(plan, campaigns=[replace(campaign, mailings=[one])], drafts=[])
