"""Projects on disk, the command as a user runs it, and a provider in another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.canary import Watched, assert_hidden


@dataclass
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        return self.records[-1]


@dataclass
class Workplace:
    """A project in a temporary folder, and the command run in it."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        return target

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGNKIT_")}
        return kept | self.env

    def start(self, *words: str) -> Watched:
        return Watched(
            [sys.executable, "-m", "campaignkit", *words],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, timeout: float = 120) -> Ran:
        with self.start(*words) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert "Traceback" not in err, err
        assert_hidden(out, err)
        return Ran(process.returncode, out, err)

    def ok(self, *words: str) -> Ran:
        ran = self.run(*words)
        assert ran.code == 0, (ran.code, ran.out, ran.err)
        return ran


PROJECT = """\
version: 1
default_environment: sandbox
timezone: Europe/Minsk
senders:
  shop: {{alphaname_id: 444}}
defaults: {{batch_size: {batch}, first_batch: {first}}}
environments:
  sandbox: {{base_url: sandbox, state: state/sandbox.db}}
  live: {{base_url: "{url}", state: state/live.db, rate: 10000/s{extra}}}
"""

BULK = """\
campaign: {campaign}
sender: shop
mailings:
  - name: {mailing}
    message_type: bulk
    audience: {{file: {file}}}
    content: {{type: text, text: "{text}"}}
"""


def phones(count: int, start: int = 1_000_000) -> list[str]:
    """Invented mobile numbers, all different and valid."""
    return [f"37529{start + number}" for number in range(count)]


@dataclass
class Provider:
    """The sandbox served by another process."""

    url: str
    process: subprocess.Popen[str]

    def ledger(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/sandbox/ledger", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def accepted(self) -> Counter[str]:
        """How often each phone was accepted, by whatever method."""
        return Counter(self.ledger()["times"])

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=10)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
