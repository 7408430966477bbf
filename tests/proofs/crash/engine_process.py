"""One process that applies: the real planner, engine, store, sender and lock, in the order of the apply command.

Only the front child is played, since it reads files and decides nothing.
"""

from __future__ import annotations

import json
import os
import random
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from campaignkit.cli.exit_codes import ExitCode, code_of, worst
from campaignkit.engine.applier import Applied, ApplyJob, waiting
from campaignkit.engine.history import moves
from campaignkit.engine.overview import left_open
from campaignkit.engine.pace import Pace
from campaignkit.engine.planner import PlanJob
from campaignkit.engine.sending import Ready, StopFlag
from campaignkit.engine.settling import SettleJob
from campaignkit.engine.spool import Spool
from campaignkit.engine.taking_in import take_in
from campaignkit.errors import CampaignKitError
from campaignkit.intake.talk import Word
from campaignkit.model.mailings import BULK, LIST, QUICK, Mailing, MailingKey
from campaignkit.model.outcomes import SendResult
from campaignkit.model.settings import Environment, Project, ProviderBehaviour, StopRules
from campaignkit.plans.gates import check
from campaignkit.plans.plan import Plan
from campaignkit.protocol.messages import LIST_ELEMENT, CampaignHead, Chunk, Done, Index, MailingHead
from campaignkit.provider.records import RecordClient
from campaignkit.provider.send import BulkSender
from campaignkit.states.lock import StateLock
from campaignkit.states.opening import open_store
from campaignkit.states.spills import Spilled, SpillFile
from campaignkit.states.store import Store
from tests.fakes.front import PlayedFront, ended, people
from tests.proofs.crash.evidence import owner_bytes
from tests.proofs.crash.failpoints import Points
from tests.proofs.crash.histories import CAMPAIGN, Files, MailingFile
from tests.proofs.crash.watching import watch_database, watch_network, watched_store

ENVIRONMENT = "live"
ORIGIN = "https://app.sms.by"
LINEAGE = "0123456789abcdef"
TOKEN = "canary-token-eyJpdiI6IjJzOFl"
DEADLINE = 0.3
"""Seconds: the provider's slow answers come well within, its silent ones never."""
PATIENCE = 20.0
"""Seconds, in a faultless run: there a machine that is busy must not count as a provider that is silent."""


BETWEEN = timedelta(hours=1)
"""What passes between two runs: enough for every fence. A provider's record that lags longer than that would fool anybody."""


class QuickClock:
    """The machine's clock, but nobody waits long: the pauses between tries are not what is proved here.

    Args:
        run: Which run it is: each begins an hour after the one before.
    """

    def __init__(self, run: int) -> None:
        self._ahead = run * BETWEEN

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.001))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a process works: the state's file, the provider's URL and seconds for it, and which process of which run it is.

    `confirm`: whether it confirms drafts.
    """

    state: Path
    url: str
    run: int
    process: int
    locked: bool
    deadline: float = DEADLINE
    confirm: bool = True

    @property
    def token(self) -> str:
        """Tells the provider's log who sent something that has no tag on the wire."""
        return f"{TOKEN}-{self.run}-{self.process}"


def _front(files: Files) -> PlayedFront:
    """Says what the front child would say of these files."""
    words: list[Word] = []
    for line, one in enumerate(files.mailings, 5):
        words += [_mailing(one, line), _people(one), ended(len(one.phones), audience=f"{one.phones}")]
    return PlayedFront(*words, Done(suppressions=""))


def _people(one: MailingFile) -> Chunk:
    """A mailing's recipients; the text of a quick message begins with the mailing's name, as nothing else names it on the wire."""
    chunk = people(one.phones, one.text)
    if one.method == BULK:
        return chunk
    text = f"{CAMPAIGN}/{one.name} {one.text}"
    personal = [json.dumps({"phone": str(phone), "text": text}).encode() for phone in one.phones]
    elements = [LIST_ELEMENT] if one.method == LIST else personal
    return Chunk(chunk.phones, chunk.fingerprints, array("I", map(len, elements)), b"".join(elements))


def heads(files: Files) -> tuple[CampaignHead, ...]:
    """The campaign's head as the index has it."""
    mailings = tuple(MailingHead(name=one.name, revision=1, line=5, moved_from=one.moved_from) for one in files.mailings)
    return (
        CampaignHead(
            path=f"campaigns/{CAMPAIGN}.yaml", campaign=CAMPAIGN, lifecycle="active", revision=1, moved_from="", accept_resend=None,
            digest="d", mailings=mailings,
        ),
    )  # fmt: skip


