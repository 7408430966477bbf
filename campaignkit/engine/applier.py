"""Apply: exactly the reviewed plan, claimed in one transaction, sent request by request, everyone accounted for."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from campaignkit.engine.calls import Calls
from campaignkit.engine.confirming import ConfirmJob
from campaignkit.engine.pace import Pace
from campaignkit.engine.packing import PackedBatch, requests
from campaignkit.engine.sending import LOCK_LOST, Ready, SendLoop, Sent, StopFlag
from campaignkit.engine.spool import Spool, Stretch
from campaignkit.engine.stop_rules import StopWatch
from campaignkit.errors import LockedError, SpoolError, StateError
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import BULK, LIST
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.plans.plan import Draft, MailingPlan, Plan
from campaignkit.provider.port import Reader, Sender
from campaignkit.states.records import PlannedBatch, PlannedRequest, Step
from campaignkit.states.store import ClaimConflictError, Store
from campaignkit.wire.callbacks import SECRET_BYTES, new_secret, secret_hash
from campaignkit.wire.names import TAG_BYTES, batch_name, new_tag

_Named = tuple[tuple[PackedBatch, ...], tuple[str, ...], tuple[str, ...], str]
"""The batches of a request, their tags, their names, and its callback secret."""


@dataclass(slots=True, kw_only=True)
class Applied:
    """What an apply came to: people by outcome, and requests that were tried.

    `not_sent` also counts people whose request was never tried; `reasons` are the provider's and our words, counted.
    """

    accepted: int = 0
    rejected: int = 0
    throttled: int = 0
    not_sent: int = 0
    unknown: int = 0
    requests: int = 0
    drafts: int = 0
    """List mailings made and left for somebody to confirm."""
    held: list[str] = field(default_factory=list)
    """Drafts that a limit kept from being confirmed, each with the reason."""
    held_people: int = 0
    waiting: list[str] = field(default_factory=list)
    """Drafts that wait for somebody to confirm them, as CAMPAIGN/MAILING."""
    standing: list[str] = field(default_factory=list)
    """Drafts that the run ended before confirming, each with its request: the next one goes on with them."""
    stopped: str = ""
    interrupted: bool = False
    broken: str = ""
    """Why the state, or the file of rendered messages, failed; people whose outcome it could not take are unknown."""
    left: dict[str, int] = field(default_factory=dict)
    """Requests that have not come to an end, with their people."""
    reasons: Counter[str] = field(default_factory=Counter)
    unknown_requests: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, int | str]:
        """The closing record of the contract."""
        names = ("accepted", "rejected", "throttled", "not_sent", "unknown", "requests")
        drafts: dict[str, int | str] = {"drafts": self.drafts} if self.drafts else {}
        return {"type": "summary"} | {name: getattr(self, name) for name in names} | drafts


@dataclass(slots=True, kw_only=True)
class ApplyJob:
    """Sends one plan.

    Args:
        plan: What was approved.
        batches: Its packed batches, in the spool.
        spool: The rendered bytes.
        store: The state, open for writing, its lock held.
        sender: The provider.
        clock: Time.
        entropy: Random bytes for tags and callback addresses.
        chance: Jitter of waits.
        token: Goes into the body, where the API's sample has it.
        stop: Raised when the operator interrupts.
        tell: Hears of each request that ended.
        spill: Keeps what became of an attempt (by number) where the state could not take it.
        claimed: Done once everybody is claimed, before anything is sent.
        still_ours: Whether the lock is still held; nothing new begins once it is not.
        confirm: Whether list mailings are confirmed, too, or left as drafts.
        reader: The provider's records, for those; asked for when there is one.
        allowed: How many people the limits allow this run to message; None for any.
        command: What the history calls it.
    """

    plan: Plan
    batches: Sequence[PackedBatch]
    spool: Spool
    store: Store
    sender: Sender
    clock: Clock
    entropy: Callable[[int], bytes]
    chance: random.Random
    token: str
    stop: StopFlag
    tell: Callable[[Sent], None]
    spill: Callable[[Ready, int, SendResult], None]
    claimed: Callable[[], None] = lambda: None
    still_ours: Callable[[], bool] = lambda: True
    confirm: bool = True
    reader: Callable[[], Reader] | None = None
    allowed: int | None = None
    command: str = "apply"
    _drafts: list[Ready] = field(default_factory=list)
    applied: Applied = field(default_factory=Applied)
    _made: set[str] = field(default_factory=set)
    _lost: dict[str, str] = field(default_factory=dict)
    """Requests whose outcome is unknown, each with the reason."""

    def run(self) -> Applied:
        """Claim, send, record.

        Raises:
            LockedError: Somebody else claimed one of these people meanwhile, or took the lock away; nothing was sent.
        """
        if not self.still_ours():
            raise LockedError(f"{LOCK_LOST}. Nothing was sent by this run.", next_command="campaignkit plan")
        run_id = self.store.begin_run(command=self.command, digest=self.plan.digest, at=self.clock.now())
        named = list(self._named())
        try:
            refs = self.store.write_plan(run_id, self._planned(named), self.clock.now())
        except ClaimConflictError:
            message = "another run claimed some of these people meanwhile. Nothing was sent by this run."
            raise LockedError(message, next_command="campaignkit plan") from None
        self.claimed()
        ready = [Ready(ref, *one, step=_step(one[0])) for ref, one in zip(refs, named, strict=True)]
        self._drafts = [_draft(one, draft) for one, draft in waiting(self.plan)] if self.confirm else []
        self.applied.left = {one.ref: one.people for one in (*ready, *self._drafts)}
        environment = self.plan.environment
        calls = Calls(sender=self.sender, spool=self.spool, token=self.token, callback_url=environment.callback_url)
        pace = Pace(environment.rate, self.clock)
        loop = SendLoop(
            store=self.store,
            call=calls.of,
            clock=self.clock,
            chance=self.chance,
            pace=pace,
            in_flight=environment.in_flight,
            watch=StopWatch(environment.stop_rules),
            stop=self.stop,
            still_ours=self.still_ours,
            tell=self._count,
            spill=self.spill,
        )
        try:
            loop.run(ready)
            self._confirm(loop, pace)
        except KeyboardInterrupt:
            self.stop.requested = True
        except (SpoolError, StateError) as error:
            self.applied.broken = error.message
        self._close(run_id, loop)
        return self.applied

    def _confirm(self, loop: SendLoop, pace: Pace) -> None:
        """The drafts of this run, and those that earlier ones left."""
        if not self._drafts or self.reader is None:
            return
        others = sum(one.reach for campaign in self.plan.campaigns for one in campaign.mailings if one.mailing.method != LIST)
        ConfirmJob(
            store=self.store,
            loop=loop,
            reader=self.reader,
            clock=self.clock,
            pace=pace,
            allowed=None if self.allowed is None else self.allowed - others,
            held=self._held,
            failed=self._unread,
            counted=self._counted,
        ).run(self._drafts)

    def _held(self, ready: Ready, why: str) -> None:
        key = str(ready.batches[0].mailing.key)
        self.applied.held.append(f"{key} ({ready.ref}): {why}")
        self.applied.held_people += ready.people
        self.applied.waiting.append(key)

    def _unread(self, ready: Ready, why: str) -> None:
        self.applied.reasons[f"{ready.batches[0].mailing.key} ({ready.ref}): {why}"] += ready.people

    def _counted(self, ready: Ready) -> None:
        """A lost confirm counted after all: nothing is left to be said of its loss."""
        applied = self.applied
        applied.reasons -= Counter({self._lost.pop(ready.ref): ready.people})
        applied.unknown -= ready.people
        applied.accepted += ready.people
        applied.unknown_requests.remove(ready.ref)

    def _close(self, run_id: int, loop: SendLoop) -> None:
        """Whatever ended the run: everyone is counted, and what was begun and not recorded is unknown."""
        applied = self.applied
        applied.unknown += sum(loop.in_doubt.values())
        applied.unknown_requests += list(loop.in_doubt)
        applied.not_sent += sum(people for ref, people in applied.left.items() if ref not in loop.in_doubt)
        applied.standing = [f"{key} ({one.ref})" for one in self._drafts if (key := self._stands(one, loop))]
        applied.stopped, applied.interrupted = loop.stopped, self.stop.requested
        try:
            # Without the lock another run may be under way, and what it has begun is not ours to settle.
            if loop.in_doubt and self.still_ours():
                self.store.recover(self.clock.now())
            self.store.dissolve(run_id, self.clock.now())
            self.store.end_run(run_id, summary=json.dumps(applied.summary()), at=self.clock.now())
        except StateError as error:  # the next run finds the intents, and counts them as unknown
            applied.broken = applied.broken or error.message

    def _stands(self, draft: Ready, loop: SendLoop) -> str:
        """The mailing of a draft that nobody came to confirm; nothing where a limit holds it back, which was said already."""
        key = str(draft.batches[0].mailing.key)
        return key if draft.ref in self.applied.left and draft.ref not in loop.in_doubt and key not in self.applied.waiting else ""

    def _count(self, sent: Sent) -> None:
        outcome, people = sent.result.outcome, sent.ready.people
        self.applied.left.pop(sent.ready.ref, None)
        # A list mailing is one request of two calls.
        self.applied.requests += sent.ready.step is not Step.CONFIRM or sent.ready.ref not in self._made
        if sent.ready.step is Step.CREATE and outcome is Outcome.ACCEPTED:
            self._keep_draft(sent)
            return
        setattr(self.applied, outcome, getattr(self.applied, outcome) + people)
        if outcome is Outcome.UNKNOWN:
            self.applied.unknown_requests.append(sent.ready.ref)
            self._lost[sent.ready.ref] = sent.result.reason
        if outcome is not Outcome.ACCEPTED:
            self.applied.reasons[sent.result.reason] += people
        self.tell(sent)

    def _keep_draft(self, sent: Sent) -> None:
        """A draft was made: the next step is to confirm it, or somebody else's."""
        draft = replace(sent.ready, step=Step.CONFIRM, message_id=sent.result.uuid, subscribers=sent.result.count or 1)
        self._made.add(draft.ref)
        if self.confirm:
            self._drafts.append(draft)
            self.applied.left[draft.ref] = draft.people
        else:
            self.applied.drafts += 1
            self.applied.waiting.append(str(draft.batches[0].mailing.key))
        self.tell(sent)

    def _named(self) -> Iterator[_Named]:
        of = Counter(batch.mailing.key for batch in self.batches)
        for group in requests(self.batches, self.plan.batches_per_request):
            tags = tuple(new_tag(self.entropy(TAG_BYTES)) for _ in group)
            names = tuple(
                batch_name(batch.mailing.key.campaign, batch.mailing.key.mailing, batch.number, of[batch.mailing.key], tag)
                for batch, tag in zip(group, tags, strict=True)
            )
            wanted = self.plan.environment.callback_url and group[0].mailing.method == BULK
            secret = new_secret(self.entropy(SECRET_BYTES)) if wanted else ""
            yield group, tags, names, secret

    def _planned(self, named: Sequence[_Named]) -> Iterator[PlannedRequest]:
        for batches, tags, names, secret in named:
            yield PlannedRequest(
                batches=tuple(self._planned_batch(*three) for three in zip(batches, tags, names, strict=True)),
                callback=secret_hash(secret) if secret else b"",
                method=batches[0].mailing.method,
            )

    def _planned_batch(self, batch: PackedBatch, tag: str, name: str) -> PlannedBatch:
        mailing = batch.mailing
        return PlannedBatch(
            key=mailing.key,
            path=mailing.path,
            line=mailing.line,
            definition=mailing.definition,
            tag=tag,
            name=name,
            phones=self.spool.read(batch.phones),
            fingerprints=self.spool.read(batch.fingerprints),
            schedule_utc=mailing.schedule_utc,
        )


def waiting(plan: Plan) -> list[tuple[MailingPlan, Draft]]:
    """The list mailings of a plan that stand at the provider, and only wait to be confirmed."""
    mailings = [one for campaign in plan.campaigns for one in campaign.mailings]
    return [(one, one.draft) for one in mailings if one.draft and not one.draft.edited and one.counts.to_send]


def _draft(one: MailingPlan, draft: Draft) -> Ready:
    """What confirms it. There are no bytes of it any more, and none are needed."""
    nothing = Stretch(0, 0)
    batch = PackedBatch(mailing=one.mailing, number=1, count=1, phones=nothing, fingerprints=nothing, elements=nothing, canary=True)
    return Ready(
        draft.request, (batch,), (draft.tag,), ("",),
        step=Step.CONFIRM, message_id=draft.message_id, subscribers=draft.subscribers or 1,
    )  # fmt: skip


def _step(batches: Sequence[PackedBatch]) -> Step:
    return Step.CREATE if batches[0].mailing.method == LIST else Step.ONLY
