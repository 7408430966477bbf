"""The output contract: documents fit their schemas, sums add up, phones and secrets stay put, nothing crashes in odd terminals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.bench import Bench, Call, Reply, built, copied, is_command, reported, tapped
from tests.acceptance.places import Ran
from tests.canary import TOKEN
from tests.schemas.documents import ROOT, problems

PHONE = re.compile(r"375\d{9}")
SPACED = re.compile(r"375[ ()-]{0,3}29[ ()-]{0,3}\d{3}[ -]?\d{2}[ -]?\d{2}")
NAMES = ("Zinaida", "Boleslav", "Valeryja", "Suppressed")
COUNTS = (
    "rows",
    "filtered",
    "invalid",
    "duplicate",
    "suppressed",
    "sent",
    "edited",
    "rejected",
    "unknown",
    "abandoned",
    "late",
    "resend",
    "send",
)

MANY = """\
campaign: autumn
sender: shop
mailings:
  - name: leaves
    message_type: personal
    audience: {file: many.csv, where: tier == "gold", on_invalid: skip, max_invalid: 50%}
    content:
      type: button
      text: "{{ name }}, your phone is {{ phone }}"
      image_url: https://shop.example.by/a.jpg
      caption: Look
      button_link: "https://shop.example.by/?p={{ phone }}"
  - name: notice
    message_type: bulk
    audience: {phones: ["375291000001", "+375 29 100-00-02", "375291000009"]}
    content: {type: text, text: "Привет, осень 🍂"}
