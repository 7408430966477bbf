"""Planning again where nothing changed: the plan of before, once everything that it depends on was found to be the same.

Files are compared by their bytes, never by a time stamp; the state by its lineage, its history and the version of its claims. While
a run is under way nothing is remembered: what it has begun changes from one moment to the next.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from campaignkit import __version__
from campaignkit.engine.planner import PlanJob
from campaignkit.intake.mailings import mailing_of, message_of
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
from campaignkit.plans.snapshots import KeptSnapshots
from campaignkit.states.records import RequestState

_UNDER_WAY = (RequestState.PLANNED, RequestState.INTENT)


class _Change(Enum):
    NOTHING = auto()
    LONGER = auto()
    """Nothing but audiences, which are larger than they were."""
    ANYTHING = auto()


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
        change = _Change.ANYTHING if cached is None else self._change(cached, key)
        if cached is not None and change is _Change.NOTHING:
            return self._plan(cached)
        known: dict[str, str] = {}
        if cached is not None and change is _Change.LONGER:  # the child may go on where the run before stood
            job.earlier = {str(mailing_of(one.mailing).key): _mailing(one) for one in _mailings(cached)}
            known = {str(mailing_of(one.mailing).key): one.snapshot for one in _mailings(cached) if one.snapshot}
        job.front.snapshots = kept = KeptSnapshots(place, known)
        try:
            plan = job.run()
            if (files := self._files(plan)) is not None:
                keep(place, self._cached(plan, key, files, kept.keep()))
        finally:
            kept.drop()
        return plan

    def _key(self, paths: Sequence[str]) -> str:
        """Everything that a plan depends on and that is known before an audience is opened."""
        job, info = self.job, self.job.reader.info() if self.job.reader else None
        known = {
            "tool": __version__,
            "order": sys.byteorder,
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

    def _change(self, cached: CachedPlan, key: str) -> _Change:
        """What is another than it was when the plan was kept."""
        scheduled = ((str(mailing_of(one.mailing).key), one.mailing.schedule_utc) for one in _mailings(cached))
        if cached.key != key or _past(scheduled, self.job.now) != cached.past:
            return _Change.ANYTHING
        found = _Change.NOTHING
        for one in cached.files:
            seen = self.job.front.shelf.look(one.asked, size=one.size)
            if seen == (one.path, one.size, one.sha256):
                continue
            if seen is None or seen[0] != one.path or seen[1] <= one.size or not one.asked.beside or one.asked.image:
                return _Change.ANYTHING
            found = _Change.LONGER
        return found

    def _files(self, plan: Plan) -> tuple[OpenedFile, ...] | None:
        """The files that the plan was made from, as they are now; None if one of them is not what the child read."""
        front = self.job.front
        read = set(self.job.audiences.values())
        found: list[OpenedFile] = []
        lists = hashlib.sha256()
        for asked in front.asked_for:
            seen = front.shelf.look(asked)
            if seen is None or (asked.beside and not asked.image and seen[2] not in read):
                return None
            if not asked.beside:
                lists.update(seen[2].encode())
            found.append(OpenedFile(asked=asked, path=seen[0], size=seen[1], sha256=seen[2]))
        suppressions = plan.components.suppressions
        return tuple(found) if suppressions in {"none", lists.hexdigest()} else None

    def _cached(self, plan: Plan, key: str, files: tuple[OpenedFile, ...], snapshots: Mapping[str, str]) -> CachedPlan:
        mailings = [one.mailing for campaign in plan.campaigns for one in campaign.mailings]
        scheduled = ((str(one.key), one.schedule_utc.isoformat() if one.schedule_utc else "") for one in mailings)
        return CachedPlan(
            format=FORMAT,
            key=key,
            files=files,
            past=_past(scheduled, self.job.now),
            components=plan.components,
            campaigns=tuple(_campaign(one, snapshots) for one in plan.campaigns),
            drafts=tuple(plan.drafts),
            notes=tuple(plan.notes),
            not_to_message=plan.not_to_message,
            diagnostics=tuple(self.job.front.diagnostics),
        )

    def _plan(self, cached: CachedPlan) -> Plan:
        job = self.job
        job.front.diagnostics[:] = cached.diagnostics
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


def _mailings(cached: CachedPlan) -> list[CachedMailing]:
    return [one for campaign in cached.campaigns for one in campaign.mailings]


def _campaign(campaign: CampaignPlan, snapshots: Mapping[str, str]) -> CachedCampaign:
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
                snapshot=snapshots.get(str(one.mailing.key), ""),
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
        mailings=[_mailing(one) for one in cached.mailings],
    )


def _mailing(cached: CachedMailing) -> MailingPlan:
    return MailingPlan(
        mailing=mailing_of(cached.mailing),
        counts=Counts(**cached.counts),
        texts=cached.texts,
        examples={Fate(fate): list(phones) for fate, phones in cached.examples.items()},
        started=cached.started,
        opted_out=cached.opted_out,
        draft=cached.draft,
    )
