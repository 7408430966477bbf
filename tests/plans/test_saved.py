"""Saved plans and gates: the same digest or a reason, the very number or a refusal."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from campaignkit.errors import PlanError, RefusedError, UsageError
from campaignkit.model.counts import Counts
from campaignkit.model.mailings import Mailing, MailingKey
from campaignkit.model.settings import Environment, Price
from campaignkit.plans.digest import Components, moved
from campaignkit.plans.gates import check, parse_accepts
from campaignkit.plans.plan import CampaignPlan, MailingPlan, Plan
from campaignkit.plans.planfile import check_same, load, save

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMPONENTS = Components(
    tool="0.1", environment="live https://x", lineage="abc", releases=0, settings="s", suppressions="none", retry_rejected=False,
    definitions={"spring": "d"}, audiences={"spring/one": "a"},
)  # fmt: skip


def plan(*, send: int = 5, resend: int = 0, accept: int | None = None, components: Components = COMPONENTS, **settings: object) -> Plan:
    mailing = Mailing(
        key=MailingKey("spring", 1, "one"), path="campaigns/spring.yaml", line=5, message_type="bulk", content_type="text",
        alphaname_id="1", schedule_wire="", schedule_utc=None, schedule_shown="", content={}, definition="d",
    )  # fmt: skip
    counts = Counts(rows=send + resend, send=send, resend=resend, requests=1)
    campaign = CampaignPlan(campaign="spring", revision=1, path="campaigns/spring.yaml", accept_resend=accept)
    campaign.mailings = [MailingPlan(mailing=mailing, counts=counts)]
    environment = Environment(**({"name": "live", "base_url": "https://x", "state": "s.db"} | settings))  # type: ignore[arg-type]  # by name
    return Plan(
        environment=environment, components=components, campaigns=[campaign], drafts=[], notes=[],
        price=Price(amount=Decimal("0.049"), currency="EUR"), batch_size=100, batches_per_request=1, created_at=NOW,
    )  # fmt: skip


def test_a_saved_plan_comes_back_and_fits(tmp_path: Path) -> None:
    save(plan(), tmp_path / "p.json")
    saved = load(tmp_path / "p.json")
    assert (saved.digest, saved.selection, saved.to_send) == (plan().digest, ("spring",), {"spring/one": 5})
    check_same(saved, plan(send=3), NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"definitions": {"spring": "other"}}, "the definition of spring"),
        ({"audiences": {"spring/one": "other"}}, "the audience of spring/one"),
        ({"settings": "t"}, "the settings"),
        ({"suppressions": "t"}, "the suppression lists"),
        ({"lineage": "def"}, "the state"),
        ({"releases": 1}, "keys were freed by hand"),
        ({"tool": "0.2"}, "the version of campaignkit"),
        ({"environment": "live https://y"}, "the environment or its origin"),
        ({"definitions": {"spring": "d", "more": "d"}}, "the definition of more"),
    ],
)
def test_whatever_moves_is_named(tmp_path: Path, change: dict[str, object], words: str) -> None:
    save(plan(), tmp_path / "p.json")
    now = plan(components=replace(COMPONENTS, **change))  # type: ignore[arg-type]  # by name
    assert words in moved(COMPONENTS, now.components)[0]
    with pytest.raises(PlanError, match=words):
        check_same(load(tmp_path / "p.json"), now, NOW)


def test_a_plan_that_grew_is_refused(tmp_path: Path) -> None:
    save(plan(), tmp_path / "p.json")
    with pytest.raises(PlanError, match="keys were freed"):
        check_same(load(tmp_path / "p.json"), plan(send=6), NOW)


def test_a_plan_expires(tmp_path: Path) -> None:
    save(plan(), tmp_path / "p.json")
    with pytest.raises(PlanError, match="expired"):
        check_same(load(tmp_path / "p.json"), plan(), NOW + timedelta(days=8))


@pytest.mark.parametrize("edit", [{"settings": "evil"}, {"lineage": None}])
def test_an_edited_plan_file_is_refused(tmp_path: Path, edit: dict[str, object]) -> None:
    save(plan(), tmp_path / "p.json")
    raw = json.loads((tmp_path / "p.json").read_text())
    raw["components"] |= edit
    (tmp_path / "p.json").write_text(json.dumps(raw))
    with pytest.raises(PlanError, match="changed after it was saved"):
        check_same(load(tmp_path / "p.json"), plan(), NOW)


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"kind": "campaignkit-plan"}'])
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(PlanError):
        load(tmp_path / "p.json")


def test_every_component_changes_the_digest() -> None:
    for name, value in asdict(COMPONENTS).items():
        other: object = "other"
        if isinstance(value, dict):
            other = {"x": "y"}
        elif isinstance(value, int):
            other = not value
        changed = replace(COMPONENTS, **{name: other})  # type: ignore[arg-type]  # by name, each of its own type
        assert changed.digest() != COMPONENTS.digest()


def test_limits_are_refused_with_the_command_that_accepts_them() -> None:
    with pytest.raises(RefusedError) as people:
        check(plan(max_recipients=4), {}, "campaignkit apply")
    assert people.value.next_command == "campaignkit apply --accept recipients=5"
    check(plan(max_recipients=4), parse_accepts(("recipients=5",)), "campaignkit apply")
    with pytest.raises(RefusedError) as cost:
        check(plan(max_cost=Decimal("0.2")), {}, "campaignkit apply")
    assert cost.value.next_command == "campaignkit apply --accept cost=0.245"
    check(plan(max_cost=Decimal("0.2")), parse_accepts(("cost=0.245",)), "campaignkit apply")
    check(plan(max_recipients=5, max_cost=Decimal("0.245")), {}, "campaignkit apply")


def test_a_resend_needs_the_very_number() -> None:
    for accepts in ({}, {"resend": Decimal(1)}, {"resend": Decimal(3)}):
        with pytest.raises(RefusedError):
            check(plan(resend=2), accepts, "campaignkit apply")
    check(plan(resend=2), {"resend": Decimal(2)}, "campaignkit apply")
    check(plan(resend=2, accept=2), {}, "campaignkit apply")
    with pytest.raises(RefusedError):
        check(plan(resend=2, accept=3), {}, "campaignkit apply")


@pytest.mark.parametrize("word", ["resend", "resend=", "resend=x", "people=3", "resend=-1", "=3", "cost=NaN"])
def test_what_is_accepted_must_be_named(word: str) -> None:
    with pytest.raises(UsageError):
        parse_accepts((word,))


def test_people_can_not_move_from_one_mailing_to_another(tmp_path: Path) -> None:
    """The total is the reviewed one; a mailing that was to send to nobody would send to five."""
    reviewed, now = plan(), plan()
    for made, first, second in ((reviewed, 5, 0), (now, 0, 5)):
        one = made.campaigns[0].mailings[0]
        other = MailingPlan(mailing=replace(one.mailing, key=MailingKey("spring", 1, "two")), counts=Counts(rows=second, send=second))
        one.counts.send = first
        made.campaigns[0].mailings.append(other)
    save(reviewed, tmp_path / "p.json")
    with pytest.raises(PlanError, match="spring/two was reviewed for 0 people"):
        check_same(load(tmp_path / "p.json"), now, NOW)
