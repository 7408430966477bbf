"""A plan for a pull request: counts and outlines, no value of any person."""

from __future__ import annotations

from collections.abc import Iterator

from campaignkit.model.mailings import LIST
from campaignkit.plans.classify import REASONS, Fate
from campaignkit.plans.plan import Plan
from campaignkit.reports.plan_text import closing_figures, whom
from campaignkit.reports.safe import markdown, plural

_COLUMNS = ("rows", "filtered", "invalid", "duplicate", "suppressed", *(str(fate) for fate in Fate), "requests")


def plan_markdown(plan: Plan) -> str:
    """The whole plan; ‹name› stands for every value of a recipient."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:  # noqa: C901, PLR0912 - a page, top to bottom
    counts = plan.counts
    where = f"`{plan.environment.name}`" + (" (sandbox: nobody is messaged)" if plan.environment.is_sandbox else "")
    yield f"### campaignkit plan for {where}"
    yield ""
    yield (f"**{whom(plan)} to message** in {plural(counts.requests, 'request')}." if counts.to_send else "**Nothing to send.**")
    yield ""
    shown = [name for name in _COLUMNS if getattr(counts, name) or name in {"rows", "send", "requests"}]
    yield f"| mailing | {' | '.join(shown)} |"
    yield f"|---|{'---:|' * len(shown)}"
    for campaign in plan.campaigns:
        for one in campaign.mailings:
            figures = " | ".join(f"{getattr(one.counts, name):,}" for name in shown)
            yield f"| {markdown(str(one.mailing.key))} | {figures} |"
    yield f"| **total** | {' | '.join(f'**{getattr(counts, name):,}**' for name in shown)} |"
    yield ""
    for campaign in plan.campaigns:
        for one in campaign.mailings:
            if one.texts.outline:
                yield f"- **{markdown(str(one.mailing.key))}**: {markdown(one.texts.outline, 500)}"
                if one.mailing.schedule_shown:
                    yield f"  at {markdown(one.mailing.schedule_shown)}"
            if one.mailing.method == LIST and one.counts.to_send:
                made = f"confirms the draft {markdown(one.draft.message_id)}" if one.draft else "is made as a draft, then confirmed"
                yield f"- **{markdown(str(one.mailing.key))}** goes to list {markdown(one.mailing.list_id)} of the provider: {made}"
    if counts.to_send:
        yield ""
        for name, value in closing_figures(plan):
            yield f"- {name}: {markdown(value)}"
    reasons = [fate for fate in Fate if getattr(counts, fate) and fate not in {Fate.SEND, Fate.SENT}]
    if reasons:
        yield ""
        for fate in reasons:
            yield f"- {fate}: {REASONS[fate]}"
    for name in plan.drafts:
        yield f"- {markdown(name)} is a draft: sent to the sandbox only"
    if plan.stateless:
        yield ""
        yield "No state is here: nobody counts as sent in this plan."
    yield ""
    yield f"<sub>{plan.digest}</sub>"
