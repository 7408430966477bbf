"""`campaignkit.yaml` as typed settings: defaults, units, the rules the schema can't tell."""

from __future__ import annotations

import pytest

from campaignkit.compiler.settings import per_second, read_project, seconds
from campaignkit.protocol.messages import ProjectMessage

LEAST = "version: 1\nenvironments:\n  sandbox: {base_url: sandbox, state: s.db}\n"
TWO = LEAST.replace("  sandbox", "  production: {base_url: https://app.example.by/, state: p.db}\n  sandbox")


def project(text: str) -> ProjectMessage:
    _, found, problems = read_project("campaignkit.yaml", text.encode())
    assert problems == []
    assert found.valid
    return found


def test_every_default_of_the_design_is_filled_in() -> None:
    found = project(LEAST)
    assert (found.campaigns, found.timezone, found.default_environment, found.suppress) == ("campaigns", "Europe/Minsk", "sandbox", ())
    assert (found.batch_size, found.first_batch, found.batches_per_request, found.price) == (100, 10, 1, None)
    (one,) = found.environments
    assert (one.provider_timezone, one.rate, one.in_flight, one.connect_timeout, one.deadline) == ("Europe/Minsk", 0.0, 1, 10.0, 60.0)
    assert (one.token_in, one.max_recipients, one.max_cost, one.callback_url) == ("documented", None, None, None)
    assert (one.throttled_is, one.error_in_200_is, one.horizon, one.plan_max_age) == ("not_sent", "rejected", 72 * 3600.0, 168 * 3600.0)


def test_a_real_provider_is_paced_and_never_the_default_by_its_place() -> None:
    found = project(TWO)
    assert found.default_environment == "sandbox"
    assert (found.environments[0].rate, found.environments[0].base_url) == (1.0, "https://app.example.by")


@pytest.mark.parametrize(
    ("text", "value"), [("500ms", 0.5), ("10s", 10), ("2m", 120), ("2min", 120), ("72h", 259_200), ("1d", 86_400), ("7", 7), ("x", 0)]
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("1/s", 1), ("30/min", 0.5), ("0.5/s", 0.5), ("60/m", 1), ("3600/h", 1), ("1/10s", 0.1), ("x", 0)]
)
def test_rates(text: str, value: float) -> None:
    assert per_second(text) == value


@pytest.mark.parametrize(
    ("text", "code", "line", "words"),
    [
        (LEAST + "default_environment: sandbx\n", "CK110", 4, "sandbx"),
        (TWO.replace("p.db", "s.db"), "CK112", 4, "share a state"),
        (LEAST + "timezone: Europe/Minks\n", "CK113", 4, "Minks"),
        (LEAST.replace("state: s.db", "state: s.db, provider_timezone: Mars/Base"), "CK113", 3, "Mars/Base"),
        (LEAST.replace("sandbox, ", "http://app.example.by, "), "CK106", 3, "https"),
        (LEAST.replace("sandbox, ", "https://user@app.example.by, "), "CK106", 3, "user"),
        (LEAST + "sendrs: {}\n", "CK102", 4, "sendrs"),
        ("- a\n", "CK004", 1, "mapping"),
    ],
)
def test_a_broken_project_is_not_valid_and_says_where(text: str, code: str, line: int, words: str) -> None:
    _, found, problems = read_project("campaignkit.yaml", text.encode())
    assert not found.valid
    assert (code, line) in [(problem.code, problem.place.line) for problem in problems]
    assert any(words in problem.message for problem in problems)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8025", "http://localhost:80/x", "http://[::1]:8025", "sandbox", "https://app.example.by/x"]
)
def test_plain_http_is_for_loopback(url: str) -> None:
    assert project(LEAST.replace("sandbox, ", f'"{url}", ')).environments[0].base_url == url


def digest(text: str, index: int = 0) -> str:
    return project(text).environments[index].settings_digest


@pytest.mark.parametrize(
    "added",
    ["timezone: Europe/Warsaw", "senders: {a: {alphaname_id: 1}}", "defaults: {batch_size: 7}", "limits: {text: error}", "price: 1 EUR"],
)
def test_what_decides_about_messages_moves_the_digest(added: str) -> None:
    assert digest(LEAST) != digest(LEAST + added + "\n")


def test_own_settings_move_the_digest_and_those_of_others_and_paths_do_not() -> None:
    assert digest(TWO) != digest(TWO.replace("p.db", "p.db, deadline: 9s"))
    assert digest(TWO) == digest(TWO.replace("s.db", "t.db, deadline: 9s"))
    assert digest(TWO) == digest(TWO.replace("p.db", "q.db") + "campaigns: other\ndefault_environment: production\n")
    assert digest(TWO) == digest("# a comment\n" + TWO)


def test_settings_of_replies_tests_and_drafts_have_safe_defaults() -> None:
    found = project(LEAST)
    (one,) = found.environments
    assert found.optout_words == ("stop", "стоп", "адпісацца")
    assert (one.test_phones, one.test_limit, one.inbox_age, one.drafts_are_inert) == ((), 20, 14 * 86400.0, False)


def test_settings_of_replies_tests_and_drafts_are_read() -> None:
    own = "state: s.db, test_phones: ['+375 29 111-11-11', 80292222222], test_limit: 3, inbox_age: 24h, provider: {drafts_are_inert: true}"
    found = project(LEAST.replace("state: s.db", own) + "optout_words: [Стоп, не пиши мне]\n")
    (one,) = found.environments
    assert (one.test_phones, one.test_limit, one.inbox_age, one.drafts_are_inert) == ((375291111111, 375292222222), 3, 86400.0, True)
    assert found.optout_words == ("Стоп", "не пиши мне")
    assert project(LEAST + "optout_words: []\n").optout_words == ()


@pytest.mark.parametrize("phone", ["37529", "Anna", "'+375 29 111'", "0"])
def test_a_test_phone_that_is_none_is_named_at_its_place(phone: str) -> None:
    text = LEAST.replace("state: s.db", f"state: s.db, test_phones: [375291111111, {phone}]")
    _, found, problems = read_project("campaignkit.yaml", text.encode())
    assert [(one.code, one.place.line, one.place.column) for one in problems] == [("CK310", 3, 73)]
    assert not found.valid


def test_a_sender_may_have_either_id_and_needs_one() -> None:
    assert project(LEAST + "senders: {a: {vibername_id: 1}, b: {alphaname_id: 1}, c: {vibername_id: 1, alphaname_id: 1}}\n").valid
    _, _, problems = read_project("campaignkit.yaml", (LEAST + "senders: {a: {}}\n").encode())
    assert [(one.code, one.place.line) for one in problems] == [("CK106", 4)]
    assert "needs an `alphaname_id`" in problems[0].message


def test_who_gets_tests_and_which_replies_are_read_leaves_a_reviewed_plan_valid() -> None:
    own = "state: s.db, test_phones: [375291111111], test_limit: 3, inbox_age: 24h"
    assert digest(LEAST) == digest(LEAST.replace("state: s.db", own) + "optout_words: [x]\n")
    assert digest(LEAST) != digest(LEAST.replace("state: s.db", "state: s.db, provider: {drafts_are_inert: true}"))
