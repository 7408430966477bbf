"""What an apply refuses unless the operator names the very number: limits, and people who got it before."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from campaignkit.errors import RefusedError, UsageError
from campaignkit.model.mailings import LIST
from campaignkit.plans.plan import Plan

NAMES = ("recipients", "cost", "resend")


def parse_accepts(words: tuple[str, ...]) -> dict[str, Decimal]:
    """`--accept NAME=N`, given any number of times.

    Raises:
        UsageError: A word is not of that shape.
    """
    found: dict[str, Decimal] = {}
    for word in words:
        name, _, number = word.partition("=")
        try:
            value = Decimal(number)
        except InvalidOperation:
            raise UsageError(f"--accept takes NAME=N, like resend=12, not {word!r}") from None
        if name not in NAMES or not value.is_finite() or value < 0:
            raise UsageError(f"--accept knows {', '.join(NAMES)}, each with a number; not {word!r}")
        found[name] = value
    return found


def check(plan: Plan, accepts: dict[str, Decimal], command: str) -> None:
    """Hold a plan against the limits.

    Args:
        plan: What would be sent.
        accepts: What the operator accepts.
        command: The command that was run, to which the missing acceptance is added.

    Raises:
        RefusedError: Something is over a limit, or people would get a mailing again, and nobody accepted that number.
    """
    _check_lists(plan)
    people = plan.reach
    most = plan.environment.max_recipients
    if most is not None and people > most and accepts.get("recipients", Decimal(-1)) < people:
        raise RefusedError(
            f"{people:,} people would be messaged; max_recipients of {plan.environment.name} is {most:,}. Nothing was sent.",
            next_command=_accepting(command, "recipients", str(people)),
        )
    cost, budget = plan.cost, plan.environment.max_cost
    if budget is not None and cost is None and people:
        raise RefusedError(f"max_cost of {plan.environment.name} is set, but campaignkit.yaml names no price. Nothing was sent.")
    if budget is not None and cost is not None and cost > budget and accepts.get("cost", Decimal(-1)) < cost:
        currency = plan.price.currency if plan.price else ""
        raise RefusedError(
            f"this would cost about {cost.normalize():f} {currency}; max_cost of {plan.environment.name} is {budget:f}. Nothing was sent.",
            next_command=_accepting(command, "cost", f"{cost.normalize():f}"),
        )
    _check_resend(plan, accepts, command)


def allowed(plan: Plan, accepts: dict[str, Decimal]) -> int | None:
    """How many people a run may message by these limits, where lists of the provider turn out larger than anybody knew.

    Args:
        plan: What would be sent.
        accepts: What the operator accepts.

    Returns:
        The smaller of both limits in people; None if there is none.
    """
    found: list[Decimal] = []
    if plan.environment.max_recipients is not None:
        found.append(max(Decimal(plan.environment.max_recipients), accepts.get("recipients", Decimal(0))))
    if plan.environment.max_cost is not None and plan.price is not None and plan.price.amount:
        found.append(max(plan.environment.max_cost, accepts.get("cost", Decimal(0))) // plan.price.amount)
    return int(min(found)) if found else None


def _check_lists(plan: Plan) -> None:
    """People who are not to be messaged can't be taken off a list of the provider."""
    for campaign in plan.campaigns:
        for one in campaign.mailings:
            if one.mailing.method == LIST and one.counts.to_send and plan.not_to_message and not one.mailing.optouts_handled:
                raise RefusedError(
                    f"{one.mailing.path}:{one.mailing.line}: {one.mailing.key} goes to a list of the provider, from which nobody can be "
                    f"left out, and {plan.not_to_message:,} people are on suppression lists or opted out. Nothing was sent. If the "
                    "provider's list is rid of them, say optouts: handled-by-provider on the mailing.",
                    next_command="campaignkit optouts list",
                )


def _accepting(command: str, name: str, number: str) -> str:
    """The command with one acceptance, in place of another number for the same."""
    return f"{re.sub(rf' --accept {name}=[^ ]*', '', command)} --accept {name}={number}"


def _check_resend(plan: Plan, accepts: dict[str, Decimal], command: str) -> None:
    again = plan.counts.resend
    if not again or accepts.get("resend") == again:
        return
    open_campaigns = [c for c in plan.campaigns if c.counts.resend and c.accept_resend != c.counts.resend]
    if not open_campaigns:
        return
    names = ", ".join(f"{campaign.campaign} ({campaign.counts.resend:,})" for campaign in open_campaigns)
    raise RefusedError(
        f"{again:,} people got this before, under a name or revision that is gone: {names}. Nothing was sent. "
        "If they are the same mailing, add moved_from: OLD-NAME to carry their deliveries over; if they are to get it again, "
        "accept the very number here or as accept: {resend: N} in the campaign file.",
        next_command=_accepting(command, "resend", str(again)),
    )
