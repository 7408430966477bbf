"""Bad input in a run of several commands: the right exit code, the way out, nobody messaged, nothing lost. Single inputs: tests/corpus."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.bench import CAMPAIGN, PEOPLE, Bench, Reply, Tap, closed_port, is_command, reported
from tests.acceptance.places import Ran, wait_until
from tests.canary import HOLDER, TOKEN


def refused(bench: Bench, tap: Tap, ran: Ran, code: int, *, said: str = "") -> str:
    """What holds of every command that sent nothing; returns the last line of stderr."""
    assert ran.code == code, (ran.code, ran.out, ran.err)
    assert "othing was sent" in ran.err
    assert re.search(said, ran.err), ran.err
    assert tap.calls == []
    return ran.err.splitlines()[-1]


Spoil = Callable[[Bench], object]


def in_campaign(old: str, new: str) -> Spoil:
    return lambda bench: bench.edit("campaigns/spring.yaml", old, new)


def people(text: str, encoding: str = "utf-8") -> Spoil:
    return lambda bench: (bench.root / "campaigns/people.csv").write_bytes(text.encode(encoding))


def text(template: str) -> Spoil:
    return in_campaign('"Hello {{ first_name }} at {{ shop_url }}"', template)


YAML = r"campaigns/spring\.yaml"


def test_all_problems_are_shown_at_once(bench: Bench, tap: Tap) -> None:
    text('"{{ frist_name }}"')(bench)
    bench.edit("campaigns/spring.yaml", "sender: shop", "sender: nobody")
    bench.write("campaigns/other.yaml", CAMPAIGN.replace("campaign: spring", "campaign: other").replace("people.csv", "gone.csv"))
    bench.write("stoplist.csv", "phone\nnobody\n")
    ran = bench.apply()
    refused(bench, tap, ran, 3)
    codes = {"CK121", "CK202", "CK300", "CK316"}
    assert codes <= set(re.findall(r"CK\d{3}", ran.err))
    checked = bench.run("validate", "--format", "json")
    assert checked.code == 3
    found = [one for one in checked.json["diagnostics"] if one["severity"] == "error"]
    assert {one["code"] for one in found} == codes
    assert all(one["path"] and one["line"] and one["message"] for one in found)


def test_a_past_time_stops_an_apply_and_no_validation(bench: Bench, tap: Tap) -> None:
    bench.edit("campaigns/spring.yaml", "sender: shop", "sender: shop\nschedule_time: 2024-10-30T22:56:00")
    bench.ok("validate")
    refused(bench, tap, bench.apply(), 3, said=rf"{YAML}:\d+:\d+: error CK502 ")
    assert bench.run("plan").code == 3


def test_an_audience_with_a_header_alone_sends_to_nobody_and_says_so(bench: Bench, tap: Tap) -> None:
    people("phone,first_name\n")(bench)
    ran = bench.apply()
    assert (ran.code, tap.calls) == (0, [])
    assert re.search(r"spring\.yaml:5:\d+: warning CK315 ", ran.err)


# What an operator gets wrong.


@pytest.mark.parametrize("command", ["status", "refresh"])
def test_a_campaign_that_neither_files_nor_state_know_is_64(bench: Bench, tap: Tap, command: str) -> None:
    bench.env.pop("CAMPAIGNKIT_TOKEN_LIVE")
    ran = bench.run(command, "sprong")
    assert ran.code == 64, ran.err
    assert "did you mean 'spring'? Nothing was sent." in ran.err
    assert tap.calls == []


def test_a_folder_without_a_project_is_3(bench: Bench, tap: Tap, tmp_path: Path) -> None:
    for words in (("apply", "--auto-approve"), ("validate",), ("plan",), ("status",), ("state", "init")):
        ran = bench.run("--project", str(tmp_path), *words)
        assert ran.code == 3, words
        assert "campaignkit.yaml" in ran.out + ran.err
    assert is_command(refused(bench, tap, bench.run("--project", str(tmp_path), "apply"), 3))


def token_file(content: str) -> Spoil:
    def spoil(bench: Bench) -> None:
        bench.env.pop("CAMPAIGNKIT_TOKEN_LIVE")
        bench.env["CAMPAIGNKIT_TOKEN_FILE"] = str(bench.write(HOLDER, content))

    return spoil


def other_state(bench: Bench) -> None:
    bench.env["CAMPAIGNKIT_TOKEN"] = TOKEN
    bench.ok("state", "init", "--env", "other")
    (bench.root / "state/other.db").replace(bench.root / "state/live.db")


def without_the_wal(bench: Bench) -> None:
    with_state(lambda path: path.write_bytes(path.read_bytes()[:5000]))(bench)


def with_state(change: Callable[[Path], object]) -> Spoil:
    return lambda bench: change(bench.root / "state/live.db")


def in_lock(change: Callable[[dict[str, str]], object]) -> Spoil:
    def spoil(bench: Bench) -> None:
        path = bench.root / "campaignkit.lock"
        document = json.loads(path.read_text("utf-8"))
        change(document["environments"]["live"])
        path.write_text(json.dumps(document), "utf-8")

    return spoil


def elsewhere(bench: Bench) -> None:
    bench.edit("campaignkit.yaml", "127.0.0.1", "localhost")


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def without_any_state(bench: Bench) -> None:
    (bench.root / "state/live.db").unlink()
    (bench.root / "campaignkit.lock").unlink()


def without_a_token_file(bench: Bench) -> None:
    bench.env.pop("CAMPAIGNKIT_TOKEN_LIVE")
    bench.env["CAMPAIGNKIT_TOKEN_FILE"] = "no"


def linked(path: Path) -> None:
    path.rename(path.with_name("real.db"))
    path.symlink_to("real.db")


STATES: list[tuple[str, Spoil, str]] = [
    ("no token", lambda bench: bench.env.pop("CAMPAIGNKIT_TOKEN_LIVE"), "CAMPAIGNKIT_TOKEN_LIVE"),
    ("a token with spaces", lambda bench: bench.env.update(CAMPAIGNKIT_TOKEN_LIVE=f"{TOKEN} x"), "CAMPAIGNKIT_TOKEN_LIVE"),
    ("a token with quotes in Cyrillic", lambda bench: bench.env.update(CAMPAIGNKIT_TOKEN_LIVE="«x»"), "CAMPAIGNKIT_TOKEN_LIVE"),
    ("an empty token file", token_file(""), "CAMPAIGNKIT_TOKEN_FILE"),
    ("a token file that is gone", without_a_token_file, "TOKEN_FILE"),
    ("no state", with_state(Path.unlink), "missing"),
    ("neither state nor lock", without_any_state, "no state"),
    ("no lock file", lambda bench: (bench.root / "campaignkit.lock").unlink(), "campaignkit.lock"),
    ("a broken lock file", lambda bench: bench.write("campaignkit.lock", "{"), "campaignkit.lock"),
    ("an empty state", with_state(lambda path: path.write_bytes(b"")), "empty"),
    ("a text for a state", with_state(lambda path: path.write_text("who got what\n" * 500)), "database"),
    ("half a state", without_the_wal, r"damaged|malformed"),
    ("a link for a state", with_state(linked), "symbolic link"),
    ("a folder for a state", with_state(made_a_folder), "no regular file"),
    ("the state of another environment", other_state, "other"),
    ("the state of another origin", elsewhere, "localhost"),
    ("a state of another lineage", in_lock(lambda pin: pin.update(lineage="0" * 32)), "lineage"),
    ("another origin in the lock", in_lock(lambda pin: pin.update(origin="https://app.example.by")), "app.example.by"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), [case[1:] for case in STATES], ids=[case[0] for case in STATES])
def test_a_token_or_state_that_is_not_right_is_refused_with_the_way_out(bench: Bench, tap: Tap, spoil: Spoil, said: str) -> None:
    spoil(bench)
    state = bench.root / "state/live.db"
    before = state.read_bytes() if state.is_file() else None
    last = refused(bench, tap, bench.apply(), 5, said=said)
    assert is_command(last), last
    assert (state.read_bytes() if state.is_file() else None) == before


@pytest.mark.parametrize("name", ["no token", "neither state nor lock", "an empty state", "another origin in the lock"])
def test_definitions_come_before_token_and_state(bench: Bench, tap: Tap, name: str) -> None:
    next(spoil for known, spoil, _said in STATES if known == name)(bench)
    text('"{{ frist_name }}"')(bench)
    refused(bench, tap, bench.apply(), 3, said="CK202")


def test_a_state_is_made_once_and_replaced_only_when_it_is_lost(bench: Bench, tap: Tap) -> None:
    state = bench.root / "state/live.db"
    lineage = json.loads((bench.root / "campaignkit.lock").read_text("utf-8"))["environments"]["live"]["lineage"]
    before = state.read_bytes()
    again = bench.run("state", "init")
    assert again.code == 5
    assert is_command(again.err.splitlines()[-1])
    assert lineage in again.err.splitlines()[-1]
    assert bench.run("state", "init", "--replace-lost", "0" * 32, "--reason", "lost").code == 5
    assert bench.run("state", "init", "--replace-lost", lineage).code == 64
    assert bench.run("state", "init", "--replace-lost", lineage, "--reason", "not lost at all").code == 5
    assert state.read_bytes() == before
    state.unlink()
    assert bench.run("state", "init").code == 5
    bench.ok("state", "init", "--replace-lost", lineage, "--reason", "the disk died")
    shown = bench.ok("state", "show", "--format", "json").out
    assert "the disk died" in shown
    assert tap.calls == []


def held(bench: Bench, tap: Tap, while_held: Callable[[], None]) -> None:
    """Do something while an apply waits for the provider's answer."""
    tap.hold = threading.Event()
    process = bench.start("apply", "--auto-approve")
    try:
        wait_until(lambda: bool(tap.calls))
        while_held()
    finally:
        tap.hold.set()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_living_run_locks_others_out_before_their_plan_is_looked_at(bench: Bench, tap: Tap) -> None:
    bench.ok("plan", "--out", "saved.json")
    people(PEOPLE + "375291000004,Anna\n")(bench)  # the saved plan is stale now

    def others() -> None:
        before = len(tap.calls)
        for words in ((), ("--plan", "saved.json")):
            ran = bench.apply(*words)
            assert ran.code == 8, ran.err
            assert "othing was sent" in ran.err
        text_of_status = bench.ok("status", "--format", "json").json
        outcomes = [one["outcome"] for one in text_of_status["campaigns"][0]["mailings"][0]["requests"]]
        assert "in_flight" in outcomes
        assert bench.run("resolve", "--format", "json").json["requests"] == []
        assert len(tap.calls) == before

    held(bench, tap, others)
    assert sorted(phone for call in tap.sent for phone in call.phones) == [f"37529100000{n}" for n in (1, 2, 3, 4)]


