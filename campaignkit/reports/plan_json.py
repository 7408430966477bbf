"""A plan for machines: the document of `schemas/plan.schema.json`."""

from __future__ import annotations

from typing import Any

from campaignkit.plans.plan import Plan

FORMAT_VERSION = "1.0"


def plan_document(plan: Plan) -> dict[str, Any]:
    """The whole plan, people as counts."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "environment": plan.environment.name,
        "digest": plan.digest,
        "summary": plan.counts.as_dict(),
        "campaigns": [
            {
                "campaign": campaign.campaign,
                "revision": campaign.revision,
                "path": campaign.path,
                "mailings": [
                    {
                        "mailing": one.mailing.key.mailing,
                        "message_type": one.mailing.message_type,
                        "content_type": one.mailing.content_type,
                        "schedule_time": one.mailing.schedule_wire or None,
                    }
                    | one.counts.as_dict()
                    for one in campaign.mailings
                ],
            }
            for campaign in plan.campaigns
        ],
        "state": "none" if plan.stateless else plan.components.lineage or "none",
        "drafts": plan.drafts,
        "notes": plan.notes,
    }
    return document | ({"sandbox": True} if plan.environment.is_sandbox else {})
