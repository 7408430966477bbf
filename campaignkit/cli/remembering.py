"""Planning again where nothing changed: the plan of before, once everything that it depends on was found to be the same.

Files are compared by their bytes, never by a time stamp; the state by its lineage, its history and the version of its claims. While
a run is under way nothing is remembered: what it has begun changes from one moment to the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from campaignkit import __version__
from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.engine.planner import PlanJob
from campaignkit.intake.talk import mailing_of, message_of
from campaignkit.model.counts import Counts
from campaignkit.plans.cache import (
    FORMAT,
    CachedCampaign,
    CachedMailing,
    CachedPlan,
    OpenedFile,
    cache_path,
    keep,
    load,
)
from campaignkit.plans.classify import Fate
from campaignkit.plans.plan import CampaignPlan, MailingPlan, Plan
from campaignkit.protocol.messages import DiagnosticMessage
from campaignkit.states.records import RequestState

_UNDER_WAY = (RequestState.PLANNED, RequestState.INTENT)


@dataclass(slots=True)
class Remembering:
    """Makes a plan, or recalls it.

    Args:
        job: What is to be planned.
        folder: Where plans are kept; None to plan always.
        root: The project's folder.
    """

    job: PlanJob
    folder: Path | None
    root: Path
    recalled: bool = field(default=False)

    def run(self) -> Plan:
        """The plan.

        Raises:
            DefinitionError: Something an author must fix; the plan is not made.
        """
        job = self.job
        if self.folder is None or job.spool is not None or (job.reader and any(job.reader.requests(states=_UNDER_WAY, with_people=False))):
            return job.run()
        paths = sorted(head.path for head in job.heads)
        place = cache_path(self.folder, str(self.root.resolve()), job.environment.name, *paths)
        key = self._key(paths)
        cached = load(place)
        if cached is not None and cached.key == key and self._holds(cached):
            self.recalled = True
            return self._plan(cached)
        plan = job.run()
        if (files := self._files(plan)) is not None:
            keep(place, self._cached(plan, key, files))
        return plan

    def _key(self, paths: Sequence[str]) -> str:
        """Everything that a plan depends on and that is known before an audience is opened."""
        job, info = self.job, self.job.reader.info() if self.job.reader else None
        known = {
            "tool": __version__,
            "environment": asdict(job.environment),
            "settings": job.project.settings_digests[job.environment.name],
            "files": job.front.hashes,
            "index": asdict(job.index),
            "selection": paths,
            "retry_rejected": job.retry_rejected,
            "recorded": job.recorded_lineage,
            "state": [info.lineage, info.claims_version, info.releases, info.history] if info else None,
        }
        return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()

    def _holds(self, cached: CachedPlan) -> bool:
        front = self.job.front
        mailings = [one for campaign in cached.campaigns for one in campaign.mailings]
        past = _past(((str(mailing_of(one.mailing).key), one.mailing.schedule_utc) for one in mailings), self.job.now)
        return past == cached.past and all(front.look(one.asked) == (one.path, one.sha256) for one in cached.files)

    def _files(self, plan: Plan) -> tuple[OpenedFile, ...] | None:
        """The files that the plan was made from, as they are now; None if one of them is not what the child read."""
        front = self.job.front
        read = set(self.job.audiences.values())
        found: list[OpenedFile] = []
        lists = hashlib.sha256()
        for asked in front.asked_for:
            seen = front.look(asked)
            if seen is None or (asked.beside and not asked.image and seen[1] not in read):
                return None
            if not asked.beside:
                lists.update(seen[1].encode())
            found.append(OpenedFile(asked=asked, path=seen[0], sha256=seen[1]))
        suppressions = plan.components.suppressions
        return tuple(found) if suppressions in {"none", lists.hexdigest()} else None

    def _cached(self, plan: Plan, key: str, files: tuple[OpenedFile, ...]) -> CachedPlan:
        mailings = [one.mailing for campaign in plan.campaigns for one in campaign.mailings]
        scheduled = ((str(one.key), one.schedule_utc.isoformat() if one.schedule_utc else "") for one in mailings)
        return CachedPlan(
            format=FORMAT,
            key=key,
            files=files,
            past=_past(scheduled, self.job.now),
            components=plan.components,
            campaigns=tuple(_campaign(one) for one in plan.campaigns),
            drafts=tuple(plan.drafts),
            notes=tuple(plan.notes),
            not_to_message=plan.not_to_message,
            diagnostics=tuple(_message(problem) for problem in self.job.front.diagnostics),
        )

    def _plan(self, cached: CachedPlan) -> Plan:
        job = self.job
        job.front.diagnostics[:] = [_diagnostic(message) for message in cached.diagnostics]
        return Plan(
            environment=job.environment,
            components=cached.components,
            campaigns=[_planned(one) for one in cached.campaigns],
            drafts=list(cached.drafts),
            notes=list(cached.notes),
            stateless=job.reader is None and not job.environment.is_sandbox,
            price=job.project.price,
            batch_size=job.project.batch_size,
            batches_per_request=job.project.batches_per_request,
            created_at=job.now,
            not_to_message=cached.not_to_message,
        )


def _past(scheduled: Iterable[tuple[str, str]], now: datetime) -> tuple[str, ...]:
    """Which mailings' times have passed, by name and time in UTC."""
    return tuple(key for key, at in scheduled if at and datetime.fromisoformat(at) <= now)


def _campaign(campaign: CampaignPlan) -> CachedCampaign:
    return CachedCampaign(
        campaign=campaign.campaign,
        revision=campaign.revision,
        path=campaign.path,
        accept_resend=campaign.accept_resend,
        mailings=tuple(
            CachedMailing(
                mailing=message_of(one.mailing),
                counts=one.counts.as_dict(),
                texts=one.texts,
                examples={str(fate): tuple(phones) for fate, phones in one.examples.items()},
                started=one.started,
                opted_out=one.opted_out,
                draft=one.draft,
            )
            for one in campaign.mailings
        ),
    )


def _planned(cached: CachedCampaign) -> CampaignPlan:
    return CampaignPlan(
        campaign=cached.campaign,
        revision=cached.revision,
        path=cached.path,
        accept_resend=cached.accept_resend,
        mailings=[
            MailingPlan(
                mailing=mailing_of(one.mailing),
                counts=Counts(**one.counts),
                texts=one.texts,
                examples={Fate(fate): list(phones) for fate, phones in one.examples.items()},
                started=one.started,
                opted_out=one.opted_out,
                draft=one.draft,
            )
            for one in cached.mailings
        ],
    )


def _message(problem: Diagnostic) -> DiagnosticMessage:
    return DiagnosticMessage(
        severity=str(problem.severity), code=problem.code, message=problem.message, hint=problem.hint, **asdict(problem.place)
    )


def _diagnostic(message: DiagnosticMessage) -> Diagnostic:
    place = Place(message.path, message.line, message.column, message.row, message.excerpt, message.width)
    return Diagnostic(Severity(message.severity), message.code, message.message, place, message.hint)
