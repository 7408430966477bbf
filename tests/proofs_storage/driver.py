"""A campaign of each method, made, planned and applied by the real engine: what the proofs run, break and run again.

It is two bulk requests, a quick message, and a list mailing that is made and then confirmed.
"""

from __future__ import annotations

import json
import random
import secrets
from array import array
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from campaignkit.cli.holding import Holding
from campaignkit.engine.applier import Applied, ApplyJob, waiting
from campaignkit.engine.pace import Pace
from campaignkit.engine.planner import PlanJob
from campaignkit.engine.sending import Ready, StopFlag
from campaignkit.engine.settling import SettleJob
from campaignkit.engine.spool import Spool
from campaignkit.model.clock import SystemClock
from campaignkit.model.mailings import LIST, LIST_PHONE, QUICK, Mailing, MailingKey
from campaignkit.model.outcomes import SendResult
from campaignkit.model.settings import Environment, Project
from campaignkit.plans.plan import Plan
from campaignkit.protocol.messages import CampaignHead, Chunk, Done, Index, MailingHead
from campaignkit.provider.records import RecordClient
from campaignkit.provider.send import BulkSender
from campaignkit.states.lockfile import Pin, write_pins
from campaignkit.states.opening import create
from campaignkit.states.spills import Spilled
from campaignkit.states.store import Store
from tests.fakes.front import PlayedFront, ended, listed
from tests.fakes.front import people as recipients

ENVIRONMENT = "live"
STATE = "state/live.db"
LINEAGE = "f1e2d3c4b5a69788"
PEOPLE = tuple(range(375_291_111_111, 375_291_111_115))
BATCH = 2
"""People of a bulk request: four people are two requests."""
QUICK_PHONE = 375_291_111_119
DRAFTED, CONFIRMED = -1, LIST_PHONE
"""Stand for the people of a list that was made, and of one that was confirmed: neither may happen twice."""
EVERYBODY = (*PEOPLE, QUICK_PHONE, CONFIRMED)
BETWEEN = timedelta(hours=1)
"""What passes between two runs: enough for the fence after which a confirm that did not count is repeated."""

_PATH = "campaigns/spring.yaml"
_BULK = Mailing(
    key=MailingKey("spring", 1, "invitation"), path=_PATH, line=5, message_type="bulk", content_type="text", alphaname_id="444",
    schedule_wire="", schedule_utc=None, schedule_shown="", content={"type": "text", "text": "Hi"}, definition="definition",
)  # fmt: skip
_QUICK = replace(
    _BULK, key=MailingKey("spring", 1, "code"), method=QUICK, message_type="personal", content={"type": "text"}, vibername_id="12"
)
_LIST = replace(_BULK, key=MailingKey("spring", 1, "news"), method=LIST, message_type="", vibername_id="12", list_id="77")
_HEAD = CampaignHead(
    path=_PATH, campaign="spring", lifecycle="active", revision=1, moved_from="", accept_resend=None, digest="digest",
    mailings=tuple(MailingHead(name=one.key.mailing, revision=1, line=5, moved_from="") for one in (_BULK, _QUICK, _LIST)),
)  # fmt: skip


class Hasty(SystemClock):
    """The machine's clock, or so much ahead of it; waits between attempts are skipped."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """The present of the run."""
        return super().now() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Do not wait."""


def environment(url: str) -> Environment:
    """The environment at a provider, without a pace."""
    return Environment(name=ENVIRONMENT, base_url=url, state=STATE, rate=0.0, connect_timeout=5.0, deadline=5.0)


def holding(root: Path, url: str, ahead: timedelta = timedelta()) -> Holding:
    """The project at `root`, as the commands hold it."""
    return Holding(root, environment(url), clock=Hasty(ahead))


def init(root: Path, url: str) -> None:
    """What `state init` does."""
    create(root / STATE, environment=ENVIRONMENT, origin=url, lineage=LINEAGE, at=datetime.now(UTC))
    write_pins(root, {ENVIRONMENT: Pin(lineage=LINEAGE, origin=url)})


