"""What a hostile reader tried: each of these once sent somebody twice, lost somebody, or said the wrong thing."""

from __future__ import annotations

from collections.abc import Callable

from tests.acceptance.places import BULK, Provider, Workplace, phones

Live = Callable[..., Provider]


def bulk(name: str, extra: str = "", campaign: str = "spring") -> str:
    return BULK.format(campaign=campaign, mailing=name, file="people.csv", text="Only today").replace(
        "    message_type", f"{extra}    message_type"
    )


def second(text: str) -> str:
    """Only the mailings of a campaign file, to stand below another's."""
    return text.partition("mailings:\n")[2]


def test_moved_from_can_not_take_from_a_mailing_that_stands(place: Workplace, live: Live) -> None:
    provider = live(people=5)
    place.ok("apply", "--auto-approve")
    place.write("campaigns/spring.yaml", bulk("invitation") + second(bulk("reminder", "    moved_from: invitation\n")))
    refused = place.run("apply", "--auto-approve")
    assert refused.code == 3
    assert "CK123" in refused.err
    assert sum(provider.accepted().values()) == 5


def test_two_mailings_can_not_come_from_one(place: Workplace, live: Live) -> None:
    live(people=5)
    place.ok("apply", "--auto-approve")
    moved = "    moved_from: invitation\n"
    place.write("campaigns/spring.yaml", bulk("one", moved) + second(bulk("two", moved)))
    assert "CK123" in place.run("validate").out


def test_a_draft_moves_nothing(place: Workplace, live: Live) -> None:
    provider = live(people=5)
    place.ok("apply", "--auto-approve")
    draft = bulk("invitation", campaign="summer").replace("sender: shop", "sender: shop\nlifecycle: draft\nmoved_from: spring")
    place.write("campaigns/summer.yaml", draft)
    place.run("apply", "--auto-approve")
    (place.root / "campaigns/summer.yaml").unlink()
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 5
    assert sum(provider.accepted().values()) == 5


def test_a_revision_taken_back_is_a_resend_too(place: Workplace, live: Live) -> None:
    live(people=5)
    place.write("campaigns/spring.yaml", bulk("invitation").replace("sender: shop", "sender: shop\nrevision: 2"))
    place.ok("apply", "--auto-approve")
    place.write("campaigns/spring.yaml", bulk("invitation"))
    assert place.ok("plan", "--format", "json").json["summary"]["resend"] == 5
    assert place.run("apply", "--auto-approve").code == 5


def test_a_plan_of_a_project_with_drafts_can_be_applied(place: Workplace, live: Live) -> None:
    provider = live(people=5)
    place.write("campaigns/summer.yaml", bulk("later", campaign="summer").replace("sender: shop", "sender: shop\nlifecycle: draft"))
    place.ok("plan", "--out", "p.plan.json")
    place.ok("apply", "--plan", "p.plan.json", "--auto-approve")
    assert sorted(provider.accepted().elements()) == phones(5)


def test_an_old_unknown_is_said_also_when_its_people_left_the_audience(place: Workplace, live: Live) -> None:
    live(people=5, scenario={"faults": [{"method": "sendBulkViber", "nth": 1, "fault": "drop_after"}]})
    assert place.run("apply", "--auto-approve").code == 7
    place.write("campaigns/people.csv", "phone\n" + phones(1, 5_000_000)[0] + "\n")
    assert place.run("apply", "--auto-approve").code == 7


def test_a_stop_list_without_a_header_is_an_error(place: Workplace, live: Live) -> None:
    provider = live(people=2)
    settings = (place.root / "campaignkit.yaml").read_text("utf-8")
    place.write("campaignkit.yaml", settings + "suppress: [stop.csv]\n")
    place.write("stop.csv", "\n".join(phones(2)) + "\n")
    refused = place.run("apply", "--auto-approve")
    assert refused.code == 3
    assert "CK317" in refused.err
    assert not provider.accepted()


