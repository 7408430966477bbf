"""The main job as a user does it, over real HTTP against a provider in another process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.places import BULK, Provider, Workplace, phones, wait_until

Live = Callable[..., Provider]
CAMPAIGNS = Path(__file__).resolve().parents[2] / "campaigns"


def test_everybody_is_sent_to_once_and_a_second_run_sends_nothing(place: Workplace, live: Live) -> None:
    provider = live(people=25)
    assert place.run("plan", "--detailed-exitcode").code == 2
    first = place.run("apply", "--auto-approve", "--format", "json")
    assert first.code == 0, first.err
    assert first.summary == {"type": "summary", "accepted": 25, "rejected": 0, "throttled": 0, "not_sent": 0, "unknown": 0, "requests": 3}
    second = place.run("apply", "--auto-approve", "--format", "json")
    assert (second.code, second.summary["accepted"]) == (0, 0)
    assert set(provider.accepted().values()) == {1}
    assert len(provider.accepted()) == 25
    again = place.run("plan", "--detailed-exitcode", "--format", "json")
    assert (again.code, again.json["summary"]["sent"], again.json["summary"]["send"]) == (0, 25, 0)


def test_new_rows_are_sent_and_only_they(place: Workplace, live: Live) -> None:
    provider = live(people=5)
    place.ok("apply", "--auto-approve")
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(8)) + "\n")
    assert place.run("apply", "--auto-approve", "--format", "json").summary["accepted"] == 3
    assert set(provider.accepted().values()) == {1}
    assert len(provider.accepted()) == 8


def test_an_edited_text_is_reported_and_never_sent(place: Workplace, live: Live) -> None:
    provider = live(people=5)
    place.ok("apply", "--auto-approve")
    place.write("campaigns/spring.yaml", BULK.format(campaign="spring", mailing="invitation", file="people.csv", text="Other words"))
    plan = place.run("plan", "--format", "json", "--detailed-exitcode")
    assert (plan.code, plan.json["summary"]["edited"], plan.json["summary"]["send"]) == (0, 5, 0)
    place.ok("apply", "--auto-approve")
    assert sum(provider.accepted().values()) == 5


def test_a_refused_request_is_sent_again_after_a_fix(place: Workplace, live: Live) -> None:
    provider = live(people=5, scenario={"faults": [{"method": "sendBulkViber", "nth": 1, "fault": "http_400"}]})
    refused = place.run("apply", "--auto-approve", "--format", "json")
    assert (refused.code, refused.summary["rejected"]) == (6, 5)
    assert place.run("apply", "--auto-approve", "--format", "json").summary["accepted"] == 5
    assert sorted(provider.accepted()) == phones(5)


def test_an_unknown_outcome_holds_back_only_its_own_people(place: Workplace, live: Live) -> None:
    provider = live(people=25, scenario={"faults": [{"method": "sendBulkViber", "nth": 2, "fault": "http_500_after"}]})
    broken = place.run("apply", "--auto-approve", "--format", "json")
    assert broken.code == 7
    assert (broken.summary["accepted"], broken.summary["unknown"], broken.summary["not_sent"]) == (10, 10, 5)
    rest = place.run("apply", "--auto-approve", "--format", "json")
    assert (rest.code, rest.summary["accepted"]) == (7, 5)
    assert set(provider.accepted().values()) == {1}
    assert len(provider.accepted()) == 25
    listed = place.ok("resolve", "--format", "json").json["requests"]
    assert [one["recipients"] for one in listed] == [10]
    tag = listed[0]["tags"][0]
    uuid = next(r["uuid"] for r in provider.ledger()["requests"] if any(tag in m["name"] for m in r["messages"]))
    wrong = next(r["uuid"] for r in provider.ledger()["requests"] if not any(tag in m["name"] for m in r["messages"]))
    assert place.run("resolve", tag, "--accepted", "--uuid", wrong).code == 5
    place.ok("resolve", tag, "--accepted", "--uuid", uuid)
    assert place.run("apply", "--auto-approve").code == 0
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 25


def test_not_sent_by_a_person_frees_the_people(place: Workplace, live: Live) -> None:
    dropped = {"faults": [{"method": "sendBulkViber", "nth": 1, "fault": "drop_before"}]}
    provider = live(people=5, scenario=dropped, extra=", release_after: 0s")
    assert place.run("apply", "--auto-approve").code == 7
    ref = place.ok("resolve", "--format", "json").json["requests"][0]["request"]
    place.ok("resolve", ref, "--not-sent", "--reason", "the provider's log shows nothing", "--expect-people", "5")
    place.ok("apply", "--auto-approve")
    assert sorted(provider.accepted()) == phones(5)


def test_throttling_waits_and_then_sends_once(place: Workplace, live: Live) -> None:
    provider = live(people=5, scenario={"faults": [{"method": "sendBulkViber", "nth": [1, 2], "fault": "throttle"}]})
    assert place.run("apply", "--auto-approve", "--format", "json").summary["accepted"] == 5
    assert sorted(provider.accepted().elements()) == phones(5)


def test_an_unreachable_provider_loses_nobody(place: Workplace, live: Live) -> None:
    provider = live(people=25)
    provider.stop()
    ran = place.run("apply", "--auto-approve", "--format", "json")
    assert (ran.code, ran.summary["not_sent"], ran.summary["unknown"]) == (10, 25, 0)
    assert ran.err.splitlines()[-1].startswith("campaignkit apply")
    assert place.ok("plan", "--format", "json").json["summary"]["send"] == 25


def test_a_killed_apply_and_a_rerun_send_to_everyone_at_most_once(place: Workplace, live: Live) -> None:
    """The project's campaign of a thousand, SIGKILL in the middle, a rerun: every phone exactly once, or listed as unknown."""
    provider = live(people=1, batch=20, extra=", stop_rules: {unknown_in_first: 0}")
    (place.root / "campaigns/spring.yaml").unlink()
    campaign = (CAMPAIGNS / "loyal-customers.yaml").read_text("utf-8").replace("lifecycle: draft", "lifecycle: active")
    place.write("campaigns/loyal-customers.yaml", campaign)
    place.write("campaigns/audiences/loyal.csv", (CAMPAIGNS / "audiences/loyal.csv").read_text("utf-8"))
    bodies = place.ok("compile").json
    everybody = {person["phone"] for body in bodies for message in body["messages"] for person in message["delivery_list"]}
    assert len(everybody) == 1000
    process = place.start("apply", "--auto-approve")
    wait_until(lambda: sum(provider.accepted().values()) >= 200)
    process.kill()
    process.communicate()
    first = sum(provider.accepted().values())
    assert 200 <= first < 1000
    rerun = place.run("apply", "--auto-approve", "--format", "json")
    assert rerun.code in {0, 7}, rerun.err
    assert "An earlier run died before it came to " in rerun.err
    counts = provider.accepted()
    assert set(counts.values()) == {1}
    status = place.ok("status", "--format", "json").json["campaigns"][0]["mailings"][0]
    assert status["recipients"] == 1000
    unknown = {one["request"] for one in status["requests"] if one["outcome"] == "unknown"}
    listed: list[Any] = place.ok("resolve", "--format", "json").json["requests"]
    assert {one["request"] for one in listed} == unknown
    lost = everybody - set(counts)
    exported = [json.loads(line) for line in place.ok("state", "export").out.splitlines()]
    in_doubt = {
        person["phone"]
        for record in exported
        if record["type"] == "request" and record["state"] == "unknown"
        for batch in record["batches"]
        for person in batch["recipients"]
    }
    assert lost <= in_doubt
    assert len(in_doubt) == status["unknown"] <= 20


