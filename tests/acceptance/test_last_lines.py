"""Whatever ends with an error says what was sent, and its last line is a command that helps and that the program knows."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import click
import pytest

from campaignkit.cli.main import cli
from tests.acceptance.bench import Bench, Reply, Tap, closed_port, is_command, reported
from tests.acceptance.places import Ran

Spoil = Callable[[Bench, Tap], object]


def known(command: str) -> bool:
    """Whether the program takes a command with these options."""
    if command.startswith("git checkout -- "):
        return True
    words = [word for word in shlex.split(command)[1:] if word != "--help"]
    context, found = click.Context(cli), cast("click.Command | None", cli)
    while isinstance(found, click.Group) and words:
        words = found.make_parser(context).parse_args(words)[1]
        found = found.get_command(context, words.pop(0))
    assert found is not None, command
    found.make_parser(context).parse_args(words)
    return True


def held(ran: Ran, code: int) -> str:
    """What every end with an error keeps; returns the last line."""
    assert ran.code == code, (ran.code, ran.out, ran.err)
    last = ran.err.splitlines()[-1]
    assert is_command(last), ran.err
    assert known(last)
    return last


def nothing(_bench: Bench, _tap: Tap) -> None:
    """All is well."""


def broken(bench: Bench, _tap: Tap) -> None:
    bench.edit("campaigns/spring.yaml", "{{ first_name }}", "{{ frist_name }}")


def gone(bench: Bench, _tap: Tap) -> None:
    (bench.root / "state/live.db").unlink()


def damaged(bench: Bench, _tap: Tap) -> None:
    (bench.root / "state/live.db").write_bytes(b"who got what" * 1000)


def lockless(bench: Bench, _tap: Tap) -> None:
    bench.write("campaignkit.lock", "{")


def tokenless(bench: Bench, _tap: Tap) -> None:
    bench.env.pop("CAMPAIGNKIT_TOKEN_LIVE")


def projectless(bench: Bench, _tap: Tap) -> None:
    (bench.root / "campaignkit.yaml").unlink()


def scripted(bench: Bench, _tap: Tap) -> None:
    bench.write("state/sandbox.scenario.json", "{")


def unknown(bench: Bench, tap: Tap) -> None:
    tap.sends.append(Reply(500, ""))
    held(bench.apply(), 7)


def sent(bench: Bench, tap: Tap) -> None:
    tap.statuses = reported
    bench.ok("apply", "--auto-approve")


FORGET = "state forget spring/invitation --reason x --expect-people"
BEFORE_SENDING: list[tuple[int, Spoil, str]] = [
    *((3, broken, words) for words in ("apply", "plan", "validate", "compile", "render spring", "validate --format json")),
    *((3, projectless, words) for words in ("apply", "plan", "validate", "status", "refresh", "resolve", "state list", "state unlock x")),
    *(
        (5, spoil, words)
        for spoil in (gone, damaged, lockless)
        for words in (
            "apply", "refresh", "status", "resolve", "resolve r1 --abandon", "state list", "state show", "state export", "state verify",
            f"{FORGET} 1",
        )
    ),
    (5, damaged, "plan"), (5, lockless, "plan"), (5, tokenless, "apply"), (5, tokenless, "refresh"), (5, nothing, "apply"),
    (5, tokenless, "resolve r1 --accepted --uuid x"), (5, scripted, "apply --env sandbox --auto-approve"),
    (5, scripted, "refresh --env sandbox"), (5, nothing, "init"), (5, nothing, "state init"),
    (5, nothing, "state export --out state/live.db"),
    (5, nothing, "compile --out campaigns/people.csv/bodies"), (5, nothing, "render spring --phone 375297777777"),
    (5, nothing, "sandbox serve --port 1 --data campaigns/people.csv"), (5, sent, "resolve r1 --abandon"), (5, sent, f"{FORGET} 9"),
    (5, gone, "callbacks serve --port 0"), (5, lockless, "callbacks ingest campaigns/people.csv"),
    (5, nothing, "state restore state/live.db"), (5, damaged, "state restore state/live.db --accept-lost-history"),
    (64, nothing, "callbacks ingest nowhere"), (64, nothing, "callbacks"), (64, nothing, "state restore"),
    (64, nothing, f"{FORGET} 9"), (64, nothing, "resolve r9 --abandon"), (64, nothing, "resolve r9"), (64, nothing, "plan --format xml"),
    (64, nothing, "aply"), (64, nothing, "state"),
    (64, nothing, "state lst"), (64, nothing, "plan --env prod"), (64, nothing, "plan sprong"),
    (64, nothing, "apply --accept x"), (64, nothing, "apply --lock-timeout 1"), (64, nothing, "resolve --expect-people 1"),
    (64, nothing, "render spring nobody"), (64, nothing, "status --phone x"), (64, nothing, "--frobnicate plan"),
    (64, nothing, "state unlock"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "spoil", "words"), BEFORE_SENDING, ids=lambda one: one.__name__ if callable(one) else str(one))
def test_what_ends_before_sending_says_so_and_what_helps(bench: Bench, tap: Tap, code: int, spoil: Spoil, words: str) -> None:
    spoil(bench, tap)
    before = len(tap.sent)
    ran = bench.run(*words.split())
    if words not in {"state", "callbacks"}:  # their help needs no further one
        held(ran, code)
        assert "othing was" in ran.err or words.startswith("validate"), ran.err
    assert len(tap.sent) == before


def test_a_command_that_helps_works_from_where_the_user_stands(bench: Bench, tmp_path: Path) -> None:
    elsewhere = Bench(tmp_path, dict(bench.env))
    ran = elsewhere.run("apply", "--project", str(bench.root))
    assert held(ran, 5) == f"campaignkit apply --env live --auto-approve --project {bench.root}"
    gone(bench, Tap())
    last = held(elsewhere.run("--project", str(bench.root), "status"), 5)
    assert last.endswith(f"--project {bench.root}")


def test_a_command_that_helps_works_in_the_environment_that_was_named(bench: Bench) -> None:
    assert held(bench.run("confirm", "spring", "--env", "live"), 64) == "campaignkit status --env live"
    assert (
        held(bench.run("--env", "live", "optouts", "remove", "375291111111", "--reason", "x"), 64) == "campaignkit optouts list --env live"
    )
    assert held(bench.run("plan", "sprong", "--env", "live"), 64) == "campaignkit plan --help"


def test_no_phone_of_the_command_line_is_printed_again(bench: Bench) -> None:
    gone(bench, Tap())
    ran = bench.run("render", "spring", "--phone", "375297777777")
    assert held(ran, 5) == "campaignkit render --help"
    assert "375297777777" not in ran.err


AGAIN = "campaignkit apply --env live --auto-approve"
SENT: list[tuple[int, Spoil, str, str]] = [
    (7, lambda _, tap: tap.sends.append(Reply(500, "")), "apply --auto-approve", "campaignkit resolve --env live"),
    (7, unknown, "apply --auto-approve", "campaignkit resolve --env live"),
    (7, unknown, "refresh", "campaignkit resolve --env live"),
    (6, lambda _, tap: tap.sends.append(Reply(400, '{"error": "no money"}')), "apply --auto-approve", AGAIN),
    (10, lambda _, tap: tap.sends.extend([Reply(429, "")] * 9), "apply --auto-approve", AGAIN),
]  # fmt: skip


@pytest.mark.parametrize(("code", "spoil", "words", "last"), SENT, ids=["7", "7 of old", "7 refreshed", "6", "10"])
def test_what_ends_after_sending_says_how_it_stands(bench: Bench, tap: Tap, code: int, spoil: Spoil, words: str, last: str) -> None:
    tap.statuses = reported
    spoil(bench, tap)
    ran = bench.run(*words.split())
    assert held(ran, code) == last
    if "apply" in words:
        assert "Sent: " in ran.err
        assert "not sent to" in ran.err or "not sent" not in ran.err
    assert "unknown: they may have been sent to" in ran.err or code != 7 or "refresh" in words


def test_what_the_provider_refused_afterwards_has_its_last_line_too(bench: Bench, tap: Tap) -> None:
    """One poll shows an error; refresh says 6, and so does a later apply once it is confirmed."""
    bench.ok("apply", "--auto-approve")
    tap.statuses = lambda messages: Reply(body=json.dumps([{"errors": [f"{messages[0]['name']}: Content url is not valid"]}]))
    assert held(bench.run("refresh"), 6) == "campaignkit status --failed --env live"


def test_a_provider_that_can_not_be_asked_loses_nothing(bench: Bench, tap: Tap) -> None:
    sent(bench, tap)
    tap.statuses = lambda _messages: Reply(503, "busy")
    assert held(bench.run("refresh", "spring"), 10) == "campaignkit refresh spring --env live"


def test_a_provider_that_can_not_be_reached_is_named_with_the_same_command(bench: Bench) -> None:
    bench.env["CAMPAIGNKIT_BASE_URL"] = f"http://127.0.0.1:{closed_port()}"
    bench.env["CAMPAIGNKIT_STATE"] = "state/elsewhere.db"
    bench.write("campaignkit.lock", '{"version": 1, "environments": {}}')
    bench.ok("state", "init")
    ran = bench.apply()
    assert held(ran, 10) == "campaignkit apply --env live --auto-approve"
    assert "3 not sent" in ran.err


BURST = """
import sys
from campaignkit.engine import {module}
def burst(*_, **__): raise ValueError("375291111111")
{module}.{name} = burst
from campaignkit.cli.main import entry
sys.argv[1:] = sys.argv[1:]
entry()
"""


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [("planner", "PlanJob.run", "plan"), ("planner", "PlanJob.run", "apply"), ("overview", "overview", "status"),
     ("resolver", "unknowns", "resolve")],
)  # fmt: skip
def test_a_fault_of_ours_has_words_too(bench: Bench, module: str, name: str, words: str) -> None:
    script = BURST.format(module=module, name=name)
    done = subprocess.run(
        [sys.executable, "-c", script, "--env", "live", words], cwd=bench.root, env=bench.environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert held(Ran(done.returncode, done.stdout, done.stderr), 1) == "campaignkit status --env live"
    assert "What was sent so far is in the state" in done.stderr
    assert "375291111111" not in done.stderr
    assert "Traceback" not in done.stderr
