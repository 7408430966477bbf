"""Quick messages and list mailings as a user sends them, over real HTTP to a sandbox in another process whose ledger is the truth."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.places import Provider, Workplace, phones
from tests.schemas.documents import problems

Live = Callable[..., Provider]

LIST = """\
campaign: club
vibername_id: 12
mailings:
  - name: news
    method: list
    list_id: {list_id}
{extra}    content: {{type: text, text: News of the month}}
"""
QUICK = """\
campaign: welcome
vibername_id: 12
mailings:
  - name: code
    method: quick
    audience: {file: people.csv}
    content: {type: button, text: "Hi {{ phone }}", image: a.png, caption: Open, button_link: "https://a.by/{{ phone }}"}
    sms_fallback: {alphaname_id: 7, after_minutes: 30}
"""


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (1).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def listed(place: Workplace, *, list_id: int = 77, extra: str = "") -> None:
    (place.root / "campaigns/spring.yaml").unlink(missing_ok=True)
    place.write("campaigns/club.yaml", LIST.format(list_id=list_id, extra=extra))


def quick(place: Workplace) -> None:
    (place.root / "campaigns/spring.yaml").unlink()
    place.write("campaigns/welcome.yaml", QUICK)
    (place.root / "campaigns/a.png").write_bytes(png())


def lists(provider: Provider) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = provider.ledger()["lists"]
    return found


def sound(schema: str, *documents: Any) -> None:
    assert [problem for document in documents for problem in problems(schema, document)] == []


def test_quick_messages_reach_each_person_once_whatever_is_run_again(place: Workplace, live: Live) -> None:
    provider = live(people=3)
    quick(place)
    plan = place.ok("plan", "--format", "json").json
    sound("plan", plan)
    assert plan["campaigns"][0]["mailings"][0] | {"rows": 3, "send": 3} == plan["campaigns"][0]["mailings"][0]
    assert (plan["summary"]["send"], plan["summary"]["requests"]) == (3, 3)
    ran = place.ok("apply", "--auto-approve", "--format", "json")
    sound("apply-record", *ran.records)
    sent = [record for record in ran.records if record["type"] == "request"]
    assert [(one["method"], one["step"], one["recipients"], one["uuid"] == one["message_id"]) for one in sent] == [
        ("quick", None, 1, True),
    ] * 3  # fmt: skip
    assert place.ok("apply", "--auto-approve", "--format", "json").summary["requests"] == 0
    assert provider.ledger()["times"] == dict.fromkeys(phones(3), 1)
    assert {message["forward_after"] for message in provider.ledger()["quick"]} == {30}
    place.ok("refresh")
    status = place.ok("status", "--format", "json").json
    sound("status", status)
    [mailing] = status["campaigns"][0]["mailings"]
    assert mailing["recipients"] == 3
    assert mailing["recipients"] == sum(mailing["statuses"].values()) + mailing["unreported"]


def test_codes_of_failures_are_kept_and_shown(place: Workplace, live: Live) -> None:
    live(people=2, scenario={"speed": 1000, "phones": {phones(2)[0]: ["NEW", "FAILED:9"], phones(2)[1]: ["NEW", "READ"]}})
    quick(place)
    place.ok("apply", "--auto-approve")
    place.ok("refresh", "--watch", "--timeout", "20")
    [mailing] = place.ok("status", "--format", "json").json["campaigns"][0]["mailings"]
    assert mailing["classes"] == {"failed": 1, "read": 1}
    assert [(error["message"], error["recipients"]) for error in mailing["errors"]] == [("error code 9 (FAILED)", 1)]
    [failed] = place.ok("status", "--failed", "--format", "json").json["deliveries"]
    assert (failed["error_code"], failed["class"], failed["method"]) == ("9", "failed", "quick")
    assert "error code 9" in place.ok("status", "--failed").out


def test_a_lost_answer_holds_back_that_person_and_an_id_settles_it(place: Workplace, live: Live) -> None:
    provider = live(people=3, scenario={"faults": [{"method": "sendQuickViberMessage", "nth": 2, "fault": "drop_after"}]})
    quick(place)
    lost = place.run("apply", "--auto-approve", "--format", "json")
    assert (lost.code, lost.summary["unknown"]) == (7, 1)
    document = place.ok("resolve", "--format", "json").json
    sound("resolve", document)
    [unknown] = document["requests"]
    assert (unknown["method"], unknown["step"], unknown["message_id"]) == ("quick", None, None)
    other, own = (str(message["message_id"]) for message in provider.ledger()["quick"][:2])
    assert place.run("resolve", unknown["request"], "--accepted", "--uuid", other).code == 5
    place.ok("resolve", unknown["request"], "--accepted", "--uuid", own)
    place.ok("apply", "--auto-approve")
    assert provider.ledger()["times"] == dict.fromkeys(phones(3), 1)


def test_a_list_is_made_checked_and_confirmed_once(place: Workplace, live: Live) -> None:
    provider = live()
    listed(place, extra="    expect_subscribers: {min: 1, max: 10}\n    schedule_time: 2094-12-01T10:00:00\n")
    plan = place.ok("plan", "--format", "json").json
    sound("plan", plan)
    [mailing] = plan["campaigns"][0]["mailings"]
    assert (mailing["method"], mailing["list_id"], mailing["message_type"], mailing["rows"], mailing["send"]) == ("list", 77, None, 1, 1)
    assert place.run("plan", "--detailed-exitcode").code == 2
    ran = place.ok("apply", "--auto-approve", "--format", "json")
    sound("apply-record", *ran.records)
    assert [(one["step"], one["outcome"]) for one in ran.records if one["type"] == "request"] == [
        ("create", "draft"), ("confirm", "accepted"),
    ]  # fmt: skip
    assert ran.summary["accepted"] == 4
    assert place.ok("apply", "--auto-approve", "--format", "json").summary["requests"] == 0
    assert place.ok("confirm", "club/news", "--auto-approve", "--format", "json").summary["requests"] == 0
    [made] = lists(provider)
    assert made["confirmed_at"]
    assert set(provider.ledger()["times"].values()) == {1}
    place.ok("refresh")
    [mailing] = place.ok("status", "--format", "json").json["campaigns"][0]["mailings"]
    assert (mailing["recipients"], sum(mailing["statuses"].values()), mailing["cost"]) == (4, 4, "0.19600 EUR")


def test_a_draft_waits_for_confirm(place: Workplace, live: Live) -> None:
    provider = live()
    listed(place)
    made = place.ok("apply", "--auto-approve", "--no-confirm")
    assert made.err.splitlines()[-1] == "campaignkit confirm club/news --env live"
    assert place.ok("apply", "--auto-approve", "--no-confirm", "--format", "json").summary["requests"] == 0
    [draft] = lists(provider)
    assert draft["confirmed_at"] is None
    assert "not confirmed: nobody got it" in place.ok("status").out
    assert "stands at the provider already" in place.ok("plan").out
    refused = place.run("confirm", "club/news")
    assert (refused.code, refused.err.splitlines()[-1]) == (5, "campaignkit confirm club/news --env live --auto-approve")
    place.ok("confirm", "club/news", "--auto-approve")
    assert [bool(one["confirmed_at"]) for one in lists(provider)] == [True]


def test_an_apply_confirms_what_an_earlier_one_left(place: Workplace, live: Live) -> None:
    provider = live()
    listed(place)
    place.ok("apply", "--auto-approve", "--no-confirm")
    place.ok("apply", "--auto-approve")
    assert [bool(one["confirmed_at"]) for one in lists(provider)] == [True]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("club/nws",), 64, "no mailing 'club/nws'"),
        (("club",), 64, "CAMPAIGN/MAILING"),
        (("nobody/news",), 64, "no campaign"),
        (("club/news",), 5, "no draft of it stands"),
    ],
)
def test_confirm_refuses_what_it_can_not_finish(place: Workplace, live: Live, words: tuple[str, ...], code: int, said: str) -> None:
    live()
    listed(place)
    ran = place.run("confirm", *words, "--auto-approve")
    assert ran.code == code
    assert said in ran.err


def test_confirm_is_for_lists(place: Workplace, live: Live) -> None:
    live()
    ran = place.run("confirm", "spring/invitation", "--auto-approve")
    assert (ran.code, "goes to no list" in ran.err) == (64, True)


def test_more_subscribers_than_expected_are_not_confirmed(place: Workplace, live: Live) -> None:
    provider = live()
    listed(place, extra="    expect_subscribers: {max: 3}\n")
    ran = place.run("apply", "--auto-approve")
    assert ran.code == 5
    assert "it would go to 4 subscribers; expect_subscribers says at most 3" in ran.err
    assert ran.err.splitlines()[-1] == "campaignkit confirm club/news --env live"
    assert place.run("confirm", "club/news", "--auto-approve").code == 5
    listed(place, extra="    expect_subscribers: {max: 4}\n")
    place.ok("confirm", "club/news", "--auto-approve")
    assert len(lists(provider)) == 1


def test_limits_of_the_environment_hold_for_lists_whose_size_nobody_knew(place: Workplace, live: Live) -> None:
    provider = live(extra=", max_recipients: 3")
    listed(place)
    assert place.run("apply", "--auto-approve").code == 5
    assert lists(provider)[0]["confirmed_at"] is None
    place.ok("confirm", "club/news", "--auto-approve", "--accept", "recipients=4")


def test_a_draft_of_other_content_is_not_confirmed(place: Workplace, live: Live) -> None:
    provider = live()
    listed(place)
    place.ok("apply", "--auto-approve", "--no-confirm")
    place.write("campaigns/club.yaml", LIST.format(list_id=77, extra="").replace("News of", "All news of"))
    assert place.ok("plan", "--format", "json").json["summary"]["edited"] == 1
    refused = place.run("confirm", "club/news", "--auto-approve")
    assert (refused.code, "other content" in refused.err) == (5, True)
    place.ok("apply", "--auto-approve")
    place.ok("resolve", "r1", "--not-sent", "--reason", "the text was wrong", "--expect-people", "4")
    place.ok("apply", "--auto-approve")
    assert [bool(one["confirmed_at"]) for one in lists(provider)] == [False, True]


@pytest.mark.parametrize("fault", ["drop_after", "http_500_after", "garbage", "truncated"])
def test_a_lost_confirm_is_looked_up_and_never_repeated_where_it_counted(place: Workplace, live: Live, fault: str) -> None:
    provider = live(scenario={"faults": [{"method": "confirmViberMessage", "nth": 1, "fault": fault}]})
    listed(place)
    assert place.ok("apply", "--auto-approve", "--format", "json").summary["accepted"] == 4
    place.ok("apply", "--auto-approve")
    assert provider.ledger()["balance"] == "99.80400"


def test_a_lost_confirm_that_did_not_count_is_repeated_after_the_fence(place: Workplace, live: Live) -> None:
    provider = live(scenario={"faults": [{"method": "confirmViberMessage", "nth": 1, "fault": "drop_before"}]}, extra=", release_after: 1s")
    listed(place)
    lost = place.run("apply", "--auto-approve", "--format", "json")
    assert (lost.code, lost.summary["unknown"]) == (7, 4)
    [unknown] = place.ok("resolve", "--format", "json").json["requests"]
    assert (unknown["step"], unknown["recipients"]) == ("confirm", 4)
    assert place.run("refresh").code == 7
    while place.run("apply", "--auto-approve").code == 7:
        pass
    assert [bool(one["confirmed_at"]) for one in lists(provider)] == [True]
    assert provider.ledger()["balance"] == "99.80400"


def test_a_lost_create_waits_for_a_person(place: Workplace, live: Live) -> None:
    provider = live(scenario={"faults": [{"method": "sendViberMessageList", "nth": 1, "fault": "drop_after"}]})
    listed(place)
    assert place.run("apply", "--auto-approve").code == 7
    assert place.run("apply", "--auto-approve").code == 7
    [made] = lists(provider)
    place.ok("resolve", "r1", "--accepted", "--uuid", str(made["message_id"]))
    place.ok("apply", "--auto-approve")
    assert [bool(one["confirmed_at"]) for one in lists(provider)] == [True]


def test_a_lost_create_is_made_anew_where_drafts_are_inert(place: Workplace, live: Live) -> None:
    scenario = {"faults": [{"method": "sendViberMessageList", "nth": 1, "fault": "drop_after"}]}
    provider = live(scenario=scenario, extra=", provider: {drafts_are_inert: true}")
    listed(place)
    assert place.run("apply", "--auto-approve").code == 7
    assert place.ok("plan", "--format", "json").json["summary"]["send"] == 1
    place.ok("apply", "--auto-approve")
    assert [bool(one["confirmed_at"]) for one in lists(provider)] == [False, True]


def test_a_refused_confirm_leaves_the_draft(place: Workplace, live: Live) -> None:
    provider = live(scenario={"balance": "0.10"})
    listed(place)
    refused = place.run("apply", "--auto-approve")
    assert refused.code == 6
    assert place.run("confirm", "club/news", "--auto-approve").code == 6
    assert len(lists(provider)) == 1


def test_a_list_that_the_provider_does_not_know_is_refused(place: Workplace, live: Live) -> None:
    provider = live()
    listed(place, list_id=99)
    assert place.run("apply", "--auto-approve").code == 6
    assert lists(provider) == []


@pytest.mark.parametrize("by", ["suppression list", "opt-out"])
def test_nobody_can_be_taken_off_a_list(place: Workplace, live: Live, by: str) -> None:
    provider = live()
    listed(place)
    if by == "opt-out":
        place.ok("optouts", "add", phones(1)[0], "--reason", "asked")
    else:
        place.write("stop.csv", f"phone\n{phones(1)[0]}\n")
        project = (place.root / "campaignkit.yaml").read_text().replace("environments:", "suppress: [stop.csv]\nenvironments:")
        place.write("campaignkit.yaml", project)
    refused = place.run("apply", "--auto-approve")
    assert refused.code == 5
    assert "campaigns/club.yaml:4: club/news goes to a list of the provider, from which nobody can be left out" in refused.err
    assert lists(provider) == []
    listed(place, extra="    optouts: handled-by-provider\n")
    place.ok("apply", "--auto-approve")
    assert len(lists(provider)) == 1
