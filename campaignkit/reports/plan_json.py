"""A plan for machines: the document of `schemas/plan.schema.json`."""

from __future__ import annotations

from typing import Any

from campaignkit.plans.plan import Plan, campaign_rows

FORMAT_VERSION = "1.0"


def plan_document(plan: Plan) -> dict[str, Any]:
    """The whole plan, people as counts."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "environment": plan.environment.name,
        "digest": plan.digest,
        "summary": plan.counts.as_dict(),
        "campaigns": campaign_rows(plan),
        "state": "none" if plan.stateless else plan.components.lineage or "none",
        "drafts": plan.drafts,
        "notes": plan.notes,
    }
    return document | ({"sandbox": True} if plan.environment.is_sandbox else {})
