"""Files and state to a plan: the front child's stream, diffed against the store chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from campaignkit import __version__
from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.engine.history import Histories, MailingHistory
from campaignkit.engine.packing import PackedBatch, Packer, most, requests, sizes
from campaignkit.engine.spool import Spool
from campaignkit.errors import DefinitionError
from campaignkit.intake.talk import Front, Resumed
from campaignkit.model.mailings import BULK, FINGERPRINT_BYTES, Mailing
from campaignkit.model.settings import Environment, Project
from campaignkit.plans.classify import Fate, classify
from campaignkit.plans.digest import Components
from campaignkit.plans.known import Standing, Standings
from campaignkit.plans.plan import CampaignPlan, Draft, MailingPlan, Plan, Texts
from campaignkit.protocol.messages import CampaignHead, Chunk, Done, Index, MailingEnd
from campaignkit.states.store import StateReader

SANDBOX_LINEAGE = "sandbox"


@dataclass(slots=True, kw_only=True)
class PlanJob:
    """What to plan, from what. With a `spool`, the bytes to be sent are kept in it and `batches` names them.

    Without a `reader`, nobody counts as sent; the plan is then tied to the state that `campaignkit.lock` records, if any, so
    that what was reviewed on a machine without the state can be applied where it is.
    """

    front: Front
    project: Project
    environment: Environment
    index: Index
    heads: Sequence[CampaignHead]
    reader: StateReader | None
    now: datetime
    recorded_lineage: str | None = None
    retry_rejected: bool = False
    spool: Spool | None = None
    earlier: Mapping[str, MailingPlan] = field(default_factory=dict)
    """By campaign/mailing: what an earlier plan came to, of the rows before those that the child goes on with."""
    batches: list[PackedBatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _done: Done | None = None
    audiences: dict[str, str] = field(default_factory=dict)
    """By campaign/mailing: the SHA-256 of the audience that was read, or `inline`."""

    def run(self, meanwhile: Callable[[], None] = lambda: None) -> Plan:
        """Make the plan.

        Args:
            meanwhile: Done once the child has its work.

        Raises:
            DefinitionError: Something an author must fix; the plan is not made.
        """
        histories = Histories(self.reader, self.index, inert=self.environment.provider.drafts_are_inert)
        campaigns = {head.campaign: _campaign(head) for head in self.heads if head.lifecycle != "closed"}
        sent_here = [head for head in self.heads if head.lifecycle == "active" or self.environment.is_sandbox]
        open_names = {head.campaign for head in sent_here}
        worker: _MailingWork | None = None
        begun = False
        for word in self.front.run([head.path for head in self.heads], environment=self.environment.name, elements=self.spool is not None):
            if not begun:
                begun = True
                meanwhile()
            if isinstance(word, Mailing):
                worker = _MailingWork(self, word, histories.of(word), sending=word.key.campaign in open_names)
                campaigns[word.key.campaign].mailings.append(worker.plan)
            elif isinstance(word, Chunk):
                assert worker is not None
                worker.take(word)
            elif isinstance(word, Resumed):
                assert worker is not None
                worker.go_on(self.earlier[str(worker.mailing.key)])
            elif isinstance(word, MailingEnd):
                assert worker is not None
                self.audiences[str(worker.mailing.key)] = word.audience or "inline"
                worker.end(word)
            else:
                self._done = word
        if self.front.failed or self._done is None:
            raise DefinitionError(self.front.diagnostics)
        return self._plan([campaigns[name] for name in campaigns if name in open_names], [n for n in campaigns if n not in open_names])

    def _plan(self, campaigns: list[CampaignPlan], drafts: list[str]) -> Plan:
        for campaign in campaigns:
            self._count_requests(campaign)
        sent = {campaign.campaign for campaign in campaigns}
        info = self.reader.info() if self.reader else None
        environment = self.environment
        lineage = SANDBOX_LINEAGE if environment.is_sandbox else info.lineage if info else self.recorded_lineage
        assert self._done is not None
        return Plan(
            environment=environment,
            components=Components(
                tool=__version__,
                environment=f"{environment.name} {environment.base_url}",
                lineage=lineage,
                releases=info.releases if info and not environment.is_sandbox else 0,
                settings=self.project.settings_digests[environment.name],
                suppressions=self._done.suppressions or "none",
                retry_rejected=self.retry_rejected,
                definitions={head.campaign: head.digest for head in self.heads if head.campaign in sent},
                audiences={name: digest for name, digest in self.audiences.items() if name.partition("/")[0] in sent},
            ),
            campaigns=campaigns,
            drafts=drafts,
            notes=self.notes,
            stateless=self.reader is None and not environment.is_sandbox,
            not_to_message=self._done.suppressed_phones + (len(self.reader.optouts()) if self.reader else 0),
            price=self.project.price,
            batch_size=self.project.batch_size,
            batches_per_request=self.project.batches_per_request,
            created_at=self.now,
        )

    def _count_requests(self, campaign: CampaignPlan) -> None:
        """Requests by the rule that apply packs by; one that holds several mailings counts for the first of them."""
        planned = [
            _PlannedBatch(mailing, campaign.campaign, canary=number == 0 and not mailing.started, alone=mailing.mailing.method != BULK)
            for mailing in campaign.mailings
            for number in range(self._batches(mailing))
        ]
        for group in requests(planned, self.project.batches_per_request):
            group[0].mailing.counts.requests += 1

    def _batches(self, mailing: MailingPlan) -> int:
        first = mailing_first(self.project, started=mailing.started)
        return sizes(mailing.counts.to_send, batch_size=most(mailing.mailing, self.project.batch_size), first=first)


@dataclass(frozen=True, slots=True)
class _PlannedBatch:
    """A batch before it has any bytes."""

    mailing: MailingPlan
    campaign: str
    canary: bool
    alone: bool


def mailing_first(project: Project, *, started: bool) -> int:
    """People of a mailing's first batch: a canary, unless the provider has taken this mailing before."""
    return project.batch_size if started else project.first_batch