def edited(bench: Bench) -> None:
    document = json.loads((bench.root / "saved.json").read_text("utf-8"))
    document["components"]["audiences"]["spring/invitation"] = "0" * 64
    bench.write("saved.json", json.dumps(document))


PLANS: list[tuple[str, Spoil, tuple[str, ...], str]] = [
    ("another audience", people(PEOPLE + "375291000004,Anna\n"), (), "audience of spring/invitation"),
    ("another text", text('"Good day"'), (), "spring"),
    ("another stop list", lambda bench: bench.write("stoplist.csv", "phone\n375291000001\n"), (), "suppress|stop"),
    ("other settings", lambda bench: bench.edit("campaignkit.yaml", "batch_size: 2", "batch_size: 1"), (), "settings"),
    ("an edited plan file", edited, (), "saved.json"),
    ("no plan file", lambda bench: (bench.root / "saved.json").unlink(), (), "saved.json"),
    ("half a plan file", lambda bench: bench.write("saved.json", "{"), (), "saved.json"),
    ("another environment", lambda _bench: None, ("--env", "other"), "other"),
]


@pytest.mark.parametrize(("spoil", "words", "said"), [case[1:] for case in PLANS], ids=[case[0] for case in PLANS])
def test_a_plan_that_no_longer_holds_is_refused(bench: Bench, tap: Tap, spoil: Spoil, words: tuple[str, ...], said: str) -> None:
    bench.ok("plan", "--out", "saved.json")
    spoil(bench)
    before = bench.state()
    bench.env["CAMPAIGNKIT_TOKEN"] = TOKEN
    assert is_command(refused(bench, tap, bench.apply("--plan", "saved.json", *words), 4, said=said))
    assert bench.state() == before


