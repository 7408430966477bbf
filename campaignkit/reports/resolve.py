"""Unknown requests, with what a person needs to decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from campaignkit.model.phones import shown
from campaignkit.model.unknowns import HintLine, UnknownRequest
from campaignkit.reports.safe import hidden, line, people, plural

FORMAT_VERSION = "1.0"


def unknown_text(requests: Sequence[UnknownRequest], *, now: datetime, price: Decimal | None, currency: str, reveal: bool, env: str) -> str:
    """Each request, what is known of it, and the four answers."""
    if not requests:
        return "Nothing is unknown.\n"
    lines: list[str] = []
    for one in requests:
        money = f", about {(price * one.recipients).normalize():f} {currency}" if price is not None else ""
        age = f", {_age(now, one.sent_at)} ago" if one.sent_at else ""
        lines.append(
            f"{one.ref}  {', '.join(f'{one.campaign}/{mailing}' for mailing in one.mailings)}: {people(one.recipients)}{money}{age}"
        )
        lines += [f"  search the provider's cabinet for {tag}" for tag in one.tags]
        lines.append(f"  what happened: {hidden(line(one.reason)) or 'the process died while it was under way'}")
        lines.append(
            f"  on the wire: {one.phase or 'unknown'}, {one.bytes_written:,} bytes written"
            + (f", HTTP {one.http_status}" if one.http_status else "")
        )
        if one.answer:
            lines.append(f"  the answer kept: {hidden(line(one.answer, 200))}")
        lines += [f"  {_hint(hint)}" for hint in one.hints]
        more = ", …" if one.recipients > len(one.first_phones) else ""
        lines.append(f"  to: {', '.join(shown(phone, reveal=reveal) for phone in one.first_phones)}{more}")
        lines.append("")
    if any(hint.uuid and hint.finding in {"", "not_shown"} for one in requests for hint in one.hints):
        lines += ["A hint is believed once the provider confirms it. This asks:", f"  campaignkit refresh --env {env}", ""]
    first = requests[0].ref
    lines += [
        "Each is settled by one answer; doing nothing keeps its people held back:",
        f"  campaignkit resolve {first} --accepted --uuid UUID --env {env}     it went out, and this is its uuid (checked)",
        f"  campaignkit resolve {first} --accepted --no-uuid --env {env}       it went out; its uuid is not known",
        f"  campaignkit resolve {first} --abandon --env {env}                  leave it: these people are never sent it",
        f"  campaignkit resolve {first} --not-sent --reason TEXT --env {env}   it did not go out: these people are sent it again",
    ]
    return "\n".join(lines) + "\n"


_FINDINGS = {
    "": "not asked about yet",
    "not_shown": "the provider does not show it, or not yet",
    "foreign": "not of this request",
    "verified": "confirmed by the provider",
}


def _hint(hint: HintLine) -> str:
    source = "the kept answer" if hint.source == "answer" else f"a callback of {hint.at:%Y-%m-%d %H:%M:%S} UTC"
    said = [f"names {hint.uuid} ({_FINDINGS[hint.finding]})"] if hint.uuid else []
    said += [f"says: {hidden(line(hint.error))}"] if hint.error else []
    return f"hint: {source} {' and '.join(said) or 'says nothing that can be asked about'}"


def _age(now: datetime, then: datetime) -> str:
    seconds = max(0.0, (now - then).total_seconds())
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return plural(round(seconds / size), word)
    return plural(round(seconds), "second")


def unknown_document(requests: Sequence[UnknownRequest], *, environment: str, sandbox: bool, reveal: bool) -> dict[str, Any]:
    """The document of `schemas/resolve.schema.json`."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "environment": environment,
        "requests": [
            {
                "request": one.ref,
                "tag": one.tags[0],
                "tags": list(one.tags),
                "campaign": one.campaign,
                "mailings": list(one.mailings),
                "recipients": one.recipients,
                "phones": [shown(phone, reveal=reveal) for phone in one.first_phones],
                "sent_at": one.sent_at.isoformat() if one.sent_at else None,
                "phase": one.phase or None,
                "bytes_written": one.bytes_written,
                "http_status": one.http_status,
                "reason": hidden(one.reason),
                "answer": hidden(one.answer) or None,
                "hints": [
                    {
                        "source": hint.source,
                        "at": hint.at.isoformat() if hint.at else None,
                        "uuid": hint.uuid or None,
                        "error": hidden(hint.error) or None,
                        "finding": hint.finding or None,
                    }
                    for hint in one.hints
                ],
            }
            for one in requests
        ],
    }
    return document | ({"sandbox": True} if sandbox else {})