def _campaign(head: CampaignHead) -> CampaignPlan:
    return CampaignPlan(campaign=head.campaign, revision=head.revision, path=head.path, accept_resend=head.accept_resend)


class _MailingWork:
    """One mailing under way: chunks in, counts and batches out."""

    def __init__(self, job: PlanJob, mailing: Mailing, history: MailingHistory, *, sending: bool) -> None:
        self.mailing = mailing
        self._job, self._history, self._sending = job, history, sending
        past = mailing.schedule_utc is not None and mailing.schedule_utc <= job.now
        started = history.accepted > 0
        self.plan = MailingPlan(mailing=mailing, started=started)
        self._late = past and history.claimed > 0
        self._too_late = past and not history.claimed
        self._packer: Packer | None = None
        if job.spool is not None and sending:
            self._packer = Packer(
                mailing=mailing,
                spool=job.spool,
                batch_size=job.project.batch_size,
                first=mailing_first(job.project, started=started),
                canary=not started,
            )

    def go_on(self, earlier: MailingPlan) -> None:
        """Begin with what an earlier plan of the same claims came to."""
        for fate in Fate:
            setattr(self.plan.counts, fate, getattr(earlier.counts, fate))
        self.plan.opted_out = earlier.opted_out
        self.plan.examples = {fate: list(phones) for fate, phones in earlier.examples.items()}

    def take(self, chunk: Chunk) -> None:
        """Classify the people of one chunk."""
        counts, phones, prints = self.plan.counts, chunk.phones, chunk.fingerprints
        known = self._history.known(phones)
        elsewhere = self._history.elsewhere(phones, prints)
        opted_out = self._job.reader.opted_out(phones) if self._job.reader else frozenset()
        if not known and not elsewhere and not opted_out and not self._late:
            counts.send += len(phones)
            for phone in phones[:3]:
                self.plan.note(Fate.SEND, phone)
            self._keep(chunk, None)
            return
        chosen: list[int] = []
        width, definition, retry = FINGERPRINT_BYTES, self.mailing.definition, self._job.retry_rejected
        for at, phone in enumerate(phones):
            if phone in opted_out:
                self.plan.opted_out += 1
                continue
            held = known.get(phone)
            fate = classify(
                held,
                fingerprint=prints[at * width : at * width + width],
                definition=definition,
                retry_rejected=retry,
                late=self._late,
                elsewhere=phone in elsewhere,
            )
            setattr(counts, fate, getattr(counts, fate) + 1)
            self.plan.note(fate, phone)
            if held is not None and held.standing is Standing.DRAFT:
                self.plan.draft = self._draft(held, edited=fate is Fate.EDITED)
            elif fate is Fate.SEND or fate is Fate.RESEND:
                chosen.append(at)
        self._keep(chunk, chosen)

    def _draft(self, held: Standings, *, edited: bool) -> Draft:
        """What stands at the provider already: it is confirmed, not made again."""
        assert self._job.reader is not None
        row = self._job.reader.request(held.request)
        assert row is not None
        subscribers = row.listing.subscribers if row.listing else None
        if edited:
            discard = f"campaignkit resolve {held.request} --not-sent --reason TEXT --expect-people {subscribers or 1}"
            self._job.notes.append(
                f"{self.mailing.key}: a draft of other content waits at the provider and is not confirmed. To make it anew: {discard}"
            )
        tag = row.batches[0].tag
        return Draft(request=held.request, tag=tag, message_id=row.uuid, subscribers=subscribers, edited=edited)

    def _keep(self, chunk: Chunk, chosen: Sequence[int] | None) -> None:
        if self._packer is not None:
            self._packer.add(chunk, chosen)

    def end(self, end: MailingEnd) -> None:
        """Add what the child counted, and look at the clock."""
        counts = self.plan.counts
        counts.rows, counts.filtered, counts.invalid = end.rows, end.filtered, end.invalid
        counts.duplicate, counts.suppressed = end.duplicate, end.suppressed + self.plan.opted_out
        self.plan.texts = Texts(
            shortest=end.shortest,
            longest=end.longest,
            characters=end.characters,
            live=end.live,
            hosts=end.hosts,
            sample=end.sample,
            sample_link=end.sample_link,
            sample_phone=end.sample_phone,
            outline=end.outline,
        )
        if self._packer is not None:
            self._job.batches += self._packer.finish()
        if self._too_late and counts.to_send and self._sending:
            message = f"the scheduled time of {self.mailing.key} has passed: {self.mailing.schedule_shown}"
            place = Place(self.mailing.path, self.mailing.line)
            hint = "move schedule_time, or drop it to send at once"
            self._job.front.diagnostics.append(Diagnostic(Severity.ERROR, "CK502", message, place, hint))