@pytest.mark.parametrize("spoil", [edited, people(PEOPLE + "375291000004,Anna\n")], ids=["edited", "stale"])
def test_definitions_and_token_come_before_the_plan(bench: Bench, tap: Tap, spoil: Spoil) -> None:
    bench.ok("plan", "--out", "saved.json")
    spoil(bench)
    bench.env.pop("CAMPAIGNKIT_TOKEN_LIVE")
    refused(bench, tap, bench.apply("--plan", "saved.json"), 5, said="token")
    text('"{{ frist_name }}"')(bench)
    refused(bench, tap, bench.apply("--plan", "saved.json"), 3, said="CK202")


def test_nobody_is_messaged_without_approval(bench: Bench, tap: Tap) -> None:
    before = bench.state()
    last = refused(bench, tap, bench.run("apply"), 5, said="approved")
    assert last == "campaignkit apply --env live --auto-approve"
    assert bench.state() == before


def test_the_embedded_sandbox_is_not_reached_by_forgetting_to_name_an_environment(bench: Bench, tap: Tap) -> None:
    del bench.env["CAMPAIGNKIT_ENV"]
    last = refused(bench, tap, bench.apply(), 5, said="sandbox")
    assert last.startswith("campaignkit apply")
    assert "--env sandbox" in last
    assert not (bench.root / "state/sandbox.db").exists()
    assert bench.run("apply", "--env", "sandbox", "--auto-approve").code == 0


# What a provider gets wrong. Three people, requests of one and two.

