"""What became of a test message."""

from __future__ import annotations

from typing import Any

from campaignkit.model.phones import shown
from campaignkit.model.replies import TestLine
from campaignkit.reports.safe import hidden, line

FORMAT_VERSION = "1.0"


def test_text(one: TestLine, *, reveal: bool) -> str:
    """One line."""
    named = f", message {one.message_id}" if one.message_id else f": {hidden(line(one.reason))}"
    to = shown(one.phone, reveal=reveal)
    whose = f" as {shown(one.rendered_for, reveal=reveal)} gets it" if one.rendered_for else ""
    return f"{one.key} to {to}{whose}: {one.outcome}{named}; {one.used:,} of {one.limit:,} test messages within 24 hours\n"


def test_document(one: TestLine, *, environment: str, reveal: bool, sandbox: bool) -> dict[str, Any]:
    """The document of `schemas/send-test.schema.json`."""
    document = {
        "format_version": FORMAT_VERSION,
        "environment": environment,
        "test": f"t{one.id}" if one.id else None,
        "campaign": one.key.campaign,
        "mailing": one.key.mailing,
        "to": shown(one.phone, reveal=reveal),
        "as": shown(one.rendered_for, reveal=reveal) if one.rendered_for else None,
        "outcome": one.outcome,
        "message_id": one.message_id or None,
        "reason": hidden(one.reason),
        "used": one.used,
        "limit": one.limit,
    }
    return document | ({"sandbox": True} if sandbox else {})
