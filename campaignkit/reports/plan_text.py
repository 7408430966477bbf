"""A plan for people: who would be sent what and why, then what it costs and risks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from campaignkit.model.mailings import LIST, QUICK, Mailing
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
    yield f"  {mailing.key.mailing}  {_kind(mailing)}"
    if mailing.schedule_shown:
        yield f"    at {mailing.schedule_shown}"
    for fate, mark in _MARKS.items():
        number = getattr(counts, fate)
        if number:
            yield f"    {mark} {fate:<10}{number:>9,}  {REASONS[fate]}"
            if fate not in {Fate.SEND, Fate.SENT} or verbose:
                examples = ", ".join(shown(phone, reveal=reveal) for phone in plan.examples.get(fate, ()) if phone)
                if examples:
                    yield f"      {'':<19}{examples}{', …' if number > len(plan.examples[fate]) else ''}"
    yield from _steps(plan)
    for name, reason in _CHILD.items():
        number = getattr(counts, name)
        if number:
            yield f"    - {name:<10}{number:>9,}  {_why(name, plan) or reason}"
    parts = [f"{getattr(counts, name):,} {name}" for name in (*_CHILD, *(str(f) for f in Fate)) if getattr(counts, name)]
    rows = plural(counts.rows, "list" if mailing.method == LIST else "row")
    yield f"    {rows} = {' + '.join(parts) or 'nobody'}"
    texts = plan.texts
    if texts.sample or texts.sample_link:
        phone = texts.sample_phone
        sample, link = (quoted(part, phone, reveal=reveal) for part in (texts.sample, texts.sample_link))
        target = f" → {line(link)}" if link else ""
        person = f"{shown(phone, reveal=reveal)}: " if phone else ""
        yield f"    like: {person}{line(sample, 300)}{target}"


def _why(name: str, plan: MailingPlan) -> str:
    """Of the suppressed, who asked for nothing more."""
    if name != "suppressed" or not plan.opted_out:
        return ""
    both = plan.counts.suppressed > plan.opted_out
    return f"on a suppression list, or asked for nothing more ({plan.opted_out:,})" if both else "asked for nothing more"


def _kind(mailing: Mailing) -> str:
    """How it is sent and by whom, in a few words."""
    if mailing.method == QUICK:
        sms = f", by SMS from sender {line(mailing.sms_alphaname_id)} after {mailing.sms_after} min" if mailing.sms_after else ""
        return f"quick {mailing.content_type}, Viber name {line(mailing.vibername_id)}{sms}"
    if mailing.method == LIST:
        bounds = {"at least": mailing.expect_min, "at most": mailing.expect_max}
        expected = " and ".join(f"{words} {number:,}" for words, number in bounds.items() if number is not None)
        return f"{mailing.content_type} to list {line(mailing.list_id)}, Viber name {line(mailing.vibername_id)}" + (
            f", expected {expected} subscribers" if expected else ""
        )
    return f"{mailing.message_type} {mailing.content_type}, sender {line(mailing.alphaname_id)}"


def _steps(plan: MailingPlan) -> Iterator[str]:
    """The calls of a mailing to a list: only the second costs money."""
    if plan.mailing.method != LIST or not plan.counts.to_send:
        return
    draft = plan.draft
    if draft is None:
        yield "      1. make a draft of it at the provider, which tells how many subscribers it has"
    else:
        size = "an unknown number of" if draft.subscribers is None else f"{draft.subscribers:,}"
        yield f"      1. the draft {line(draft.message_id)} for {size} subscribers stands at the provider already ({draft.request})"
    yield "      2. confirm it, which is what costs the money; `--no-confirm` leaves that to campaignkit confirm"


def whom(plan: Plan) -> str:
    """Who would be messaged: people, and lists whose people the provider alone knows."""
    lists = sum(one.counts.to_send for campaign in plan.campaigns for one in campaign.mailings if one.mailing.method == LIST)
    named = plan.counts.to_send - lists
    parts = [people(named)] if named or not lists else []
    return " and ".join(parts + ([plural(lists, "list")] if lists else []))


def _closing(plan: Plan) -> Iterator[str]:
    counts = plan.counts
    if not counts.to_send:
        yield "Plan: nothing to send."
        yield from _held_back(plan)
        yield f"Digest: {plan.digest}"
        return
    again = f" ({counts.resend:,} of them again)" if counts.resend else ""
    yield f"Plan: {whom(plan)} to message{again} in {plural(counts.requests, 'request')}."
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
            f"about {plan.cost.normalize():f} {plan.price.currency} ({plan.price.amount:f} {plan.price.currency} a message)"
            + _of_lists(plan),
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


def _of_lists(plan: Plan) -> str:
    """What the cost says of lists of the provider, whose size nobody knows before their draft."""
    lists = [one for campaign in plan.campaigns for one in campaign.mailings if one.mailing.method == LIST and one.counts.to_send]
    unmade = [one for one in lists if not (one.draft and one.draft.subscribers is not None)]
    unbounded = sum(one.mailing.expect_max is None for one in unmade)
    if unbounded:
        return f", and whatever {plural(unbounded, 'list')} of unknown size will cost"
    return ", with lists as large as they may be" if unmade else ""


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
