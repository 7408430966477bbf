"""What a real state holds for a mailing, under its own name, one that was moved, or one that is gone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from campaignkit.engine.history import Histories, MailingHistory, moves
from campaignkit.model.mailings import Mailing, MailingKey
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.plans.known import Standing
from campaignkit.protocol.messages import CampaignHead, Index
from campaignkit.states.records import PlannedBatch, PlannedRequest, RequestState
from tests.engine.conftest import FIRST, Bench, head, mailing
from tests.engine.test_planner import DONE, NOW, fates, job, said, sends
from tests.fakes.front import people
from tests.fakes.provider import FakeSender, result

UNKNOWN = result(Outcome.UNKNOWN)
FIVE = range(FIRST, FIRST + 5)


def sent(bench: Bench, *ends: SendResult, text: int = 0, campaign: str = "spring", name: str = "invitation", revision: int = 1) -> None:
    """Five people got a mailing, or may have."""
    words = (mailing(name, campaign=campaign, revision=revision), *said(5, text=text)[1:])
    sends(bench, *words, heads=[head(name, campaign=campaign, revision=revision)], sender=FakeSender(*ends))


def planned(
    bench: Bench, *files: CampaignHead, text: int = 0, name: str = "invitation", campaign: str = "spring", revision: int = 1
) -> dict[str, int]:
    """The fates of the same five people and of two more, in a project with these files."""
    words = (mailing(name, campaign=campaign, revision=revision), *said(7, text=text)[1:])
    mine = [one for one in files if one.campaign == campaign]
    return fates(job(bench, *words, DONE, heads=mine, files=files).run().counts)


def history(bench: Bench, one: Mailing, *files: CampaignHead) -> MailingHistory:
    return Histories(bench.store, Index(campaigns=files)).of(one)


def standings(found: MailingHistory, phones: Sequence[int] = FIVE) -> set[Standing]:
    return {known.standing for known in found.known(phones).values()}


@pytest.mark.parametrize(
    ("campaign_from", "mailing_from", "keys"),
    [
        ("", "", []),
        ("", "old", [("spring", "old")]),
        ("winter", "", [("winter", "invitation")]),
        ("winter", "old", [("spring", "old"), ("winter", "invitation"), ("winter", "old")]),
    ],
)
def test_moved_from_names_every_identity_but_the_mailing_s_own(campaign_from: str, mailing_from: str, keys: list[tuple[str, str]]) -> None:
    found = moves(head("invitation", revision=3, moved_from=campaign_from, renamed={"invitation": mailing_from}))
    assert found == {"invitation": tuple(MailingKey(campaign, 3, name) for campaign, name in keys)}


@pytest.mark.parametrize(("end", "fate"), [((), "sent"), ((UNKNOWN,), "unknown")])
def test_deliveries_of_a_name_that_was_moved_count_as_the_mailing_s_own(bench: Bench, end: tuple[SendResult, ...], fate: str) -> None:
    sent(bench, *end, name="old")
    assert planned(bench, head(renamed={"invitation": "old"})) == {fate: 5, "send": 2}


def test_deliveries_of_a_campaign_that_was_moved_count_as_the_mailing_s_own(bench: Bench) -> None:
    sent(bench, campaign="winter")
    assert planned(bench, head(moved_from="winter")) == {"sent": 5, "send": 2}


@pytest.mark.parametrize("text", [0, 1])
def test_a_renamed_mailing_is_a_resend_whatever_its_content(bench: Bench, text: int) -> None:
    sent(bench, name="old")
    assert planned(bench, head(), text=text) == {"resend": 5, "send": 2}


@pytest.mark.parametrize("revision", [1, 3])
def test_another_revision_of_the_same_mailing_is_a_resend(bench: Bench, revision: int) -> None:
    sent(bench, revision=revision)
    assert planned(bench, head(revision=2), revision=2, text=1) == {"resend": 5, "send": 2}


def test_another_mailing_that_is_still_in_the_file_makes_no_resend(bench: Bench) -> None:
    sent(bench, name="reminder")
    assert planned(bench, head("invitation", "reminder")) == {"send": 7}


def test_an_identity_that_another_mailing_took_over_makes_no_resend(bench: Bench) -> None:
    sent(bench, name="old")
    assert planned(bench, head("invitation", "reminder", renamed={"reminder": "old"})) == {"send": 7}


@pytest.mark.parametrize(("text", "fates_"), [(0, {"resend": 5, "send": 2}), (1, {"send": 7})])
def test_of_a_campaign_that_is_gone_only_the_same_content_is_a_resend(bench: Bench, text: int, fates_: dict[str, int]) -> None:
    sent(bench, campaign="winter")
    assert planned(bench, head(), text=text) == fates_


def test_the_same_content_of_a_campaign_that_is_still_there_makes_no_resend(bench: Bench) -> None:
    sent(bench, campaign="winter")
    assert planned(bench, head(), head(campaign="winter", lifecycle="closed")) == {"send": 7}


def test_a_broken_file_hides_nobody_who_was_sent_to(bench: Bench) -> None:
    """It is in the index without an id: what it sent stands, and what others of its campaign would repeat is a resend."""
    sent(bench, campaign="winter")
    assert planned(bench, head(), head(campaign="")) == {"resend": 5, "send": 2}


def test_an_unknown_delivery_under_a_name_that_is_gone_is_a_resend_too(bench: Bench) -> None:
    sent(bench, UNKNOWN, name="old")
    assert planned(bench, head()) == {"resend": 5, "send": 2}


def test_whoever_was_freed_under_a_name_that_is_gone_is_new(bench: Bench) -> None:
    sent(bench, UNKNOWN, name="old")
    bench.store.resolve("r1", RequestState.RELEASED, reason="seen", at=NOW)
    assert planned(bench, head()) == {"send": 7}
    assert history(bench, mailing(), head()).gone == []


def test_a_mailing_whose_file_is_gone_still_knows_its_own_deliveries(bench: Bench) -> None:
    sent(bench)
    sent(bench, name="old")
    found = history(bench, mailing())
    assert (standings(found), len(found.gone)) == ({Standing.ACCEPTED}, 1)


@pytest.mark.parametrize("first", ["invitation", "old"])
def test_of_two_names_of_one_person_the_surer_standing_counts(bench: Bench, first: str) -> None:
    """Both the new name and the one it was moved from were used: whoever was accepted under either is never sent to again."""
    second = {"invitation": "old", "old": "invitation"}[first]
    sent(bench, name=first)
    sent(bench, UNKNOWN, name=second)
    file = head(renamed={"invitation": "old"})
    found = history(bench, mailing(), file)
    assert standings(found) == {Standing.ACCEPTED}
    assert (found.claimed, found.accepted) == (10, 5)
    assert planned(bench, file) == {"sent": 5, "send": 2}


def test_abandoned_is_surer_than_what_is_only_planned(bench: Bench) -> None:
    sent(bench, UNKNOWN, name="old")
    bench.store.resolve("r1", RequestState.ABANDONED, reason="seen", at=NOW)
    claim(bench)
    assert standings(history(bench, mailing(), head(renamed={"invitation": "old"}))) == {Standing.ABANDONED}


def claim(bench: Bench) -> str:
    """Five people are planned by a run that has not come to them; returns the request."""
    one, five = mailing(), people(FIVE)
    batch = PlannedBatch(
        key=one.key, path=one.path, line=one.line, definition=one.definition, tag="ck-1", name="one ck-1",
        phones=five.phones.tobytes(), fingerprints=five.fingerprints,
    )  # fmt: skip
    run = bench.store.begin_run(command="apply", digest="d", at=NOW)
    [ref] = bench.store.write_plan(run, [PlannedRequest(batches=(batch,))], NOW)
    return ref


def test_an_intent_counts_as_unknown_and_a_plan_as_pending(bench: Bench) -> None:
    ref = claim(bench)
    assert standings(history(bench, mailing(), head())) == {Standing.PENDING}
    assert planned(bench, head()) == {"send": 7}
    bench.store.mark_intent(ref, NOW)
    assert standings(history(bench, mailing(), head())) == {Standing.UNKNOWN}
    assert planned(bench, head()) == {"unknown": 5, "send": 2}


def test_without_a_state_nothing_is_known(bench: Bench) -> None:
    sent(bench)
    found = Histories(None, Index(campaigns=(head(),))).of(mailing())
    assert (found.known(FIVE), found.elsewhere(FIVE, people(FIVE).fingerprints)) == ({}, set())
