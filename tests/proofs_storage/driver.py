"""A campaign of two requests, made, planned and applied by the real engine: what the proofs run, break and run again."""

from __future__ import annotations

import random
import secrets
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from campaignkit.cli.holding import Holding
from campaignkit.engine.applier import Applied, ApplyJob
from campaignkit.engine.planner import PlanJob
from campaignkit.engine.sending import Ready, StopFlag
from campaignkit.engine.spool import Spool
from campaignkit.model.clock import SystemClock
from campaignkit.model.mailings import Mailing, MailingKey
from campaignkit.model.outcomes import SendResult
from campaignkit.model.settings import Environment, Project
from campaignkit.protocol.messages import CampaignHead, Done, Index, MailingHead
from campaignkit.provider.send import BulkSender
from campaignkit.states.lockfile import Pin, write_pins
from campaignkit.states.opening import create
from campaignkit.states.spills import Spilled
from campaignkit.states.store import Store
from tests.fakes.front import PlayedFront, ended
from tests.fakes.front import people as recipients

ENVIRONMENT = "live"
STATE = "state/live.db"
LINEAGE = "f1e2d3c4b5a69788"
PEOPLE = tuple(range(375_291_111_111, 375_291_111_115))
BATCH = 2
"""People of a request: four people are two requests."""

_KEY = MailingKey("spring", 1, "invitation")
_PATH = "campaigns/spring.yaml"
_HEAD = CampaignHead(
    path=_PATH, campaign=_KEY.campaign, lifecycle="active", revision=1, moved_from="", accept_resend=None, digest="digest",
    mailings=(MailingHead(name=_KEY.mailing, revision=1, line=5, moved_from=""),),
)  # fmt: skip
_MAILING = Mailing(
    key=_KEY, path=_PATH, line=5, message_type="bulk", content_type="text", alphaname_id="444", schedule_wire="",
    schedule_utc=None, schedule_shown="", content={"type": "text", "text": "Hi"}, definition="definition",
)  # fmt: skip


class Hasty(SystemClock):
    """The machine's clock; waits between attempts are skipped."""

    def sleep(self, seconds: float) -> None:
        """Do not wait."""


def environment(url: str) -> Environment:
    """The environment at a provider, without a pace."""
    return Environment(name=ENVIRONMENT, base_url=url, state=STATE, rate=0.0, connect_timeout=5.0, deadline=5.0)


def holding(root: Path, url: str) -> Holding:
    """The project at `root`, as the commands hold it."""
    return Holding(root, environment(url), clock=Hasty())


def init(root: Path, url: str) -> None:
    """What `state init` does."""
    create(root / STATE, environment=ENVIRONMENT, origin=url, lineage=LINEAGE, at=datetime.now(UTC))
    write_pins(root, {ENVIRONMENT: Pin(lineage=LINEAGE, origin=url)})


def plan_job(url: str, store: Store, people: Sequence[int], spool: Spool) -> PlanJob:
    """A plan of these people against a state."""
    where = environment(url)
    project = Project(
        default_environment=ENVIRONMENT, environments={ENVIRONMENT: where}, timezone="Europe/Minsk", price=None, batch_size=BATCH,
        first_batch=BATCH, batches_per_request=1, settings_digests={ENVIRONMENT: "settings"},
    )  # fmt: skip
    front = PlayedFront(_MAILING, recipients(people), ended(len(people)), Done(suppressions=""))
    return PlanJob(
        front=front.as_front(), project=project, environment=where, index=Index(campaigns=(_HEAD,)), heads=(_HEAD,),
        reader=store, now=datetime.now(UTC), spool=spool,
    )  # fmt: skip


def apply(root: Path, url: str, token: str, people: Sequence[int] = PEOPLE) -> Applied | None:
    """What `apply --auto-approve` does, from the lock to the end of the run; None if nobody is to be sent to."""
    held = holding(root, url)
    where = held.environment
    with Spool() as spool, held.locked_store("apply") as store, held.spill_file(store) as spills:
        store.recover(held.clock.now())
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
            claimed=lambda: held.remember(store),
        ).run()  # fmt: skip


def summary(root: Path, url: str, token: str, people: Sequence[int] = PEOPLE) -> dict[str, object]:
    """`apply`, told in plain values: its closing record, and why the state broke if it did."""
    applied = apply(root, url, token, people)
    return {"sent": False} if applied is None else {"sent": True, "broken": applied.broken} | applied.summary()


def would_send(root: Path, url: str, people: Sequence[int]) -> list[int]:
    """Whom the next run would send to: recover and plan, but send nothing.

    Raises:
        StateError: The state is refused.
    """
    held = holding(root, url)
    with Spool() as spool, held.locked_store("apply") as store:
        store.recover(held.clock.now())
        job = plan_job(url, store, people, spool)
        job.run()
        chosen = array("q")
        for batch in job.batches:
            chosen.frombytes(spool.read(batch.phones))
        return list(chosen)
