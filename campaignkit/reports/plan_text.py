"""A plan for people: who would be sent what and why, then what it costs and risks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from campaignkit.model.phones import quoted, shown
from campaignkit.plans.classify import REASONS, Fate
from campaignkit.plans.plan import CampaignPlan, MailingPlan, Plan
from campaignkit.reports.safe import line, people, plural, punycode

_MARKS = {
    Fate.SEND: "+", Fate.RESEND: "±", Fate.EDITED: "~", Fate.SENT: "=", Fate.UNKNOWN: "?", Fate.REJECTED: "x",
    Fate.ABANDONED: "x", Fate.LATE: "x",
}  # fmt: skip
_CHILD = {
    "filtered": "left out by where",
    "invalid": "bad rows, left out",
    "duplicate": "a phone again",
    "suppressed": "on a suppression list",
}


def plan_text(plan: Plan, *, reveal: bool = False, verbose: bool = False) -> str:
    """The whole plan."""
    lines: list[str] = []
    for campaign in plan.campaigns:
        lines += _campaign(campaign, reveal=reveal, verbose=verbose)
    for name in plan.drafts:
        lines += [f"{name}: a draft, sent to the sandbox only", ""]
    lines += _closing(plan)
    return "\n".join(lines) + "\n"


def _campaign(campaign: CampaignPlan, *, reveal: bool, verbose: bool) -> Iterator[str]:
    yield f"{campaign.campaign}  ({line(campaign.path)})"
    for mailing in campaign.mailings:
        yield from _mailing(mailing, reveal=reveal, verbose=verbose)
    yield ""


def _mailing(plan: MailingPlan, *, reveal: bool, verbose: bool) -> Iterator[str]:
    mailing, counts = plan.mailing, plan.counts
    yield f"  {mailing.key.mailing}  {mailing.message_type} {mailing.content_type}, sender {line(mailing.alphaname_id)}"
    if mailing.schedule_shown:
        yield f"    at {mailing.schedule_shown}"
    for fate, mark in _MARKS.items():
        number = getattr(counts, fate)
        if number:
            yield f"    {mark} {fate:<10}{number:>9,}  {REASONS[fate]}"
            if fate not in {Fate.SEND, Fate.SENT} or verbose:
                people = ", ".join(shown(phone, reveal=reveal) for phone in plan.examples.get(fate, ()))
                if people:
                    yield f"      {'':<19}{people}{', …' if number > len(plan.examples[fate]) else ''}"
    for name, reason in _CHILD.items():
        number = getattr(counts, name)
        if number:
            yield f"    - {name:<10}{number:>9,}  {reason}"
    parts = [f"{getattr(counts, name):,} {name}" for name in (*_CHILD, *(str(f) for f in Fate)) if getattr(counts, name)]
    yield f"    {counts.rows:,} rows = {' + '.join(parts) or 'nobody'}"
    texts = plan.texts
    if texts.sample or texts.sample_link:
        phone = texts.sample_phone
        sample, link = (quoted(part, phone, reveal=reveal) for part in (texts.sample, texts.sample_link))
        target = f" → {line(link)}" if link else ""
        yield f"    like: {shown(phone, reveal=reveal)}: {line(sample, 300)}{target}"


def _closing(plan: Plan) -> Iterator[str]:
    counts = plan.counts
    if not counts.to_send:
        yield "Plan: nothing to send."
        yield from _held_back(plan)
        yield f"Digest: {plan.digest}"
        return
    again = f" ({counts.resend:,} of them again)" if counts.resend else ""
    yield f"Plan: {people(counts.to_send)} to message{again} in {plural(counts.requests, 'request')}."
    for name, value in closing_figures(plan):
        yield f"  {name:<9} {value}"
    yield from _held_back(plan)
    yield f"Digest: {plan.digest}"


def _held_back(plan: Plan) -> Iterator[str]:
    if plan.counts.unknown:
        yield f"  {people(plan.counts.unknown)} held back by unknown outcomes: campaignkit resolve --env {plan.environment.name}"
    environment = plan.environment.name
    if plan.stateless and plan.components.lineage is None:
        yield f"  There is no state yet: nobody counts as sent. Before the first apply: campaignkit state init --env {environment}"
    elif plan.stateless:
        yield "  The state that campaignkit.lock records is not on this machine: nobody counts as sent in this plan."
    yield from (f"  {note}" for note in plan.notes)


def closing_figures(plan: Plan) -> Iterator[tuple[str, str]]:
    """Cost, lengths, link hosts, duration, and what one lost call would leave unknown: each a name and a value."""
    counts, environment = plan.counts, plan.environment
    if plan.cost is not None and plan.price is not None:
        yield (
            "cost",
            f"about {plan.cost.normalize():f} {plan.price.currency} ({plan.price.amount:f} {plan.price.currency} a message)",
        )
    else:
        yield "cost", "unknown: campaignkit.yaml names no price"
    texts = [mailing.texts for campaign in plan.campaigns for mailing in campaign.mailings if mailing.texts.live]
    live = sum(one.live for one in texts)
    if live:
        mean = sum(one.characters for one in texts) / live
        whole = "" if live == counts.to_send else " (over the whole audience)"
        shortest, longest = min(one.shortest for one in texts), max(one.longest for one in texts)
        yield "texts", f"{shortest:,} to {longest:,} characters, {mean:.0f} on average{whole}"
    hosts: Counter[str] = Counter()
    for one in texts:
        hosts.update(one.hosts)
    if hosts:
        named = ", ".join(f"{line(punycode(host), 160)} ({number:,})" for host, number in hosts.most_common(8))
        whole = "" if live == counts.to_send else " (over the whole audience)"
        yield "links", named + (f", and {len(hosts) - 8} more" if len(hosts) > 8 else "") + whole
    if environment.rate:
        yield (
            "duration",
            f"at least {_duration(counts.requests / environment.rate)} at {environment.rate:g} requests a second",
        )
    else:
        yield "duration", "no pace is set"
    yield "at stake", f"one lost call would leave up to {people(plan.at_stake)} unknown"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
