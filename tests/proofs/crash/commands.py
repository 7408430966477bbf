"""Histories of the whole command: `campaignkit apply` on a real project, killed at random instants and named points."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.states.opening import open_reader
from campaignkit.states.store import StateReader
from tests.canary import TOKEN, leaking_files
from tests.proofs.crash.behaviours import BEHAVIOURS, BULK, LIST, QUICK
from tests.proofs.crash.driving import held, named, stored
from tests.proofs.crash.evidence import End, Evidence, Key
from tests.proofs.crash.failpoints import Act, Strike
from tests.proofs.crash.upstream import ROOT, Upstream

PROJECT = """\
version: 1
default_environment: live
timezone: Europe/Minsk
senders:
  shop: {{alphaname_id: 444}}
defaults: {{batch_size: {batch}, first_batch: 3}}
environments:
  live:
    base_url: "{url}"
    state: state/live.db
    rate: 10000/s
    deadline: {deadline}
    provider: {{drafts_are_inert: {inert}}}
    stop_rules: {{unknown_in_first: 0, unknowns: 0, throttles: 0, refusals: 0}}
"""
CAMPAIGN = """\
campaign: spring
sender: shop
mailings:
  - name: invitation
    content: {type: text, text: "spring/invitation only today"}
"""
METHODS = {
    BULK: "    message_type: bulk\n    audience: {file: people.csv}\n",
    QUICK: "    method: quick\n    vibername_id: 12\n    audience: {file: people.csv}\n",
    LIST: "    method: list\n    vibername_id: 12\n    list_id: 77\n",
}
POINTS = (
    "lock.after", "store.recover.before", "store.recover.after", "store.begin_run.after", "store.write_plan.after", "sql.COMMIT.before",
    "sql.COMMIT.after", "net.connected", "intent.before", "intent.after", "net.half_body", "net.body_sent", "net.status_line",
    "net.body_read", "store.record.before", "store.record.after", "store.dissolve.after", "store.end_run.after", "store.close.before",
    "sql.close.before", "store.close.after", "read.before", "read.after", "store.note_draft.after", "store.resolve.after",
)  # fmt: skip
# A throttle is waited out for real seconds here, and a broken token ends everything: both are the engine histories' part.
_NAMES = tuple(name for name in BEHAVIOURS if not name.startswith("throttle") and name not in {"refuse_403", "refuse_404"})
_ODDS = tuple(15 if name == "accept" else 1 for name in _NAMES)
LONGEST = 60.0
ENVIRONMENT = "live"
NAME = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """One apply, or two at once, of so many people in batches of `batch`, or one by one, or of a list of the provider."""

    people: int
    batch: int
    method: str = BULK
    inert: bool = False
    script: tuple[str, ...] = ()
    strikes: tuple[Strike, ...] = (Strike(),)
    faultless: bool = False


def command_history(seed: int) -> tuple[CommandRun, ...]:
    """The runs of a seed: one to three struck ones, then two faultless ones."""
    chance = random.Random(f"command {seed}")
    other = random.Random(f"methods of command {seed}")
    method, inert = other.choices((BULK, QUICK, LIST), (60, 25, 15))[0], other.random() < 0.4
    people, batch = chance.randint(6, 20), chance.randint(2, 6)
    people = people if method == BULK else min(people, 7)
    runs: list[CommandRun] = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        strikes = tuple(_strike(chance) for _ in range(2 if chance.random() < 0.35 else 1))
        script = tuple(chance.choices(_NAMES, _ODDS, k=chance.randint(0, 6)))
        runs.append(CommandRun(people=people, batch=batch, method=method, inert=inert, script=script, strikes=strikes))
        people, batch = people + chance.choice((0, 0, 2)), chance.choice((batch, batch, 4))
    calm = replace(runs[-1], people=people, batch=batch, script=(), strikes=(Strike(),), faultless=True)
    return (*runs, calm, calm)


def _strike(chance: random.Random) -> Strike:
    draw = chance.random()
    if draw < 0.1:
        return Strike()
    if draw < 0.6:
        return Strike(Act.KILL, after=chance.uniform(0.2, 1.0))
    return Strike(Act.KILL, point=chance.choice(POINTS), nth=chance.choice((1, 1, 1, 2, 3, 5)))


class CommandStage:
    """A project and its provider, made anew for each history.

    Args:
        upstream: The provider.
        folder: For the project.
    """

    def __init__(self, upstream: Upstream, folder: Path) -> None:
        self.upstream = upstream
        self._fresh, self._room = folder / "fresh", folder / "room"
        # A state is tied to its provider's URL: one made here once serves every history.
        self._room.mkdir(parents=True)
        self._write(CommandRun(people=6, batch=3))
        self._call("state", "init").wait(LONGEST)
        shutil.move(self._room, self._fresh)
        self.usual = 1.0
        begun = time.monotonic()
        self.play((CommandRun(people=6, batch=3),))
        self.usual = time.monotonic() - begun

    def play(self, runs: tuple[CommandRun, ...]) -> Evidence:
        """Play one history to its end. Instants of death are in parts of the time that an undisturbed apply takes here."""
        shutil.rmtree(self._room, ignore_errors=True)
        shutil.copytree(self._fresh, self._room)
        self.upstream.reset(NAME)
        ends: list[End] = []
        problems: list[str] = []
        quiet_from = 0
        for number, run in enumerate(runs):
            if number == len(runs) - 1:
                quiet_from = len(self.upstream.log(NAME))
            self.upstream.script(NAME, run.script)
            self._write(run)
            ends += self._run(number, run)
            problems += self._problems()
        return self._evidence(runs[-1], ends, problems, quiet_from)

    @property
    def _root(self) -> Path:
        return self._room / "project"

    def _write(self, run: CommandRun) -> None:
        campaigns = self._root / "campaigns"
        campaigns.mkdir(parents=True, exist_ok=True)
        (self._root / "campaignkit.yaml").write_text(
            PROJECT.format(
                batch=run.batch, url=self.upstream.url(NAME), deadline="20s" if run.faultless else "500ms", inert=str(run.inert).lower()
            ), "utf-8",
        )  # fmt: skip
        (campaigns / "spring.yaml").write_text(CAMPAIGN + METHODS[run.method], "utf-8")
        (campaigns / "people.csv").write_text("phone\n" + "".join(f"{phone}\n" for phone in _phones(run.people)), "utf-8")

    def _run(self, number: int, run: CommandRun) -> list[End]:
        words = ("apply", "--auto-approve", "--format", "json")
        started = [self._call(*words, strike=strike, output=self._room / f"{number}-{at}.txt") for at, strike in enumerate(run.strikes)]
        passed = 0.0
        for after, at in sorted((strike.after, at) for at, strike in enumerate(run.strikes) if strike.after):
            with suppress(subprocess.TimeoutExpired):
                started[at].wait(self.usual * (after - passed))
            started[at].kill()
            passed = after
        ends = []
        for at, process in enumerate(started):
            code = process.wait(LONGEST)
            ends.append(End(run=number, process=at, code=None if code < 0 else code, faultless=run.faultless))
        return ends

    def _call(self, *words: str, strike: Strike | None = None, output: Path | None = None) -> subprocess.Popen[bytes]:
        runner = ["campaignkit"]
        if strike is not None and strike.point:
            runner = ["tests.proofs.crash.command_runner", strike.point, str(strike.nth)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGNKIT_")}
        environment = kept | {
            "CAMPAIGNKIT_TOKEN_LIVE": TOKEN, "CAMPAIGNKIT_ENV": ENVIRONMENT, "XDG_STATE_HOME": str(self._room / "marks"),
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        with (output or self._room / "other.txt").open("wb") as stream:
            return subprocess.Popen(
                [sys.executable, "-m", *runner, *words],
                cwd=self._root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    @contextmanager
    def _reader(self) -> Iterator[StateReader]:
        reader = open_reader(self._root / "state/live.db", environment=ENVIRONMENT, origin=self.upstream.url(NAME), lineage=None)
        try:
            yield reader
        finally:
            reader.close()

    def _problems(self) -> list[str]:
        try:
            with self._reader() as reader:
                return list(reader.problems())
        except StateError as error:
            return [error.message]

    def _evidence(self, last: CommandRun, ends: list[End], problems: list[str], quiet_from: int) -> Evidence:
        for output in self._room.glob("*.txt"):
            text = output.read_text("utf-8", "replace")
            problems += [f"{output.name}: {text}"] if "Traceback" in text else []
        # Outputs, the project, the state with all that stands beside it, and the marks.
        problems += [f"the token stands in {leak}" for leak in leaking_files(self._room)]
        with self._reader() as reader:
            requests, keys = tuple(map(stored, reader.requests())), held(reader, {})
        return Evidence(
            log=named(self.upstream.log(NAME), requests), quiet_from=quiet_from, requests=requests, held=keys,
            problems=tuple(problems), ends=tuple(ends), spilled={}, owned=False,
            wanted=frozenset(Key("spring", "invitation", phone) for phone in ([0] if last.method == LIST else _phones(last.people))),
            inert=last.inert,
        )  # fmt: skip


def _phones(count: int) -> list[int]:
    return [375_291_000_000 + number for number in range(count)]