def plan_job(url: str, store: Store, people: Sequence[int], spool: Spool) -> PlanJob:
    """A plan of these people, the quick message and the list, against a state."""
    where = environment(url)
    project = Project(
        default_environment=ENVIRONMENT, environments={ENVIRONMENT: where}, timezone="Europe/Minsk", price=None, batch_size=BATCH,
        first_batch=BATCH, batches_per_request=1, settings_digests={ENVIRONMENT: "settings"},
    )  # fmt: skip
    front = PlayedFront(
        _BULK, recipients(people), ended(len(people)), _QUICK, _quick(), ended(1), _LIST, listed(), ended(1), Done(suppressions="")
    )  # fmt: skip
    return PlanJob(
        front=front.as_front(), project=project, environment=where, index=Index(campaigns=(_HEAD,)), heads=(_HEAD,),
        reader=store, now=datetime.now(UTC), spool=spool,
    )  # fmt: skip


def _quick() -> Chunk:
    """The one recipient of the quick message."""
    chunk = recipients([QUICK_PHONE])
    element = json.dumps({"phone": str(QUICK_PHONE), "text": "Hi"}).encode()
    return Chunk(chunk.phones, chunk.fingerprints, array("I", [len(element)]), element)


def apply(root: Path, url: str, token: str, people: Sequence[int] = PEOPLE, ahead: timedelta = timedelta()) -> Applied | None:
    """What `apply --auto-approve` does, from the lock to the end of the run; None if nobody is to be sent to."""
    held = holding(root, url, ahead)
    where = held.environment
    records = RecordClient(
        url, token, token_in="documented", connect_timeout=where.connect_timeout, read_timeout=where.deadline, sleep=held.clock.sleep
    )
    with Spool() as spool, held.locked_store("apply") as store, held.spill_file(store) as spills, records as reader:
        store.recover(held.clock.now())
        pace = Pace(where.rate, held.clock)
        SettleJob(store=store, reader=lambda: reader, clock=held.clock, pace=pace, environment=where).run()
        job = plan_job(url, store, people, spool)
        plan = job.run()
        if not plan.counts.to_send:
            return None

        def spill(ready: Ready, attempt: int, result: SendResult) -> None:
            spills.keep(Spilled(ref=ready.ref, attempt=attempt, result=result, at=held.clock.now()))

        sender = BulkSender(url, token, connect_timeout=where.connect_timeout, deadline=where.deadline, policy=where.provider)
        return ApplyJob(
            plan=plan, batches=job.batches, spool=spool, store=store, sender=sender, clock=held.clock, entropy=secrets.token_bytes,
            chance=random.Random(1), token=token, stop=StopFlag(), tell=lambda _sent: None, spill=spill,
            claimed=lambda: held.remember(store), reader=lambda: reader,
        ).run()  # fmt: skip


def summary(root: Path, url: str, token: str, people: Sequence[int] = PEOPLE, ahead: timedelta = timedelta()) -> dict[str, object]:
    """`apply`, told in plain values: its closing record, and why the state broke if it did."""
    applied = apply(root, url, token, people, ahead)
    return {"sent": False} if applied is None else {"sent": True, "broken": applied.broken} | applied.summary()


def would_send(root: Path, url: str, people: Sequence[int]) -> list[int]:
    """Whom the next run would send to: recover and plan, but ask and send nothing.

    Raises:
        StateError: The state is refused.
    """
    held = holding(root, url)
    with Spool() as spool, held.locked_store("apply") as store:
        store.recover(held.clock.now())
        job = plan_job(url, store, people, spool)
        return _chosen(job.run(), job, spool)


def _chosen(plan: Plan, job: PlanJob, spool: Spool) -> list[int]:
    chosen = array("q", [CONFIRMED] * len(waiting(plan)))
    for batch in job.batches:
        chosen.frombytes(spool.read(batch.phones))
        if batch.mailing.method == LIST:  # what is made now is confirmed at once
            chosen.append(DRAFTED)
    return list(chosen)