def test_statuses_and_errors_arrive_at_their_line(place: Workplace, live: Live) -> None:
    provider = live(people=3, scenario={"speed": 100})
    place.write(
        "campaigns/spring.yaml",
        BULK.format(campaign="spring", mailing="invitation", file="people.csv", text="Hi")
        + "  - name: poster\n    message_type: bulk\n    audience: {file: people.csv}\n"
        + "    content: {type: image, image_url: 'https://shop.example.by/a-1200x600.jpg'}\n",
    )
    place.ok("apply", "--auto-approve")
    ran = place.run("refresh", "--watch", "--timeout", "10")
    assert ran.code == 6, ran.err
    assert "campaigns/spring.yaml:8: Optimal image size 800x800 px" in ran.out
    mailings = place.ok("status", "--format", "json").json["campaigns"][0]["mailings"]
    by_name = {mailing["mailing"]: mailing for mailing in mailings}
    assert sum(by_name["invitation"]["statuses"].values()) == 3
    assert by_name["poster"]["errors"][0]["line"] == 8
    assert by_name["poster"]["unreported"] == 3
    for mailing in mailings:
        assert mailing["recipients"] == sum(mailing["statuses"].values()) + mailing["rejected"] + mailing["unknown"] + mailing["unreported"]
    assert provider.process.poll() is None


def test_a_saved_plan_is_applied_once_and_then_only_what_is_left(place: Workplace, live: Live) -> None:
    provider = live(people=5)
    place.ok("plan", "--out", "reviewed.plan.json")
    saved = (place.root / "reviewed.plan.json").read_text("utf-8")
    assert "37529" not in saved
    assert "Only today" not in saved
    place.ok("apply", "--plan", "reviewed.plan.json", "--auto-approve")
    place.ok("apply", "--plan", "reviewed.plan.json", "--auto-approve")
    assert sorted(provider.accepted().elements()) == phones(5)
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(6)) + "\n")
    stale = place.run("apply", "--plan", "reviewed.plan.json", "--auto-approve")
    assert stale.code == 4
    assert "the audience of spring/invitation" in stale.err


def test_a_renamed_mailing_is_a_resend_until_it_says_where_it_came_from(place: Workplace, live: Live) -> None:
    provider = live(people=4)
    place.ok("apply", "--auto-approve")
    renamed = BULK.format(campaign="spring", mailing="welcome", file="people.csv", text="Only today")
    place.write("campaigns/spring.yaml", renamed)
    assert place.ok("plan", "--format", "json").json["summary"]["resend"] == 4
    refused = place.run("apply", "--auto-approve")
    assert refused.code == 5
    assert refused.err.splitlines()[-1].endswith("--accept resend=4")
    assert place.run("apply", "--auto-approve", "--accept", "resend=3").code == 5
    place.write("campaigns/spring.yaml", renamed.replace("    message_type", "    moved_from: invitation\n    message_type"))
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 4
    place.ok("apply", "--auto-approve")
    assert sum(provider.accepted().values()) == 4


def test_limits_refuse_until_the_number_is_accepted(place: Workplace, live: Live) -> None:
    provider = live(people=12, extra=", max_recipients: 10")
    refused = place.run("apply", "--auto-approve")
    assert refused.code == 5
    assert refused.err.splitlines()[-1].endswith("--accept recipients=12")
    place.ok("apply", "--auto-approve", "--accept", "recipients=12")
    assert len(provider.accepted()) == 12