"""

ROWS = """\
phone,name,tier
375291000001,Zinaida,gold
375291000002,Boleslav,gold
375291000003,Valeryja,gold
375291000003,Valeryja,gold
375291000004,Filtered,plain
37529,Broken,gold
375291000009,Suppressed,gold
"""


@dataclass
class Story:
    """One project used in every way, once for all tests; by environment and words, what each command printed."""

    bench: Bench
    ran: dict[tuple[str, str], Ran]


STEPS = {
    "validate": "validate --format json", "validate github": "validate --format github",
    "compile": "compile", "render": "render autumn --format json", "render text": "render autumn",
    "plan": "plan --format json", "plan text": "plan -v --out saved.json", "plan markdown": "plan --format markdown",
    "apply": "apply --auto-approve --format json", "plan after": "plan --format json",
    "refresh": "refresh --format json",
    "status": "status --format json", "status text": "status -v", "status csv": "status --format csv",
    "status phone": "status --phone 375291000001 --format json", "status phone text": "status --phone 375291000001",
    "resolve": "resolve --format json", "resolve text": "resolve",
    "state list": "state list --format json", "state show": "state show --format json", "state export": "state export",
    "apply text": "apply --auto-approve", "refresh text": "refresh",
}  # fmt: skip
WHOLE_PHONES = {"compile", "state export"}
LIVE = [
    "apply", "refresh", "status", "status text", "resolve", "resolve text", "state list", "state show", "state export", "apply text",
    "refresh text",
]  # fmt: skip
EVERY = [("sandbox", name) for name in STEPS] + [("live", name) for name in LIVE]


def echoing(messages: list[dict[str, Any]]) -> Reply:
    """Statuses as the documentation shows them, an unknown word, and an error that quotes a phone."""
    phones = Call("", {"messages": messages}).phones
    if "leaves" in messages[0]["name"]:
        answer = json.loads(reported(messages, "DELIVERED").body)
        answer[0]["success"][0]["status"] = "TELEPORTED"
        return Reply(body=json.dumps(answer))
    return Reply(body=json.dumps([{"errors": [f"{messages[0]['name']}: phone {phones[0]} is barred"]}]))


def told(root: Path) -> dict[tuple[str, str], Ran]:
    """Live the story in a new folder."""
    with tapped() as tap:
        bench = built(root, tap.url)
        bench.edit("campaignkit.yaml", ", state: ", ", stop_rules: {unknown_in_first: 0}, state: ")
        (bench.root / "campaigns/spring.yaml").unlink()
        bench.write("campaigns/autumn.yaml", MANY)
        bench.write("campaigns/many.csv", ROWS)
        bench.write(
            "state/sandbox.scenario.json",
            json.dumps({"speed": 1000, "faults": [{"method": "sendBulkViber", "nth": 2, "fault": "http_500_after"}]}),
        )
        ran = {("sandbox", name): bench.run(*words.split(), "--env", "sandbox") for name, words in STEPS.items()}
        tap.statuses = echoing
        tap.sends.append(Reply(500, json.dumps({"error": "375291000001 is not to be charged"})))
        return ran | {("live", name): bench.run(*STEPS[name].split()) for name in LIVE}


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Told by one worker, read by all."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    book, root = shared / "story.json", shared / "story"
    with (shared / "story.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not book.exists():
            found = told(root)
            book.write_text(json.dumps([[*key, ran.code, ran.out, ran.err] for key, ran in found.items()]), "utf-8")
    pages = json.loads(book.read_text("utf-8"))
    return Story(
        Bench(root, {"CAMPAIGNKIT_TOKEN_LIVE": TOKEN, "CAMPAIGNKIT_ENV": "live"}),
        {(env, name): Ran(code, out, err) for env, name, code, out, err in pages},
    )


# Documents and their schemas.

SCHEMAS = {
    "validate": "diagnostics", "compile": "compile", "render": "render", "plan": "plan", "plan after": "plan", "refresh": "refresh",
    "status": "status", "resolve": "resolve", "state list": "state-list", "state show": "state-show",
}  # fmt: skip


@pytest.mark.parametrize(("env", "name"), [one for one in EVERY if one[1] in SCHEMAS], ids=str)
def test_a_document_fits_its_schema(story: Story, env: str, name: str) -> None:
    assert problems(SCHEMAS[name], story.ran[env, name].json) == []


@pytest.mark.parametrize("env", ["sandbox", "live"])
def test_lines_of_apply_and_export_fit_their_schemas(story: Story, env: str) -> None:
    records = story.ran[env, "apply"].records
    assert [found for record in records for found in problems("apply-record", record)] == []
    assert [record["type"] for record in records].count("summary") == 1
    assert records[-1]["type"] == "summary"
    assert [found for record in story.ran[env, "state export"].records for found in problems("state-export", record)] == []


def test_a_saved_plan_fits_its_schema(story: Story) -> None:
    assert problems("planfile", json.loads((story.bench.root / "saved.json").read_text("utf-8"))) == []


def keys(document: dict[str, Any]) -> set[str]:
    return set(document) - {"sandbox"}


def test_the_plan_has_the_keys_of_the_contract(story: Story) -> None:
    plan = story.ran["sandbox", "plan"].json
    assert {"format_version", "environment", "digest", "summary", "campaigns"} <= keys(plan)
    assert set(plan["summary"]) == {*COUNTS, "requests"}
    (campaign,) = plan["campaigns"]
    assert set(campaign) == {"campaign", "revision", "path", "mailings"}
    for mailing in campaign["mailings"]:
        assert set(mailing) == {"mailing", "message_type", "content_type", "schedule_time", *COUNTS, "requests"}
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", plan["digest"])


@pytest.mark.parametrize("env", ["sandbox", "live"])
def test_the_status_has_the_keys_of_the_contract(story: Story, env: str) -> None:
    status = story.ran[env, "status"].json
    assert keys(status) == {"format_version", "environment", "campaigns"}
    for campaign in status["campaigns"]:
        assert set(campaign) == {"campaign", "revision", "mailings"}
        for mailing in campaign["mailings"]:
            wanted = {"mailing", "recipients", "statuses", "classes", "rejected", "unknown", "unreported", "errors", "requests"}
            assert wanted <= set(mailing) <= wanted | {"revision"}
            assert all(set(one) == {"message", "path", "line", "recipients"} for one in mailing["errors"])
            assert all(set(one) == {"request", "tag", "outcome", "uuid", "recipients", "sent_at"} for one in mailing["requests"])


@pytest.mark.parametrize("env", ["sandbox", "live"])
def test_the_summary_has_the_keys_of_the_contract(story: Story, env: str) -> None:
    summary = story.ran[env, "apply"].summary
    assert keys(summary) == {"type", "accepted", "rejected", "throttled", "not_sent", "unknown", "requests"}
    assert sum(summary[name] for name in ("accepted", "rejected", "throttled", "not_sent", "unknown")) == 5


# Sums.


@pytest.mark.parametrize("name", ["plan", "plan after"])
def test_everyone_is_accounted_for_in_a_plan(story: Story, name: str) -> None:
    plan = story.ran["sandbox", name].json
    mailings = [mailing for campaign in plan["campaigns"] for mailing in campaign["mailings"]]
    for counts in (*mailings, plan["summary"]):
        assert counts["rows"] == sum(counts[column] for column in COUNTS[1:])
    for column in (*COUNTS, "requests"):
        assert plan["summary"][column] == sum(mailing[column] for mailing in mailings)
    assert [mailing["rows"] for mailing in mailings] == [7, 3]


def test_the_counts_of_a_plan_are_who_they_say(story: Story) -> None:
    leaves = story.ran["sandbox", "plan"].json["campaigns"][0]["mailings"][0]
    found = {column: leaves[column] for column in COUNTS if leaves[column]}
    assert found == {"rows": 7, "filtered": 1, "invalid": 1, "duplicate": 1, "suppressed": 1, "send": 3}
    after = story.ran["sandbox", "plan after"].json["summary"]
    assert (after["send"], after["sent"] + after["unknown"]) == (0, 5)


@pytest.mark.parametrize("env", ["sandbox", "live"])
def test_everyone_is_accounted_for_in_a_status(story: Story, env: str) -> None:
    mailings = story.ran[env, "status"].json["campaigns"][0]["mailings"]
    assert sorted(mailing["recipients"] for mailing in mailings) == [2, 3]
    for mailing in mailings:
        assert mailing["recipients"] == sum(mailing["statuses"].values()) + mailing["rejected"] + mailing["unknown"] + mailing["unreported"]
        assert sum(request["recipients"] for request in mailing["requests"]) == mailing["recipients"]
    assert sum(mailing["unknown"] for mailing in mailings) == story.ran[env, "apply"].summary["unknown"] > 0


def test_unknown_words_of_the_provider_are_kept(story: Story) -> None:
    statuses = [mailing["statuses"] for mailing in story.ran["live", "status"].json["campaigns"][0]["mailings"]]
    assert {"TELEPORTED": 1, "DELIVERED": 1} in statuses
    assert story.ran["live", "refresh"].json["statuses"] == {"DELIVERED": 1, "TELEPORTED": 1}


# Sandbox, exit codes, last lines.


@pytest.mark.parametrize("name", STEPS)
def test_the_sandbox_says_first_that_nobody_is_messaged(story: Story, name: str) -> None:
    ran = story.ran["sandbox", name]
    assert ran.err.startswith("SANDBOX: nobody is messaged\n")
    if name in SCHEMAS and name != "compile":
        assert ran.json["sandbox"] is True
    if name == "apply":
        assert ran.summary["sandbox"] is True


def test_no_sandbox_is_named_where_people_are_messaged(story: Story) -> None:
    for (env, name), ran in story.ran.items():
        if env == "live":
            assert "SANDBOX" not in ran.err, name
            assert '"sandbox"' not in ran.out, name


def test_exit_codes_are_those_of_the_contract(story: Story) -> None:
    doing = {"apply", "refresh", "refresh text", "apply text"}
    codes = {(env, name): ran.code for (env, name), ran in story.ran.items()}
    assert {one: code for one, code in codes.items() if one[1] not in doing and code} == {}
    assert {one: code for one, code in codes.items() if one[1] in doing} == {one: 7 for one in codes if one[1] in doing}
    for env in ("sandbox", "live"):
        for name in sorted(doing):
            assert story.ran[env, name].err.splitlines()[-1] == f"campaignkit resolve --env {env}"


# What stays put.


@pytest.mark.parametrize(("env", "name"), EVERY, ids=str)
def test_no_whole_phone_is_shown_unless_asked_for(story: Story, env: str, name: str) -> None:
    ran = story.ran[env, name]
    if name in WHOLE_PHONES:
        assert PHONE.search(ran.out)
        assert not PHONE.search(ran.err)
    else:
        assert PHONE.findall(ran.out + ran.err) == []
        assert SPACED.findall(ran.out + ran.err) == []


def test_phones_are_shown_when_asked_for(story: Story) -> None:
    for words in ("render autumn", "plan -v", "status --phone 375291000001", "resolve"):
        assert PHONE.search(story.bench.run(*words.split(), "--reveal", "--env", "sandbox").out), words


@pytest.mark.parametrize("name", ["plan markdown", "validate github"])
def test_public_formats_hold_no_value_of_a_person(story: Story, name: str) -> None:
    ran = story.ran["sandbox", name]
    assert [value for value in (*NAMES, "37529") if value in ran.out + ran.err] == []
    if name == "plan markdown":
        assert "‹name›" in ran.out


def test_problems_show_no_phone_and_no_name(story: Story, tmp_path: Path) -> None:
    """Neither in the excerpt of a campaign file, nor in the sample of a file in another encoding."""
    bench = copied(story.bench, tmp_path / "project")
    bench.write("campaigns/autumn.yaml", MANY.replace('phones: ["375291000001"', 'fones: 1, phones: ["375291000001"'))
    bench.write("campaigns/rows.yaml", MANY.replace("autumn", "rows").replace("many.csv, ", "other.csv, "))
    (bench.root / "campaigns/other.csv").write_bytes("name,phone,tier\nАнна,375291000001,gold\n".encode("cp1251"))
    for words in ("validate", "validate --format json", "validate --format github", "validate --format sarif", "apply --auto-approve"):
        ran = bench.run(*words.split())
        assert ran.code == 3
        assert "CK102" in ran.out + ran.err
        assert "CK303" in ran.out + ran.err
        assert PHONE.findall(ran.out + ran.err) == [], words
        assert SPACED.findall(ran.out + ran.err) == [], words
        if "github" in words:
            assert "Анна" not in ran.out + ran.err


# Options.


@pytest.fixture
def bench(story: Story, tmp_path: Path) -> Bench:
    return copied(story.bench, tmp_path / "project")


def test_global_options_stand_before_or_after_the_command(bench: Bench, tmp_path: Path) -> None:
    far = Bench(tmp_path, {"CAMPAIGNKIT_ENV": "nowhere"})
    options = ("--project", str(bench.root), "--env", "sandbox", "-q")
    before = far.ok(*options, "plan", "--format", "json")
    assert far.ok("plan", "--format", "json", *options).out == before.out
    assert far.ok("--project", str(bench.root), "plan", "--format", "json", "-q", "--env", "sandbox").out == before.out
    assert far.ok("state", "list", *options[:4], "--format", "json").json["environment"] == "sandbox"
    assert far.ok(*options, "--env", "live", "plan", "--env", "sandbox", "--format", "json").out == before.out  # the nearer one counts


def test_the_command_to_run_next_runs_from_where_one_stands(bench: Bench, tmp_path: Path) -> None:
    far = Bench(tmp_path, dict(bench.env))
    last = far.run("--project", str(bench.root), "apply", "--auto-approve").err.splitlines()[-1]
    assert is_command(last)
    assert far.run(*last.split()[1:]).code == 0, last


def test_colour_is_given_only_where_it_is_wanted(bench: Bench) -> None:
    bench.env["CAMPAIGNKIT_ENV"] = "sandbox"
    escape = "\x1b["
    plain = bench.run("refresh")
    assert escape not in plain.out + plain.err
    bench.env["NO_COLOR"] = "1"
    assert escape not in bench.run("refresh").err
    assert escape in bench.run("refresh", "--color", "always").err
    assert escape not in bench.run("plan", "--format", "json", "--color", "always").out


def test_quiet_leaves_data_and_errors(bench: Bench) -> None:
    bench.env["CAMPAIGNKIT_ENV"] = "sandbox"
    ran = bench.ok("validate", "-q")
    assert "0 errors" not in ran.out + ran.err
    loud = bench.ok("plan")
    assert bench.ok("plan", "-q").out == loud.out
    bench.edit("campaigns/autumn.yaml", "sender: shop", "sendr: shop")
    assert "CK102" in bench.run("plan", "-q").err


COMMANDS = [
    "init", "validate", "compile", "render", "plan", "apply", "refresh", "status", "resolve", "state", "state init", "state list",
    "state show", "state export", "state verify", "state forget", "sandbox", "sandbox serve",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(tmp_path: Path, command: str) -> None:
    ran = Bench(tmp_path).run(*command.split(), "--help")
    assert ran.code == 0, ran.err
    assert f"Usage: campaignkit {command}" in ran.out


def test_the_command_alone_is_wrong_usage(tmp_path: Path) -> None:
    ran = Bench(tmp_path).run()
    assert (ran.code, ran.out) == (64, "")
    assert "Usage: campaignkit" in ran.err
    listed = Bench(tmp_path).ok("--help").out
    assert all(re.search(rf"^  {command} ", listed, re.MULTILINE) for command in COMMANDS if " " not in command)


# Odd ends.


def piped(bench: Bench, words: str) -> subprocess.CompletedProcess[str]:
    """The command with its output into `head -1`."""
    line = f"{sys.executable} -m campaignkit {words} | head -1"
    return subprocess.run(
        ["sh", "-c", line], cwd=bench.root, env=bench.environment(), capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("words", ["state export", "plan -v", "compile", "render autumn --limit 1000", "status --format csv", "--help"])
def test_a_closed_pipe_is_no_fault(bench: Bench, words: str) -> None:
    bench.env["CAMPAIGNKIT_ENV"] = "sandbox"
    bench.write("campaigns/many.csv", ROWS + "".join(f"37533{number:07},{'N' * 400},gold\n" for number in range(1_000)))
    found = piped(bench, words)
    assert found.stdout.count("\n") == 1
    assert "Traceback" not in found.stderr
    assert "Error" not in found.stderr
    assert "BrokenPipe" not in found.stderr


@pytest.mark.parametrize("words", ["plan -v", "render autumn", "validate", "plan --format json", "plan --format markdown", "status"])
def test_a_plain_locale_crashes_nothing(bench: Bench, words: str) -> None:
    bench.env |= {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "CAMPAIGNKIT_ENV": "sandbox", "COLUMNS": "20"}
    process = subprocess.run(
        [sys.executable, "-m", "campaignkit", *words.split()], cwd=bench.root, env=bench.environment(), capture_output=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert b"Traceback" not in process.stderr
    assert b"Unexpected" not in process.stderr
    if words == "plan --format json":
        assert json.loads(process.stdout.decode())["format_version"] == "1.0"


def test_a_terminal_of_20_columns_crashes_nothing(bench: Bench) -> None:
    bench.env |= {"CAMPAIGNKIT_ENV": "sandbox", "COLUMNS": "20", "LINES": "5", "TERM": "dumb"}
    for words in ("plan -v", "apply --help", "refresh"):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "campaignkit", *words.split()],
            cwd=bench.root, env=bench.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        process.communicate(timeout=30)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:
            pass
        os.close(ours)
        assert process.returncode in {0, 7}, said
        assert b"Traceback" not in said
        assert b"Unexpected" not in said


# The documentation's five mailings.

SAMPLE = ROOT / "tests/golden/documentation-sample.json"


def compiled(tmp_path: Path, **env: str) -> Ran:
    root = tmp_path / "shop"
    if not root.exists():
        root.mkdir()
        shutil.copytree(ROOT / "campaigns", root / "campaigns")
        for name in ("campaignkit.yaml", "stoplist.csv"):
            shutil.copy(ROOT / name, root)
    return Bench(root, env).ok("compile", "documentation")


def test_compile_gives_the_five_mailings_of_the_documentation(tmp_path: Path) -> None:
    sample = json.loads(SAMPLE.read_text("utf-8"))
    bodies = compiled(tmp_path).json
    assert all(set(body) == {"messages"} for body in bodies)  # the token is left out, and the project has no callback_url
    found = [message for body in bodies for message in body["messages"]]
    names = [message.pop("name") for message in found]
    assert found == [{key: value for key, value in message.items() if key != "name"} for message in sample["messages"]]
    assert len(found) == 5
    assert [name.rpartition(" ")[0] for name in names] == [f"documentation/list-{number} 1of1" for number in range(1, 6)]
    tags = {name.rpartition(" ")[2] for name in names}
    assert all(re.fullmatch(r"ck-[0-9a-z]{8,64}", tag) for tag in tags)
    for name in names:
        assert len(name) <= 100
        assert name.isascii()
        assert ":" not in name
        assert not any(other.startswith(name) for other in names if other != name)


def test_compile_gives_the_same_bytes_everywhere(tmp_path: Path) -> None:
    first = compiled(tmp_path).out
    assert compiled(tmp_path, PYTHONHASHSEED="1", TZ="Asia/Tokyo", LANG="be_BY.UTF-8").out == first
    assert compiled(tmp_path, PYTHONHASHSEED="99", TZ="America/New_York", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0").out == first


# Lifecycles and revisions.


def test_a_draft_is_planned_for_the_sandbox_only(bench: Bench) -> None:
    (bench.root / "state/sandbox.db").unlink()
    bench.write("campaigns/idea.yaml", MANY.replace("campaign: autumn", "campaign: idea\nlifecycle: draft"))
    live = bench.ok("plan", "--format", "json").json
    assert [campaign["campaign"] for campaign in live["campaigns"]] == ["autumn"]
    assert live["drafts"] == ["idea"]
    assert "idea" in bench.ok("plan").out
    sandbox = bench.ok("plan", "--env", "sandbox", "--format", "json").json
    assert [campaign["campaign"] for campaign in sandbox["campaigns"]] == ["autumn", "idea"]
    assert sandbox["drafts"] == []
    named = bench.run("apply", "idea", "--auto-approve")
    assert named.code == 5
    assert "othing was sent" in named.err
    bench.edit("campaigns/idea.yaml", "{{ name }}", "{{ nome }}")
    assert bench.run("apply", "idea", "--auto-approve").code == 3  # definitions come first
    assert bench.run("validate", "idea").code == 3


def test_a_closed_campaign_needs_no_audience_and_is_in_no_plan(bench: Bench) -> None:
    bench.edit("campaigns/autumn.yaml", "sender: shop", "sender: shop\nlifecycle: closed")
    (bench.root / "campaigns/many.csv").unlink()
    bench.ok("validate")
    plan = bench.ok("plan", "--format", "json").json
    assert (plan["campaigns"], plan["drafts"], plan["summary"]["rows"]) == ([], [], 0)
    status = bench.ok("status", "autumn", "--format", "json").json
    assert sum(mailing["recipients"] for mailing in status["campaigns"][0]["mailings"]) == 5
    bench.edit("campaigns/autumn.yaml", "message_type: bulk", "message_type: bulky")
    assert bench.run("validate").code == 3  # its schema is still checked


def test_a_raised_revision_makes_new_keys_and_counts_resends(bench: Bench) -> None:
    bench.env["CAMPAIGNKIT_ENV"] = "sandbox"
    bench.edit("campaigns/autumn.yaml", "sender: shop", "sender: shop\nrevision: 2")
    plan = bench.ok("plan", "--format", "json").json
    summary = plan["summary"]
    assert plan["campaigns"][0]["revision"] == 2
    assert (summary["resend"], summary["sent"], summary["rows"]) == (5, 0, sum(summary[column] for column in COUNTS[1:]))
    refused = bench.run("apply", "--auto-approve")
    assert refused.code == 5
    assert refused.err.splitlines()[-1] == "campaignkit apply --env sandbox --auto-approve --accept resend=5"
    assert bench.run("plan", "--detailed-exitcode").code == 2
