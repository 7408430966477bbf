"""Each stop rule over real HTTP, with one request at a time and with several: who was sent to, who was not, and the exit code."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.bench import Bench, Reply, Tap, built, is_command
from tests.acceptance.places import Ran

FINE = None
BROKEN = Reply(500, "<h1>oh</h1>")
BUSY = Reply(429, json.dumps({"error": "Request limit exceeded"}))
ALL = 41


def refusing(text: str = "Not enough money") -> Reply:
    return Reply(400, json.dumps({"error": text}))


@pytest.fixture(scope="module")
def sound(wire: Tap, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    bench = built(tmp_path_factory.mktemp("sound") / "project", wire.url)
    bench.write("campaigns/people.csv", "phone,first_name\n" + "".join(f"3752910000{number:02d},Anna\n" for number in range(10, 10 + ALL)))
    return bench


def run(bench: Bench, tap: Tap, replies: list[Reply | None], *, in_flight: int = 1, rules: str = "") -> Ran:
    """One apply of 41 people in 21 requests, the first of one person; what is not scripted is accepted."""
    bench.edit("campaignkit.yaml", "rate: 10000/s}\n  other", f"rate: 10000/s, in_flight: {in_flight}, stop_rules: {{{rules}}}}}\n  other")
    tap.sends.extend(replies)
    ran = bench.apply("--format", "json")
    assert sum(ran.summary[name] for name in ("accepted", "rejected", "throttled", "not_sent", "unknown")) == ALL
    assert is_command(ran.err.splitlines()[-1])
    return ran


def rest_is_sent(bench: Bench, tap: Tap, ran: Ran) -> None:
    """The same command again sends to everybody who was left, and to nobody else."""
    tap.reset()
    again = bench.apply("--format", "json")
    assert again.summary["accepted"] == ALL - ran.summary["accepted"] - ran.summary["unknown"]
    assert again.code == (7 if ran.summary["unknown"] else 0)


@pytest.mark.parametrize("in_flight", [1, 3])
def test_an_unknown_among_the_first_three(bench: Bench, tap: Tap, in_flight: int) -> None:
    ran = run(bench, tap, [FINE, FINE, BROKEN], in_flight=in_flight)
    assert (ran.code, ran.summary["unknown"]) == (7, 2)
    assert "Stopped: an unknown outcome among the first 3 requests." in ran.err
    assert 3 <= len(tap.sent) < 3 + in_flight
    assert ran.err.splitlines()[-1] == "campaignkit resolve --env live"
    rest_is_sent(bench, tap, ran)


@pytest.mark.parametrize("in_flight", [1, 3])
def test_three_unknowns(bench: Bench, tap: Tap, in_flight: int) -> None:
    ran = run(bench, tap, [FINE, FINE, FINE, *[BROKEN] * 9], in_flight=in_flight)
    assert ran.code == 7
    assert "3 unknown outcomes" in ran.err or in_flight > 1
    assert 6 <= len(tap.sent) < 6 + in_flight
    assert 6 <= ran.summary["unknown"] < 6 + 2 * in_flight
    rest_is_sent(bench, tap, ran)


@pytest.mark.parametrize("in_flight", [1, 3])
def test_five_throttles_in_a_row(bench: Bench, tap: Tap, in_flight: int) -> None:
    ran = run(bench, tap, [FINE, *[BUSY] * 20], in_flight=in_flight)
    assert (ran.code, ran.summary["accepted"], ran.summary["unknown"]) == (10, 1, 0)
    assert "Stopped: throttled 5 times in a row." in ran.err
    assert 6 <= len(tap.sent) < 6 + in_flight
    assert ran.err.splitlines()[-1].startswith("campaignkit apply")
    rest_is_sent(bench, tap, ran)


@pytest.mark.parametrize("in_flight", [1, 3])
def test_three_equal_refusals(bench: Bench, tap: Tap, in_flight: int) -> None:
    ran = run(bench, tap, [FINE, *[refusing()] * 9], in_flight=in_flight)
    assert ran.code == 6
    assert "3 equal refusals: " in ran.err
    assert 4 <= len(tap.sent) < 4 + in_flight
    assert ran.err.splitlines()[-1].startswith("campaignkit apply")
    rest_is_sent(bench, tap, ran)


def test_refusals_that_differ_do_not_halt(bench: Bench, tap: Tap) -> None:
    ran = run(bench, tap, [FINE, *[refusing("a" if number % 2 else "b") for number in range(8)]])
    assert (ran.code, ran.summary["rejected"], ran.summary["not_sent"]) == (6, 16, 0)
    rest_is_sent(bench, tap, ran)


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize(("before", "in_flight"), [(0, 1), (1, 1), (1, 3)])
def test_an_answer_that_concerns_every_request(bench: Bench, tap: Tap, status: int, before: int, in_flight: int) -> None:
    answer = Reply(status, json.dumps({"error": "Unauthorized"}))
    ran = run(bench, tap, [FINE] * before + [answer] * 9, in_flight=in_flight, rules="refusals: 0")
    assert (ran.code, ran.summary["accepted"], ran.summary["unknown"]) == (6, before, 0)
    assert f"Stopped: the provider's answer concerns every request: HTTP {status}" in ran.err
    assert before < len(tap.sent) <= before + in_flight
    rest_is_sent(bench, tap, ran)


def test_a_refused_first_request_leaves_the_rest_of_its_mailing_only(bench: Bench, tap: Tap) -> None:
    text = (bench.root / "campaigns/spring.yaml").read_text("utf-8")
    second = text.partition("mailings:\n")[2].replace("invitation", "reminder")
    bench.write("campaigns/spring.yaml", text + second)
    tap.sends.append(refusing())
    ran = bench.apply("--format", "json")
    assert (ran.code, ran.summary["rejected"], ran.summary["not_sent"], ran.summary["accepted"]) == (6, 1, ALL - 1, ALL)
    assert "Stopped" not in ran.err
    assert f"{ALL - 1} people not sent to" in ran.err
    tap.reset()
    assert bench.apply("--format", "json").summary["accepted"] == ALL


@pytest.mark.parametrize(
    ("rules", "replies", "sent"),
    [
        ("unknown_in_first: 0, unknowns: 1", [FINE, BROKEN], 2),
        ("unknown_in_first: 1", [FINE, BROKEN, BROKEN], 21),
        ("unknown_in_first: 0, unknowns: 0", [BROKEN] * 21, 21),
        ("throttles: 2", [BUSY] * 9, 2),
        ("refusals: 1", [FINE, refusing()], 2),
        ("refusals: 0", [FINE, *[refusing()] * 20], 21),
    ],
)
def test_the_figures_are_settings_of_the_environment(bench: Bench, tap: Tap, rules: str, replies: list[Reply | None], sent: int) -> None:
    run(bench, tap, replies, rules=rules)
    assert len(tap.sent) == sent
