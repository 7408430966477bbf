"""Every command of the runbook is run, in the situation that its section is about."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from campaignkit.cli.exit_codes import ExitCode
from tests.canary import TOKEN
from tests.docs.console import Session, Step, same, steps
from tests.docs.places import read

ENV = {"CAMPAIGNKIT_TOKEN_PRODUCTION": TOKEN}
ENVIRONMENT = """
  production:
    base_url: {url}
    state: state/production.db
    rate: 10000/s{more}
"""
RUNBOOK = read("docs/runbook.md")
SECTIONS = {int(part.partition(":")[0]): part for part in RUNBOOK.split("\n## ")[1:]}
SEND = "sendBulkViber"


@dataclass
class Scene:
    """A project before a provider in another process, and whatever else runs."""

    folder: Path
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    url: str = ""
    lineage: str = ""

    def set_up(self, *faults: dict[str, object], more: str = "") -> None:
        self.run("campaignkit init .")
        scenario = self.folder.with_name("scenario.json")
        scenario.write_text(json.dumps({"faults": list(faults)}), "utf-8")
        provider = self.start("sandbox", "serve", "--port", "0", "--scenario", str(scenario))
        assert provider.stdout is not None
        self.url = provider.stdout.readline().split()[-1]
        self.edit("campaignkit.yaml", "  # production:", ENVIRONMENT.format(url=self.url, more=more) + "  # production:")
        self.edit("campaigns/welcome.yaml", "lifecycle: draft", "lifecycle: active")
        self.run("campaignkit state init --env production")
        self.lineage = json.loads((self.folder / "campaignkit.lock").read_text("utf-8"))["environments"]["production"]["lineage"]

    def session(self) -> Session:
        return Session(self.folder, ENV)

    def run(self, command: str) -> str:
        return self.session().run(command)

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "campaignkit", *words], cwd=self.folder, env=self.session().environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.running.append(process)
        return process

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    def back_up(self, name: str) -> None:
        (self.folder / "backups").mkdir(exist_ok=True)
        shutil.copy(self.folder / "state/production.db", self.folder / "backups" / name)

    def in_flight(self) -> subprocess.Popen[str]:
        """An apply whose first request the provider has, and has not answered."""
        process = self.start("apply", "--env", "production", "--auto-approve")
        end = time.monotonic() + 20
        while not json.load(urllib.request.urlopen(f"{self.url}/sandbox/ledger", timeout=10))["requests"]:
            assert time.monotonic() < end
            time.sleep(0.02)
        return process


def applied(scene: Scene) -> None:
    scene.set_up()
    assert "Sent: 5 accepted" in scene.run("campaignkit apply --env production --auto-approve")


def mistyped(scene: Scene) -> None:
    scene.set_up()
    scene.edit("campaigns/welcome.yaml", "{{ first_name", "{{ frist_name")


def stale(scene: Scene) -> None:
    scene.set_up()
    scene.run("campaignkit plan welcome --env production --out reviewed.plan.json")
    with (scene.folder / "campaigns/audiences/people.csv").open("a", encoding="utf-8") as file:
        file.write("375295555555,Дарья,7,c-5\n")


def limited(scene: Scene) -> None:
    scene.set_up(more="\n    max_recipients: 4")
    scene.back_up("older.db")


def damage(scene: Scene) -> None:
    scene.back_up("production.db")
    (scene.folder / "state/production.db").write_bytes(b"who got what" * 1000)


def go_on(scene: Scene) -> None:
    scene.back_up("older.db")
    assert "Sent: 5 accepted" in scene.run("campaignkit apply --env production --auto-approve --accept recipients=5")


def rejecting(scene: Scene) -> None:
    scene.set_up({"method": SEND, "nth": 1, "fault": "http_400"})


def losing(scene: Scene) -> None:
    scene.set_up({"method": SEND, "nth": [1, 2], "fault": "drop_after"})


def locked(scene: Scene) -> None:
    scene.set_up({"method": SEND, "nth": 1, "fault": "slow", "seconds": 30})
    scene.in_flight().send_signal(signal.SIGSTOP)


def interrupted(scene: Scene) -> None:
    scene.set_up({"method": SEND, "nth": 1, "fault": "slow", "seconds": 2})
    process = scene.in_flight()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED


def throttling(scene: Scene) -> None:
    scene.set_up({"method": SEND, "nth": 1, "fault": "throttle"}, more="\n    stop_rules: {throttles: 1}")


SITUATIONS: dict[int, Callable[[Scene], object]] = {
    0: applied, 1: applied, 2: Scene.set_up, 3: mistyped, 4: stale, 5: limited, 6: rejecting, 7: losing, 8: locked, 9: interrupted,
    10: throttling, 64: Scene.set_up,
}  # fmt: skip
BEFORE: dict[tuple[int, str], Callable[[Scene], object]] = {
    (5, "The state is missing or damaged"): damage,
    (5, "The state went back in time"): go_on,
}
"""What happens at a heading within a section."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "project"
    folder.mkdir()
    scene = Scene(folder)
    yield scene
    for process in scene.running:
        process.kill()
        process.communicate()


def parts(code: int) -> Iterator[tuple[str, list[Step]]]:
    """The headings of a section with the commands below each."""
    for part in SECTIONS[code].split("\n### "):
        yield part.partition("\n")[0], list(steps(part))


def named(command: str, found: dict[str, str]) -> str:
    """A command with what earlier messages have shown."""
    return re.sub(r"\b(?:ID|LINEAGE)\b", lambda word: found[word[0]], command)


def test_every_exit_code_has_its_section() -> None:
    assert set(SECTIONS) == {int(code) for code in ExitCode} == set(SITUATIONS)
    assert all(f"| [{int(code)}](#" in RUNBOOK for code in ExitCode)


@pytest.mark.parametrize("code", sorted(SECTIONS))
def test_the_commands_of_a_section_do_what_it_says(code: int, scene: Scene) -> None:
    SITUATIONS[code](scene)
    session, found = scene.session(), {"LINEAGE": scene.lineage}
    count = 0
    for heading, commands in parts(code):
        BEFORE.get((code, heading), _nothing)(scene)
        for step in commands:
            printed = session.run(named(step.command, found))
            if lock := re.search(r"lock id ([0-9a-f]{16})", printed):
                found["ID"] = lock[1]
            assert same([named(line, found) for line in step.expected], printed), (
                f"docs/runbook.md, section {code}: $ {step.command}\n--- printed\n{printed}--- expected\n" + "\n".join(step.expected)
            )
            count += 1
    assert count


def _nothing(_scene: Scene) -> None:
    """Nothing happens at this heading."""


def test_every_command_that_is_named_is_run() -> None:
    run = [set(step.command.replace(";", " ").split()) for step in steps(RUNBOOK)]
    prose = re.sub(r"^```.*?^```$", "", RUNBOOK, flags=re.MULTILINE | re.DOTALL)
    calls = re.findall(r"`(campaignkit [^`]+)`", prose)
    assert calls
    for call in calls:
        assert any(set(call.split()) <= words for words in run), call
