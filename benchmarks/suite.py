"""The measurements: each a few pairs of the product and its floor, and the rows of the table they give."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.data import TOKEN, write_project
from benchmarks.measure import BenchmarkError, Ratios, Run, in_turns, run
from benchmarks.table import Row

_HERE = Path(__file__).parent
_PRODUCT = (sys.executable, "-m", "campaignkit")
_HEAVY = frozenset({"jsonschema", "requests", "jinja2", "sqlite3", "yaml", "urllib3", "werkzeug", "phonenumbers"})
_PLAN_PEAK_MB = 100


class Suite:
    """All measurements over one invented project in `folder`.

    Args:
        folder: Empty; on the disk that the state is to be measured on.
        rows: Recipients in the audience.
        pairs: Of the long measurements; the short ones take more.
    """

    def __init__(self, folder: Path, *, rows: int, pairs: int, batch: int = 100) -> None:
        self.folder, self.pairs, self.rows = folder, pairs, rows
        self.project = folder / "project"
        self.bodies = folder / "bodies"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGNKIT_")}
        self._marks = folder / "marks"
        self.env["XDG_STATE_HOME"] = str(self._marks)
        self._caches = folder / "caches"
        self.env["XDG_CACHE_HOME"] = str(self._caches)
        self.env |= {"CAMPAIGNKIT_TOKEN": TOKEN}
        self.port = _free_port()
        self.audience = write_project(self.project, rows=rows, port=self.port, batch=batch)
        self._product("state", "init")
        self._state = self.project / "state" / "bench.db"
        self._empty_state = self._kept(self._state, "empty.db")
        self._messages = self._compile()

    def help(self) -> Iterator[Row]:
        """Start-up: what a shell completion or a curious person pays."""
        pairs = in_turns(2 * self.pairs, lambda: self._product("--help"), lambda: self._floor("-c", "import click"))
        yield _time("`--help`", pairs, 2.0, floor="`import click`")
        found = sorted(self._imported("--help") & _HEAVY)
        yield Row("`--help` imports nothing heavy", ", ".join(found) or "none", goal="none", held=not found)

    def plan(self) -> Iterator[Row]:
        """From files to a reviewed list, nobody sent to yet."""
        self._fresh_state()
        script = str(_HERE / "floors" / "plan.py")
        floor = self._floor(script, str(self.audience))
        if json.loads(floor.output) != self._messages:
            raise BenchmarkError(f"the floor makes other messages than campaignkit: {floor.output.strip()} and {self._messages}")
        pairs = in_turns(self.pairs, self._first_plan, lambda: self._floor(script, str(self.audience)))
        yield _time(f"`plan` of {self.rows:,}", pairs, 1.5, floor="`floors/plan.py`")
        peak, other = (max(run.peak for run in side) for side in zip(*pairs, strict=True))
        yield Row("the same, largest process", f"{peak:.0f} MB", f"{other:.0f} MB", "", f"≤ {_PLAN_PEAK_MB} MB", peak <= _PLAN_PEAK_MB)

    def apply(self) -> Iterator[Row]:
        """Sending, at a provider that costs nothing; then what follows it."""
        sending: list[tuple[float, float]] = []
        claims: list[float] = []
        whole: list[tuple[float, float]] = []
        peaks: list[float] = []
        for number in range(self.pairs):
            with self._provider():
                planned = self._fresh_plan() if number % 2 else None
                # The disk's mood decides here and changes within seconds: the floor runs on both sides.
                floors = [self._floor_send()]
                applied = self._fresh_apply()
                floors.append(self._floor_send())
                planned = planned or self._fresh_plan()
            phase = applied.at("summary") - applied.at("plan")
            sending.append((phase, sum(floor.at("end") - floor.at("begin") for floor in floors) / 2))
            claims.append(applied.at("request") - applied.at("plan"))
            whole.append((applied.seconds, planned.seconds + phase))
            peaks.append(applied.peak)
        requests = json.loads(self._last_line(floors[0]))["requests"]
        what = f"`apply`: sending, {requests:,} requests"
        yield _row(what, sending, 2.0, floor="`floors/send.py`")
        first = median(claims)
        yield Row("of it, plan shown to first outcome", f"{first:.2f} s")
        yield _row("`apply`, whole", whole, 1.3, floor="`plan` + sending")
        yield Row("the same, largest process", f"{max(peaks):.0f} MB")

    def afterwards(self) -> Iterator[Row]:
        """Looking and asking after everybody was sent to; no floors, for orientation."""
        with self._provider():
            self._fresh_apply()
            yield _seconds("`plan` again, nothing changed", [self._product("plan") for _ in range(3)])
            yield _seconds("`status`", [self._product("status") for _ in range(3)])
            sent = self._kept(self._state, "sent.db")
            refreshed = []
            for _ in range(3):
                self._fresh_state(sent)
                refreshed.append(self._product("refresh"))
        delivered = self._product("status", "--format", "json").output
        if f'"DELIVERED": {self._messages["messages"]}' not in delivered:
            raise BenchmarkError("refresh did not learn that everybody has it delivered")
        yield _seconds("`refresh`, all delivered", refreshed)

    def _forget_plans(self) -> None:
        shutil.rmtree(self._caches, ignore_errors=True)

    def _first_plan(self) -> Run:
        self._forget_plans()
        return self._product("plan")

    def _product(self, *words: str, codes: Sequence[int] = (0,)) -> Run:
        return run([*_PRODUCT, *words], cwd=self.project, env=self.env, codes=codes)

    def _floor(self, *words: str) -> Run:
        return run([sys.executable, *words], cwd=self.project, env=self.env)

    def _kept(self, file: Path, name: str) -> Path:
        """A copy, not held in memory: on Linux the processes that this one starts count its memory as theirs for a moment."""
        return shutil.copyfile(file, self.folder / name)

    def _fresh_state(self, state: Path | None = None) -> None:
        self._forget_plans()
        shutil.rmtree(self._marks, ignore_errors=True)  # or the empty state would count as one gone back in time
        for file in self._state.parent.iterdir():
            if file.is_file():
                file.unlink()
        shutil.copyfile(state or self._empty_state, self._state)
        self._state.chmod(0o600)

    def _fresh_plan(self) -> Run:
        self._fresh_state()
        return self._product("plan")

    def _fresh_apply(self) -> Run:
        self._fresh_state()
        applied = self._product("apply", "--auto-approve", "--format", "json")
        summary = json.loads(self._last_line(applied))
        if summary["accepted"] != self._messages["messages"]:
            raise BenchmarkError(f"not everybody was sent to: {summary}")
        return applied

    def _floor_send(self) -> Run:
        with contextlib.ExitStack() as stack:
            folder = self.folder / "floor"
            folder.mkdir()
            stack.callback(shutil.rmtree, folder)
            return self._floor(str(_HERE / "floors" / "send.py"), str(self.bodies), str(self.port), str(folder / "floor.db"))

    @staticmethod
    def _last_line(finished: Run) -> bytes:
        return finished.lines[-1][1]

    def _imported(self, *words: str) -> set[str]:
        command = [sys.executable, "-X", "importtime", *_PRODUCT[1:], *words]
        told = subprocess.run(command, cwd=self.project, env=self.env, check=True, capture_output=True, text=True).stderr
        return {match[1] for match in re.finditer(r"\| +([A-Za-z0-9_]+)$", told, re.MULTILINE)}

    def _compile(self) -> dict[str, object]:
        """The request bodies, one a line, and what their messages come to, hashed as the floor of `plan` does it."""
        with self.bodies.open("wb") as stream:
            subprocess.run([*_PRODUCT, "compile"], cwd=self.project, env=self.env, check=True, stdout=stream, stderr=subprocess.DEVNULL)
        people, digest = 0, hashlib.blake2b(digest_size=16)
        with self.bodies.open("rb") as stream, (self.folder / "lines").open("wb") as lines:
            for line in stream:
                body = line.strip().removesuffix(b",")
                if not body.startswith(b"{"):
                    continue
                lines.write(body + b"\n")
                for message in json.loads(body)["messages"]:
                    for person in message["delivery_list"]:
                        content = f"{person['phone']}\0{person['text']}\0{person['button_link']}"
                        people += 1
                        digest.update(hashlib.blake2b(content.encode(), digest_size=16).digest())
        (self.folder / "lines").replace(self.bodies)
        return {"messages": people, "digest": digest.hexdigest()}

    @contextlib.contextmanager
    def _provider(self, seconds: float = 0.0) -> Iterator[None]:
        command = [sys.executable, str(_HERE / "provider.py"), str(self.port), str(seconds)]
        with subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise BenchmarkError("the provider did not start")
            try:
                yield
            finally:
                process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert isinstance(port, int)
        return port


def _time(what: str, pairs: Sequence[tuple[Run, Run]], goal: float, *, floor: str) -> Row:
    return _row(what, [(mine.seconds, theirs.seconds) for mine, theirs in pairs], goal, floor=floor)


def _row(what: str, pairs: Sequence[tuple[float, float]], goal: float | None, *, floor: str) -> Row:
    ratios = Ratios(tuple(mine / theirs for mine, theirs in pairs))
    mine, theirs = (median(side) for side in zip(*pairs, strict=True))
    return Row(
        what,
        _shown(mine),
        f"{_shown(theirs)}, {floor}",
        f"{ratios.middle:.2f} ({min(ratios.values):.2f} to {max(ratios.values):.2f})",
        "" if goal is None else f"≤ {goal:g}",
        None if goal is None else ratios.middle <= goal,
    )


def _seconds(what: str, runs: Sequence[Run]) -> Row:
    peak = max(each.peak for each in runs)
    return Row(what, f"{_shown(median(each.seconds for each in runs))}, {peak:.0f} MB")


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 0.5 else f"{seconds:.2f} s"