HTML = "<html><body>Bad gateway, 375291000001, " + TOKEN + "</body></html>"
UNKNOWN = {
    "garbage": Reply(200, "\x00\x01 not json " + TOKEN),
    "a page": Reply(200, HTML, (("Content-Type", "text/html"),)),
    "no uuid": Reply(200, '{"success": "OK"}'),
    "a uuid of another type": Reply(200, '{"uuid": 5}'),
    "nothing": Reply(200, ""),
    "an empty list": Reply(200, "[]"),
    "a cut answer": Reply(200, '{"uuid": "cc9c8043-8caf-11ef-b035', promised=900),
    "a redirect": Reply(303, "", (("Location", "/api/v1/sendBulkViber"),)),
    "a permanent redirect": Reply(308, "", (("Location", "https://app.example.by/"),)),
    "500": Reply(500, '{"error": "Server unavailable"}'),
    "502 with a page": Reply(502, HTML, (("Content-Type", "text/html"),)),
}


@pytest.mark.parametrize("reply", UNKNOWN.values(), ids=UNKNOWN)
def test_an_answer_that_says_nothing_certain_leaves_its_people_unknown(bench: Bench, tap: Tap, reply: Reply) -> None:
    tap.sends.append(reply)
    ran = bench.apply("--format", "json")
    assert ran.code == 7, ran.err
    assert (ran.summary["unknown"], ran.summary["not_sent"], ran.summary["requests"]) == (1, 2, 1)
    assert len(tap.calls) == 1
    assert ran.err.splitlines()[-1] == "campaignkit resolve --env live"
    assert "375291000001" not in ran.out + ran.err
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in (bench.root / "state").iterdir())


def test_an_unknown_outcome_holds_back_its_own_people_only(bench: Bench, tap: Tap) -> None:
    tap.sends.append(UNKNOWN["500"])
    assert bench.apply().code == 7
    rest = bench.apply("--format", "json")
    assert (rest.code, rest.summary["accepted"], rest.summary["unknown"]) == (7, 2, 0)
    assert rest.err.splitlines()[-1] == "campaignkit resolve --env live"
    assert sorted(phone for call in tap.sent for phone in call.phones) == ["375291000001", "375291000002", "375291000003"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_concerns_everybody_halts_the_run(bench: Bench, tap: Tap, status: int) -> None:
    tap.sends.append(Reply(status, json.dumps({"error": f"Unauthorized: {TOKEN}"})))
    ran = bench.apply("--format", "json")
    assert ran.code == 6, ran.err
    assert (ran.summary["rejected"], ran.summary["not_sent"], ran.summary["requests"]) == (1, 2, 1)
    assert len(tap.calls) == 1
    assert "Unauthorized" in ran.err
    assert is_command(ran.err.splitlines()[-1])
    assert bench.apply("--format", "json").summary["accepted"] == 3


def test_a_provider_that_cannot_be_reached_gets_nobody_lost(bench: Bench, tap: Tap) -> None:
    port = closed_port()
    url = tap.url
    bench.edit("campaignkit.yaml", url, f"http://127.0.0.1:{port}")
    in_lock(lambda pin: pin.update(origin=f"http://127.0.0.1:{port}"))(bench)
    lineage = json.loads((bench.root / "campaignkit.lock").read_text("utf-8"))["environments"]["live"]["lineage"]
    (bench.root / "state/live.db").unlink()
    bench.ok("state", "init", "--replace-lost", lineage, "--reason", "a test of another address")
    ran = bench.apply("--format", "json")
    assert ran.code == 10, ran.err
    assert (ran.summary["accepted"], ran.summary["not_sent"], ran.summary["unknown"]) == (0, 3, 0)
    assert ran.err.splitlines()[-1] == "campaignkit apply --env live --auto-approve"
    assert bench.ok("plan", "--format", "json").json["summary"]["send"] == 3


BAD_STATUSES = {
    "a page": Reply(200, HTML, (("Content-Type", "text/html"),)),
    "half of it": Reply(200, '[{"message_id": 1, "success": [', promised=None),
    "an object": Reply(200, '{"success": "OK"}'),
    "401": Reply(401, '{"error": "Unauthorized"}'),
}


def test_an_answer_about_statuses_that_cannot_be_read_changes_no_status(bench: Bench, tap: Tap) -> None:
    assert bench.apply().code == 0
    tap.statuses = lambda messages: reported(messages, "NEW")
    bench.ok("refresh")
    before = bench.ok("status", "--format", "json").json
    assert before["campaigns"][0]["mailings"][0]["statuses"] == {"NEW": 3}
    for name, reply in BAD_STATUSES.items():
        tap.statuses = answering(reply)
        ran = bench.run("refresh")
        assert ran.code == 10, (name, ran.out, ran.err)
        assert ran.err.splitlines()[-1] == "campaignkit refresh --env live"
    assert bench.ok("status", "--format", "json").json == before
    assert len(tap.sent) == 2


def answering(reply: Reply) -> Callable[[object], Reply]:
    return lambda _messages: reply