def settings(files: Files) -> tuple[Project, Environment]:
    """The project's settings, without a pace."""
    rules = StopRules() if files.stop_rules else StopRules(unknown_in_first=0, unknowns=0, throttles=0, refusals=0)
    environment = Environment(
        name=ENVIRONMENT, base_url=ORIGIN, state="s.db", rate=0.0, in_flight=files.in_flight, deadline=DEADLINE, stop_rules=rules,
        provider=ProviderBehaviour(drafts_are_inert=files.inert),
    )  # fmt: skip
    project = Project(
        default_environment=ENVIRONMENT, environments={ENVIRONMENT: environment}, timezone="Europe/Minsk", price=None,
        batch_size=files.batch_size, first_batch=files.first_batch, batches_per_request=files.batches_per_request,
        settings_digests={ENVIRONMENT: "s"},
    )  # fmt: skip
    return project, environment


def apply(place: Place, files: Files, points: Points) -> int:
    """One apply from the lock to the receipt; returns its exit code."""
    watch_database(points)
    watch_network(points)
    lock = StateLock(place.state)
    try:
        if place.locked:
            lock.acquire(timeout=0.0, command="apply")
            points.hit("lock.acquired")
        try:
            store = watched_store(open_state(place.state), points)
            try:
                with Spool() as spool:
                    return _under_lock(place, files, store, spool, points)
            finally:
                store.close()
        finally:
            lock.release()
            points.hit("lock.released")
    except CampaignKitError as error:
        return int(code_of(error))


def open_state(path: Path) -> Store:
    """The state of a history, for changing."""
    return open_store(path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE)


def _under_lock(place: Place, files: Files, store: Store, spool: Spool, points: Points) -> int:
    clock = QuickClock(place.run)
    take_in(store, elsewhere=None, clock=clock, tell=lambda _words: None)
    store.recover(clock.now())
    project, environment = settings(files)
    with records(place) as reader:
        SettleJob(store=store, reader=lambda: reader, clock=clock, pace=Pace(0.0, clock), environment=environment).run()
        if environment.provider.drafts_are_inert:
            store.discard_drafts(clock.now())
        index = Index(campaigns=heads(files))
        job = PlanJob(
            front=_front(files).as_front(), project=project, environment=environment, index=index, heads=index.campaigns,
            reader=store, now=clock.now(), spool=spool,
        )  # fmt: skip
        plan = job.run()
        check(plan, {}, "campaignkit apply")
        points.hit("planned")
        if not plan.counts.to_send - (0 if place.confirm else len(waiting(plan))):
            return _code(store, plan, Applied())
        _carry_over(store, index, clock)
        sender = BulkSender(
            place.url, place.token, connect_timeout=place.deadline, deadline=place.deadline, policy=environment.provider
        )  # fmt: skip
        with SpillFile(Path(store.info().path), lineage=LINEAGE, run=os.urandom(4).hex(), elsewhere=None) as spills:

            def spill(ready: Ready, attempt: int, result: SendResult) -> None:
                spills.keep(Spilled(ref=ready.ref, attempt=attempt, result=result, at=clock.now()))

            applied = ApplyJob(
                plan=plan, batches=job.batches, spool=spool, store=store, sender=sender, clock=clock,
                entropy=lambda count: owner_bytes(place.run, place.process) + os.urandom(count - 2), chance=random.Random(),
                token=place.token, stop=StopFlag(), tell=lambda _sent: points.hit("told"), spill=spill, confirm=place.confirm,
                reader=lambda: reader,
            ).run()  # fmt: skip
        return _code(store, plan, applied)


@contextmanager
def records(place: Place) -> Iterator[RecordClient]:
    """The provider's records, as a process asks for them."""
    with RecordClient(
        place.url, place.token, token_in="documented", connect_timeout=place.deadline, read_timeout=place.deadline,
        sleep=lambda _seconds: None,
    ) as reader:  # fmt: skip
        yield reader


def _carry_over(store: Store, index: Index, clock: QuickClock) -> None:
    for head in index.campaigns:
        for name, olds in moves(head).items():
            for old in olds:
                store.carry_over(old, MailingKey(head.campaign, head.revision, name), clock.now())


def _code(store: Store, plan: Plan, done: Applied) -> int:
    unknown, refused = left_open(store, [CAMPAIGN])
    code = worst(
        unknown=bool(max(unknown, done.unknown, plan.counts.unknown)),
        interrupted=done.interrupted,
        rejected=bool(done.rejected or refused or plan.counts.rejected),
        incomplete=bool(done.not_sent > done.held_people or done.throttled or done.broken),
    )
    return int(ExitCode.REFUSED if code == ExitCode.DONE and done.held else code)


def _mailing(one: MailingFile, line: int) -> Mailing:
    words = f"{CAMPAIGN}/{one.name} {one.text}"
    return Mailing(
        key=MailingKey(CAMPAIGN, 1, one.name), path=f"campaigns/{CAMPAIGN}.yaml", line=line, content_type="text",
        message_type={BULK: "bulk", QUICK: "personal", LIST: ""}[one.method], alphaname_id="444", schedule_wire="", schedule_utc=None,
        schedule_shown="", content={"type": "text"} if one.method == QUICK else {"type": "text", "text": words},
        definition=f"d{one.text}", method=one.method, vibername_id="12", list_id="77" if one.method == LIST else "",
    )  # fmt: skip
