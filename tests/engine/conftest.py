"""A real state in a real file, and plans without a front child."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaignkit.engine.packing import PackedBatch, Packer
from campaignkit.engine.spool import Spool
from campaignkit.model.mailings import Mailing, MailingKey
from campaignkit.model.settings import Environment, Project
from campaignkit.plans.digest import Components
from campaignkit.plans.plan import CampaignPlan, MailingPlan, Plan
from campaignkit.protocol.messages import CampaignHead, MailingHead
from campaignkit.states.opening import create, open_store
from campaignkit.states.store import Store
from tests.fakes.front import people as recipients

ORIGIN = "http://127.0.0.1:1"
FIRST = 375_291_000_000


def mailing(
    name: str = "invitation", *, campaign: str = "spring", revision: int = 1, schedule: datetime | None = None, definition: str = "d1",
) -> Mailing:  # fmt: skip
    """A bulk mailing."""
    return Mailing(
        key=MailingKey(campaign, revision, name), path=f"campaigns/{campaign}.yaml", line=5, message_type="bulk", content_type="text",
        alphaname_id="444", schedule_wire=schedule.strftime("%Y-%m-%dT%H:%M:%S") if schedule else "", schedule_utc=schedule,
        schedule_shown="", content={"type": "text", "text": "Hi"}, definition=definition,
    )  # fmt: skip


def quick_mailing(name: str = "code", **fields: object) -> Mailing:
    """A quick mailing of personal texts."""
    shape = {"method": "quick", "message_type": "personal", "alphaname_id": "", "vibername_id": "12", "content": {"type": "text"}}
    return replace(mailing(name), **(shape | fields))  # type: ignore[arg-type]  # by name


def list_mailing(name: str = "news", **fields: object) -> Mailing:
    """A mailing to a list of the provider."""
    shape = {"method": "list", "message_type": "", "alphaname_id": "", "vibername_id": "12", "list_id": "77"}
    return replace(mailing(name), **(shape | fields))  # type: ignore[arg-type]  # by name


def environment(**settings: object) -> Environment:
    """An environment without a pace."""
    return Environment(**({"name": "live", "base_url": ORIGIN, "state": "s.db", "rate": 0.0} | settings))  # type: ignore[arg-type]  # by name


def head(
    *mailings: str, campaign: str = "spring", lifecycle: str = "active", revision: int = 1, moved_from: str = "",
    renamed: dict[str, str] | None = None,
) -> CampaignHead:  # fmt: skip
    """A campaign file as the index has it; `renamed` names the mailings that say `moved_from`."""
    names = mailings or ("invitation",)
    return CampaignHead(
        path=f"campaigns/{campaign}.yaml", campaign=campaign, lifecycle=lifecycle, revision=revision, moved_from=moved_from,
        accept_resend=None, digest=f"digest of {campaign}",
        mailings=tuple(MailingHead(name=name, revision=revision, line=5, moved_from=(renamed or {}).get(name, "")) for name in names),
    )  # fmt: skip


def project(where: Environment | None = None, *, size: int = 10, first: int = 10, per_request: int = 1) -> Project:
    """A project with one environment."""
    only = where or environment()
    return Project(
        default_environment=only.name, environments={only.name: only}, timezone="Europe/Minsk", price=None, batch_size=size,
        first_batch=first, batches_per_request=per_request, settings_digests={only.name: "settings"},
    )  # fmt: skip


@dataclass
class Bench:
    """What a run of the engine needs."""

    spool: Spool
    store: Store
    path: Path

    def batches(self, one: Mailing, people: int, *, size: int = 10, canary: bool = True, start: int = FIRST) -> list[PackedBatch]:
        packer = Packer(mailing=one, spool=self.spool, batch_size=size, first=size, canary=canary)
        packer.add(recipients(range(start, start + people)), None)
        return packer.finish()

    def plan(self, *mailings: Mailing, where: Environment | None = None) -> Plan:
        campaign = CampaignPlan(campaign="spring", revision=1, path="campaigns/spring.yaml", accept_resend=None)
        campaign.mailings = [MailingPlan(mailing=one) for one in mailings]
        components = Components(
            tool="0", environment="live", lineage="l", releases=0, settings="s", suppressions="none", retry_rejected=False,
            definitions={}, audiences={},
        )  # fmt: skip
        return Plan(
            environment=where or environment(), components=components, campaigns=[campaign], drafts=[], notes=[], price=None,
            batch_size=10, batches_per_request=1, created_at=datetime(2026, 11, 23, tzinfo=UTC),
        )  # fmt: skip

    def reopen(self) -> Store:
        return open_store(self.path, environment="live", origin=ORIGIN, lineage="l")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh state and spool."""
    path = tmp_path / "state" / "s.db"
    create(path, environment="live", origin=ORIGIN, lineage="l", at=datetime(2026, 11, 23, tzinfo=UTC))
    store = open_store(path, environment="live", origin=ORIGIN, lineage="l")
    with Spool() as spool:
        yield Bench(spool, store, path)
    store.close()
