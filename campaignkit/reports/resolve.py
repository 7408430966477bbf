"""Unknown requests, with what a person needs to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaignkit.model.phones import shown
from campaignkit.model.settings import Environment, Price
from campaignkit.model.unknowns import HintLine, UnknownRequest
from campaignkit.reports.safe import hidden, line, people, plural

FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Who looks, when, and at which price."""

    environment: Environment
    now: datetime
    price: Price | None
    reveal: bool

    def cost(self, one: UnknownRequest) -> str:
        """What its messages cost; empty where no price is known."""
        return f"{(self.price.amount * one.recipients).normalize():f} {self.price.currency}" if self.price is not None else ""

    def ahead(self, one: UnknownRequest) -> datetime | None:
        """When the provider would send it, if that is still to come."""
        return one.scheduled_at if one.scheduled_at is not None and one.scheduled_at > self.now else None


def unknown_text(requests: Sequence[UnknownRequest], seen: Seen) -> str:
    """Each request, what is known of it, and the four answers."""
    if not requests:
        return "Nothing is unknown.\n"
    lines: list[str] = []
    for one in requests:
        lines += [*_lines(one, seen), ""]
    first, env = requests[0], seen.environment.name
    if any(hint.uuid and hint.finding in {"", "not_shown"} for one in requests for hint in one.hints):
        lines += ["A hint is believed once the provider confirms it. This asks:", f"  campaignkit refresh --env {env}", ""]
    answers = [
        ("--accepted --uuid UUID", "it went out, and this is its uuid, which is checked"),
        ("--accepted --no-uuid", "it went out; its uuid is not known"),
        ("--abandon", "leave it; these people are never sent it"),
        (f"--not-sent --reason TEXT --expect-people {first.recipients}", "it did not go out; these people are sent it again"),
    ]
    lines.append("Each is settled by one answer; doing nothing keeps its people held back:")
    for answer, meaning in answers:
        lines += [f"  {meaning}:", f"    campaignkit resolve {first.ref} {answer} --env {env}"]
    return "\n".join(lines) + "\n"


def _lines(one: UnknownRequest, seen: Seen) -> list[str]:
    money = f", about {seen.cost(one)}" if seen.price is not None else ""
    age = f", {_age(seen.now, one.sent_at)} ago" if one.sent_at else ""
    lines = [f"{one.ref}  {', '.join(f'{one.campaign}/{mailing}' for mailing in one.mailings)}: {people(one.recipients)}{money}{age}"]
    lines += [f"  {_call(one)}"] if one.method != "bulk" else []
    # A quick message has no name at the provider: its phone and the time lead to it.
    lines += [f"  search the provider's cabinet for {tag}" for tag in one.tags if one.method != "quick"]
    lines.append(f"  what happened: {hidden(line(one.reason)) or 'the process died while it was under way'}")
    # Of a process that died nobody knows what it has written.
    wire = f"{one.phase}, {one.bytes_written:,} bytes written" if one.phase else "unknown: any part of it may have been written"
    lines.append(f"  on the wire: {wire}" + (f", HTTP {one.http_status}" if one.http_status else ""))
    if one.answer:
        lines.append(f"  the answer kept: {hidden(line(one.answer, 200))}")
    lines += [f"  {_hint(hint)}" for hint in one.hints]
    if ahead := seen.ahead(one):
        lines.append(f"  scheduled for {ahead:%Y-%m-%d %H:%M:%S} UTC: until then the cabinet may still show, and cancel, it")
    more = ", …" if one.recipients > len(one.first_phones) else ""
    lines.append(f"  to: {', '.join(shown(phone, reveal=seen.reveal) for phone in one.first_phones)}{more}")
    if one.not_sent_from > seen.now:
        wait = _age(one.not_sent_from, seen.now)
        lines.append(f"  --not-sent can be said from {one.not_sent_from:%Y-%m-%d %H:%M:%S} UTC, in {wait}")
    return lines


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


def _call(one: UnknownRequest) -> str:
    if one.method == "quick":
        return "a quick message: search the provider's cabinet for its phone (--reveal shows it) and time"
    if one.step == "create":
        return "the making of a draft of a list mailing: if it was made, nobody got it before somebody confirms it"
    known = f"the draft {line(one.message_id, 40)}" if one.message_id else "a draft"
    return f"the confirm of {known} of a list mailing: look whether the cabinet shows it as sent. --not-sent makes it a draft again"


def _age(now: datetime, then: datetime) -> str:
    seconds = max(0.0, (now - then).total_seconds())
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return plural(round(seconds / size), word)
    return plural(round(seconds), "second")


def unknown_document(requests: Sequence[UnknownRequest], seen: Seen) -> dict[str, Any]:
    """The document of `schemas/resolve.schema.json`."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "environment": seen.environment.name,
        "requests": [
            {
                "request": one.ref,
                "tag": one.tags[0],
                "tags": list(one.tags),
                "method": one.method,
                "step": one.step or None,
                "message_id": one.message_id or None,
                "campaign": one.campaign,
                "mailings": list(one.mailings),
                "recipients": one.recipients,
                "phones": [shown(phone, reveal=seen.reveal) for phone in one.first_phones],
                "cost": seen.cost(one) or None,
                "sent_at": one.sent_at.isoformat() if one.sent_at else None,
                "age_seconds": max(0, int((seen.now - one.sent_at).total_seconds())) if one.sent_at else None,
                "scheduled_at": ahead.isoformat() if (ahead := seen.ahead(one)) else None,
                "not_sent_from": one.not_sent_from.isoformat(),
                "phase": one.phase or None,
                "bytes_written": one.bytes_written if one.phase else None,
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
    return document | ({"sandbox": True} if seen.environment.is_sandbox else {})
