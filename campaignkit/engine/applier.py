"""Apply: exactly the reviewed plan, claimed in one transaction, sent request by request, everyone accounted for."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from campaignkit.engine.pace import Pace
from campaignkit.engine.packing import PackedBatch, requests
from campaignkit.engine.sending import LOCK_LOST, Ready, SendLoop, Sent, StopFlag
from campaignkit.engine.spool import Spool
from campaignkit.engine.stop_rules import StopWatch
from campaignkit.errors import LockedError, SpoolError, StateError
from campaignkit.model.clock import Clock
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.plans.plan import Plan
from campaignkit.provider.port import Sender
from campaignkit.states.records import PlannedBatch, PlannedRequest
from campaignkit.states.store import ClaimConflictError, Store
from campaignkit.wire.bulk import encode_batch, encode_request
from campaignkit.wire.callbacks import SECRET_BYTES, callback_address, new_secret, secret_hash
from campaignkit.wire.names import batch_name, new_tag

TAG_BYTES = 17
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
    stopped: str = ""
    interrupted: bool = False
    broken: str = ""
    """Why the state, or the file of rendered messages, failed; people whose outcome it could not take are unknown."""
    reasons: Counter[str] = field(default_factory=Counter)
    unknown_requests: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, int | str]:
        """The closing record of the contract."""
        names = ("accepted", "rejected", "throttled", "not_sent", "unknown", "requests")
        return {"type": "summary"} | {name: getattr(self, name) for name in names}


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
    applied: Applied = field(default_factory=Applied)

    def run(self) -> Applied:
        """Claim, send, record.

        Raises:
            LockedError: Somebody else claimed one of these people meanwhile, or took the lock away; nothing was sent.
        """
        if not self.still_ours():
            raise LockedError(f"{LOCK_LOST}. Nothing was sent by this run.", next_command="campaignkit plan")
        run_id = self.store.begin_run(command="apply", digest=self.plan.digest, at=self.clock.now())
        named = list(self._named())
        try:
            refs = self.store.write_plan(run_id, self._planned(named), self.clock.now())
        except ClaimConflictError:
            message = "another run claimed some of these people meanwhile. Nothing was sent by this run."
            raise LockedError(message, next_command="campaignkit plan") from None
        self.claimed()
        ready = [Ready(ref, *one) for ref, one in zip(refs, named, strict=True)]
        environment = self.plan.environment
        loop = SendLoop(
            store=self.store,
            sender=self.sender,
            clock=self.clock,
            chance=self.chance,
            pace=Pace(environment.rate, self.clock),
            in_flight=environment.in_flight,
            watch=StopWatch(environment.stop_rules),
            stop=self.stop,
            still_ours=self.still_ours,
            body=self._body,
            tell=self._count,
            spill=self.spill,
        )
        try:
            loop.run(ready)
        except KeyboardInterrupt:
            self.stop.requested = True
        except (SpoolError, StateError) as error:
            self.applied.broken = error.message
        self._close(run_id, loop)
        return self.applied

    def _close(self, run_id: int, loop: SendLoop) -> None:
        """Whatever ended the run: everyone is counted, and what was begun and not recorded is unknown."""
        applied = self.applied
        applied.unknown += sum(loop.in_doubt.values())
        applied.unknown_requests += list(loop.in_doubt)
        reached = applied.accepted + applied.rejected + applied.throttled + applied.unknown
        applied.not_sent = sum(batch.count for batch in self.batches) - reached
        applied.stopped, applied.interrupted = loop.stopped, self.stop.requested
        try:
            # Without the lock another run may be under way, and what it has begun is not ours to settle.
            if loop.in_doubt and self.still_ours():
                self.store.recover(self.clock.now())
            self.store.dissolve(run_id, self.clock.now())
            self.store.end_run(run_id, summary=json.dumps(applied.summary()), at=self.clock.now())
        except StateError as error:  # the next run finds the intents, and counts them as unknown
            applied.broken = applied.broken or error.message

    def _count(self, sent: Sent) -> None:
        outcome, people = sent.result.outcome, sent.ready.people
        setattr(self.applied, outcome, getattr(self.applied, outcome) + people)
        self.applied.requests += 1
        if outcome is Outcome.UNKNOWN:
            self.applied.unknown_requests.append(sent.ready.ref)
        if outcome is not Outcome.ACCEPTED:
            self.applied.reasons[sent.result.reason] += people
        self.tell(sent)

    def _named(self) -> Iterator[_Named]:
        of = Counter(batch.mailing.key for batch in self.batches)
        for group in requests(self.batches, self.plan.batches_per_request):
            tags = tuple(new_tag(self.entropy(TAG_BYTES)) for _ in group)
            names = tuple(
                batch_name(batch.mailing.key.campaign, batch.mailing.key.mailing, batch.number, of[batch.mailing.key], tag)
                for batch, tag in zip(group, tags, strict=True)
            )
            secret = new_secret(self.entropy(SECRET_BYTES)) if self.plan.environment.callback_url else ""
            yield group, tags, names, secret

    def _planned(self, named: Sequence[_Named]) -> Iterator[PlannedRequest]:
        for batches, tags, names, secret in named:
            yield PlannedRequest(
                batches=tuple(self._planned_batch(*three) for three in zip(batches, tags, names, strict=True)),
                callback=secret_hash(secret) if secret else b"",
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

    def _body(self, ready: Ready) -> bytes:
        url = self.plan.environment.callback_url
        return encode_request(
            [encoded(batch, name, self.spool) for batch, name in zip(ready.batches, ready.names, strict=True)],
            token=self.token,
            callback_url=callback_address(url, ready.callback_secret) if url else None,
        )


def encoded(batch: PackedBatch, name: str, spool: Spool) -> bytes:
    """A packed batch as one element of `messages[]`."""
    mailing = batch.mailing
    return encode_batch(
        alphaname_id=mailing.alphaname_id,
        name=name,
        message_type=mailing.message_type,
        schedule_time=mailing.schedule_wire,
        content=mailing.content,
        elements=spool.read(batch.elements),
    )
