"""A saved plan: digests, counts and reasons; no phone, no text. What was reviewed is named by it, not held in it."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from campaignkit.errors import PlanError
from campaignkit.plans.digest import Components, moved
from campaignkit.plans.plan import Plan, campaign_rows

FORMAT_VERSION = "1.0"
KIND = "campaignkit-plan"
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What a plan file says."""

    path: str
    created_at: datetime
    environment: str
    selection: tuple[str, ...]
    digest: str
    components: Components
    to_send: dict[str, int]
    """People to be sent to, by campaign/mailing."""


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan as it is saved."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "created_at": plan.created_at.isoformat(),
        "environment": plan.environment.name,
        "selection": [campaign.campaign for campaign in plan.campaigns],
        "retry_rejected": plan.components.retry_rejected,
        "digest": plan.digest,
        "components": asdict(plan.components),
        "summary": plan.counts.as_dict(),
        "campaigns": campaign_rows(plan),
    }


def save(plan: Plan, path: Path) -> None:
    """Write a plan file, whole or not at all."""
    text = json.dumps(as_document(plan), ensure_ascii=False, indent=2) + "\n"
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PlanError(f"the plan can't be written to {path}: {error.strerror}. Nothing was sent.") from None


def load(path: Path) -> SavedPlan:
    """Read a plan file.

    Raises:
        PlanError: It is none. Whether it was changed is `check_same`'s to say, after the checks that come before it.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode) or path.stat().st_size > _LARGEST:
            raise PlanError(f"{path} is no saved plan. Nothing was sent.", next_command=f"campaignkit plan --out {path}")
        raw = json.loads(path.read_text("utf-8"))
        saved = SavedPlan(
            path=str(path),
            created_at=datetime.fromisoformat(raw["created_at"]),
            environment=str(raw["environment"]),
            selection=tuple(str(name) for name in raw["selection"]),
            digest=str(raw["digest"]),
            components=Components(**raw["components"]),
            to_send={
                f"{campaign['campaign']}/{mailing['mailing']}": int(mailing["send"]) + int(mailing["resend"])
                for campaign in raw["campaigns"]
                for mailing in campaign["mailings"]
            },
        )
    except OSError as error:
        raise PlanError(
            f"{path} can't be read: {error.strerror}. Nothing was sent.", next_command=f"campaignkit plan --out {path}"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PlanError(f"{path} is no saved plan. Nothing was sent.", next_command=f"campaignkit plan --out {path}") from None
    if raw.get("kind") != KIND or raw.get("format_version") != FORMAT_VERSION:
        raise PlanError(f"{path} is of a format this version does not know. Nothing was sent.")
    return saved


def check_same(saved: SavedPlan, plan: Plan, now: datetime) -> None:
    """Hold a plan made now against the saved one.

    Raises:
        PlanError: It was changed, it expired, or something moved; the message names what.
    """
    again = f"campaignkit plan {' '.join(saved.selection)} --env {saved.environment} --out {saved.path}"
    if saved.components.digest() != saved.digest or saved.created_at.tzinfo is None:
        raise PlanError(f"{saved.path} was changed after it was saved. Nothing was sent.", next_command=again)
    age = (now - saved.created_at).total_seconds()
    if age > plan.environment.plan_max_age or age < -3600:
        raise PlanError(f"{saved.path} expired: it is {age / 3600:,.0f} hours old. Nothing was sent.", next_command=again)
    if saved.digest != plan.digest:
        what = "; ".join(moved(saved.components, plan.components)) or "something"
        raise PlanError(f"{saved.path} is stale; since it was reviewed this moved: {what}. Nothing was sent.", next_command=again)
    for campaign in plan.campaigns:
        for one in campaign.mailings:
            reviewed = saved.to_send.get(str(one.mailing.key), 0)
            if one.counts.to_send > reviewed:
                what = f"{one.mailing.key} was reviewed for {reviewed:,} people, now {one.counts.to_send:,} would be sent to"
                raise PlanError(f"{saved.path}: {what}: keys were freed since. Nothing was sent.", next_command=again)
