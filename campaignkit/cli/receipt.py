"""What an apply leaves behind in words: what was sent, what was not, what is unknown, and what to run next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from campaignkit.cli.console import Console
from campaignkit.engine.applier import Applied
from campaignkit.engine.sending import Ready, Sent
from campaignkit.model.mailings import BULK
from campaignkit.model.outcomes import SendResult
from campaignkit.plans.plan import Plan
from campaignkit.reports.safe import hidden, line, people, plural
from campaignkit.states.records import Recovered


@dataclass(frozen=True, slots=True)
class Open:
    """People of the selected campaigns whom the state holds as unknown or refused, also from earlier runs."""

    unknown: int
    refused: int


def receipt(console: Console, plan: Plan, applied: Applied, still: Open, *, again: str) -> None:
    """Say how it ended; the last line is a command wherever a person is needed."""
    environment = plan.environment.name
    _what_happened(console, applied)
    if still.refused:
        console.warn(f"{people(still.refused)} refused by the provider earlier; fix the mailing, or use --retry-rejected.")
    if still.unknown:
        console.warn(f"{people(still.unknown)} unknown: they may have been sent to, and are held back until somebody decides.")
        console.command(f"campaignkit resolve --env {environment}")
    elif applied.waiting and not (applied.not_sent > applied.held_people or applied.throttled or applied.rejected or still.refused):
        console.command(f"campaignkit confirm {applied.waiting[0]} --env {environment}")
    elif applied.not_sent or applied.throttled or applied.rejected or still.refused or applied.interrupted or applied.broken:
        console.command(again)
    elif applied.accepted:
        console.say(f"What became of them: campaignkit refresh --env {environment}")


def _what_happened(console: Console, applied: Applied) -> None:
    if applied.drafts:
        console.say(f"{plural(applied.drafts, 'draft')} made, and not confirmed: nobody got anything of it yet.", style="green")
    for held in applied.held:
        console.warn(f"Not confirmed: {hidden(line(held))}.")
    if (applied.requests > applied.drafts) or applied.not_sent:
        parts = [f"{applied.accepted:,} accepted"]
        parts += [
            f"{getattr(applied, name):,} {name.replace('_', ' ')}"
            for name in ("rejected", "throttled", "not_sent", "unknown")
            if getattr(applied, name)
        ]
        console.say(f"Sent: {', '.join(parts)}, in {plural(applied.requests, 'request')}.", style="green" if applied.accepted else None)
    for reason, count in applied.reasons.most_common(5):
        console.warn(f"  {count:,}: {hidden(line(reason))}")
    _how_it_ended(console, applied)
    if applied.broken:
        console.error(f"The state could not take what happened: {hidden(line(applied.broken))}")


def _how_it_ended(console: Console, applied: Applied) -> None:
    # Where the last confirm was lost, and turned out to have counted, the rule that it set off has stopped nothing.
    if applied.stopped and (applied.not_sent or applied.unknown or applied.rejected or applied.throttled):
        console.warn(f"Stopped: {hidden(line(applied.stopped))}.")
    for draft in applied.standing:
        console.warn(f"{hidden(line(draft))} stands at the provider as a draft, not confirmed: nobody got it yet.")
    if applied.interrupted and not applied.not_sent:
        console.warn("Interrupted, when everything was sent already: nobody is left out by it.")
    elif applied.interrupted:
        console.warn(f"Interrupted: {people(applied.not_sent)} not sent to; the same command again goes on where this stopped.")
    elif applied.not_sent:
        console.warn(f"{people(applied.not_sent)} not sent to; the same command again is safe.")


def recovery_words(recovered: Recovered) -> list[str]:
    """What the death of earlier runs left, said before anything is planned: who is unknown, and who is planned anew."""
    unknown, freed = recovered.unknown_people, recovered.freed_people
    words = []
    if recovered.unknown_requests:
        refs, verb = ", ".join(recovered.unknown_requests), "is" if unknown == 1 else "are"
        words.append(f"An earlier run died with {refs} in flight: {people(unknown)} {verb} unknown now, and not sent to again.")
    if freed:
        nobody = "" if unknown else " Nothing that it sent is unknown."
        words.append(f"An earlier run died before it came to {people(freed)}: they are planned anew.{nobody}")
    return words


def spill_words(ready: Ready, result: SendResult, kept: Path | None) -> str:
    """What became of a request where the state could not take it: on the terminal, whatever else fails."""
    said = f"{result.outcome}, uuid {result.uuid}" if result.uuid else str(result.outcome)
    where = f"It is kept in {kept}; the next apply takes it in." if kept else "It could be kept nowhere else: write it down."
    return f"{ready.ref} ({', '.join(ready.tags)}) ended as {said}; the state could not take it. {where}"


def request_record(sent: Sent) -> dict[str, object]:
    """One request that ended, as a record of `schemas/apply-record.schema.json`."""
    batches, step = sent.ready.batches, sent.ready.step
    message_id = sent.result.uuid or sent.ready.message_id if batches[0].mailing.method != BULK else ""
    return {
        "type": "request",
        "method": batches[0].mailing.method,
        "step": str(step) or None,
        "request": sent.ready.ref,
        "tag": sent.ready.tags[0],
        "tags": list(sent.ready.tags),
        "campaign": batches[0].mailing.key.campaign,
        "mailings": list(dict.fromkeys(batch.mailing.key.mailing for batch in batches)),
        "outcome": "draft" if step == "create" and sent.result.outcome == "accepted" else str(sent.result.outcome),
        "recipients": sent.ready.people,
        "uuid": sent.result.uuid or message_id or None,
        "message_id": message_id or None,
        "subscribers": sent.result.count,
        "http_status": sent.result.http_status,
        "reason": hidden(sent.result.reason),
    }