def test_the_url_of_a_store_is_refused_and_not_shown(place: Workplace, live: Live) -> None:
    live(people=2)
    place.env["CAMPAIGNKIT_STATE"] = "postgresql://user:hunter2@db/x"
    refused = place.run("apply", "--auto-approve")
    assert refused.code == 5
    assert "hunter2" not in refused.err


def test_the_sandbox_never_writes_where_the_real_state_belongs(place: Workplace, live: Live) -> None:
    live(people=2)
    (place.root / "state/live.db").unlink()
    place.env["CAMPAIGNKIT_BASE_URL"] = "sandbox"
    place.ok("apply", "--auto-approve")
    assert not (place.root / "state/live.db").exists()


def test_a_plan_made_without_the_state_can_be_applied_where_it_is(place: Workplace, live: Live) -> None:
    """A pull request's runner has campaignkit.lock but not the state: what it reviewed shrinks to what is sendable."""
    provider = live(people=5)
    place.ok("apply", "--auto-approve")
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(7)) + "\n")
    state = place.root / "state/live.db"
    kept = state.read_bytes()
    state.unlink()
    planned = place.ok("plan", "--out", "p.plan.json", "--format", "json").json
    assert (planned["state"], planned["summary"]["send"]) == ("none", 7)
    state.write_bytes(kept)
    place.ok("apply", "--plan", "p.plan.json", "--auto-approve")
    assert sorted(provider.accepted().elements()) == phones(7)


def test_an_older_copy_of_the_state_is_refused(place: Workplace, live: Live) -> None:
    """Put back, it would send to everybody again."""
    provider = live(people=5)
    state = place.root / "state/live.db"
    older = state.read_bytes()
    place.ok("apply", "--auto-approve")
    newer = state.read_bytes()
    state.write_bytes(older)
    for words in (("apply", "--auto-approve"), ("plan",), ("refresh",), ("status",)):
        refused = place.run(*words)
        assert (refused.code, "went back in time" in refused.err) == (5, True)
    state.write_bytes(newer)
    place.ok("apply", "--auto-approve")
    assert sum(provider.accepted().values()) == 5


def test_a_plan_counts_the_requests_that_apply_sends(place: Workplace, live: Live) -> None:
    """Also where several batches, of several mailings, share a request."""
    provider = live(people=45)
    settings = (place.root / "campaignkit.yaml").read_text("utf-8")
    place.write("campaignkit.yaml", settings.replace("first_batch: 10}", "first_batch: 10, batches_per_request: 3}"))
    place.write("campaigns/spring.yaml", bulk("one") + second(bulk("two")))
    planned = place.ok("plan", "--format", "json").json["summary"]["requests"]
    assert place.run("apply", "--auto-approve", "--format", "json").summary["requests"] == planned
    assert len(provider.ledger()["requests"]) == planned
    assert set(provider.accepted().values()) == {2}


def test_an_address_that_is_none_is_refused_in_words(place: Workplace, live: Live) -> None:
    live(people=2)
    for url in ("https://[x", "http://example.by", "https://user:hunter2@example.by", "https://example.by:x"):
        place.env["CAMPAIGNKIT_BASE_URL"] = url
        refused = place.run("apply", "--auto-approve")
        assert refused.code == 5
        assert "hunter2" not in refused.err


def test_deliveries_carried_over_count_by_what_is_surest(place: Workplace, live: Live) -> None:
    """Sent under the old name, planned anew under the new one with other people: both keep their own."""
    provider = live(people=3)
    place.ok("apply", "--auto-approve")
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(5)) + "\n")
    place.write("campaigns/spring.yaml", bulk("welcome", "    moved_from: invitation\n"))
    assert place.run("apply", "--auto-approve", "--format", "json").summary["accepted"] == 2
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 5
    assert sorted(provider.accepted().elements()) == phones(5)
