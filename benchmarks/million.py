"""`make bench-million`: every figure that a national campaign stands or falls with, each a ratio to a floor in the same run."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.data import append_rows, scatter_changes
from benchmarks.measure import BenchmarkError, Run, check_that_grandchildren_count, in_turns, run
from benchmarks.suite import Suite, _row, _time
from benchmarks.table import Row, as_markdown, as_text, machine

PARTS = ("first", "again", "changed", "sending", "in_flight", "killed", "afterwards", "files", "start", "growth")
_HERE = Path(__file__).parent
_FLOORS = _HERE / "floors"
_FEWER = 10
"""A tenth of the rows: what growth is measured against."""


class Million(Suite):
    """The measurements; the floors are the fastest scripts we know that give the same result."""

    def first(self) -> Iterator[Row]:
        """The first plan, against an optimised script."""
        self._fresh_state()
        script = str(_FLOORS / "plan_fast.py")
        floor = self._floor(script, str(self.audience))
        if json.loads(floor.output) != self._messages:
            raise BenchmarkError(f"the floor makes other messages than campaignkit: {floor.output.strip()} and {self._messages}")
        pairs = in_turns(self.pairs, self._first_plan, lambda: self._floor(script, str(self.audience)))
        yield _time(f"first `plan` of {self.rows:,}", pairs, 1.3, floor="`floors/plan_fast.py`")
        self._planned = median(mine.seconds for mine, _ in pairs)
        peak = max(mine.peak for mine, _ in pairs)
        each = 1e6 * self._planned / self.rows
        yield Row("the same, a recipient", f"{each:.1f} µs")
        yield Row("the same, largest process", f"{peak:.0f} MB", "", "", "≤ 100 MB", peak <= 100)

    def again(self) -> Iterator[Row]:
        """Nothing changed."""
        self._fresh_state()
        pairs = [(self._first_plan(), self._product("plan")) for _ in range(self.pairs)]
        yield _row("`plan` again, nothing changed", [(b.seconds, a.seconds) for a, b in pairs], 0.05, floor="the first plan")

    def changed(self) -> Iterator[Row]:
        """A thousand rows are new, or others."""
        whole = self._kept(self.audience, "whole.csv")
        changes: list[tuple[str, Callable[[], None], float]] = [
            ("after 1,000 rows were appended", lambda: append_rows(self.audience, 1000, self.rows), 0.5),
            ("after 1,000 rows changed all over", lambda: scatter_changes(self.audience, 1000), 1.0),
        ]
        for what, change, goal in changes:
            pairs = []
            for _ in range(self.pairs):
                self._fresh_state()
                first = self._first_plan()
                change()
                pairs.append((self._product("plan").seconds, first.seconds))
                shutil.copyfile(whole, self.audience)
            yield _row(f"`plan` {what}", pairs, goal, floor="the first plan")

    def sending(self) -> Iterator[Row]:
        """To a provider that answers at once."""
        phases, whole = [], []
        for _ in range(self.pairs):
            with self._provider():
                planned = self._fresh_plan()
                floors = [self._floor_send()]
                applied = self._fresh_apply()
                floors.append(self._floor_send())
            phase = applied.at("summary") - applied.at("plan")
            phases.append((phase, sum(floor.at("end") - floor.at("begin") for floor in floors) / 2))
            whole.append((applied.seconds, planned.seconds + phase))
        yield _row("`apply`: sending phase", phases, 1.5, floor="`floors/send.py`")
        yield _row("`apply`, whole", whole, 1.2, floor="`plan` + sending")

    def in_flight(self) -> Iterator[Row]:
        """Against a provider that takes 200 ms, with few requests: the ratio is what counts."""
        campaign, project = self.project / "campaigns" / "big.yaml", self.project / "campaignkit.yaml"
        kept, whole = project.read_text(), campaign.read_text()
        few = self.folder / "project" / "campaigns" / "few.csv"
        with self.audience.open("rb") as source, few.open("wb") as target:
            target.writelines(itertools.islice(source, 120 * self.batch))
        campaign.write_text(whole.replace("big.csv", "few.csv"))
        pairs = []
        try:
            for _ in range(self.pairs):
                seconds = []
                for number in (1, 4):
                    project.write_text(kept.replace("rate:", f"in_flight: {number}\n    rate:"))
                    with self._provider(0.2):
                        self._fresh_state()
                        applied = self._product("apply", "--auto-approve", "--format", "json")
                    seconds.append(applied.at("summary") - applied.at("plan"))
                pairs.append((seconds[0], seconds[1]))
        finally:
            project.write_text(kept)
            campaign.write_text(whole)
            few.unlink()
        gain = median(one / four for one, four in pairs)
        yield Row("4 in flight against 1, at 200 ms", f"{gain:.2f} times as fast", "", "", "≥ 3.5", gain >= 3.5)

    def killed(self) -> Iterator[Row]:
        """SIGKILL in the middle of sending: until the next apply says what is unknown, and until it sends again."""
        told, sent_again = [], []
        for _ in range(self.pairs):
            with self._provider():
                planned = self._fresh_plan()
                self._fresh_state()
                command = [sys.executable, "-m", "campaignkit", "apply", "--auto-approve", "--format", "json"]
                quiet = subprocess.DEVNULL
                with subprocess.Popen(command, cwd=self.project, env=self.env, stdout=subprocess.PIPE, stderr=quiet) as process:
                    assert process.stdout is not None
                    sent = 0
                    for line in process.stdout:
                        sent += b'"type": "request"' in line or b'"type":"request"' in line
                        if sent == 5:
                            process.send_signal(signal.SIGKILL)
                            break
                after = self._product("apply", "--auto-approve", "--format", "json", codes=(0, 7))
            told.append((after.heard("An earlier run died"), planned.seconds))
            sent_again.append((after.at("request"), planned.seconds))
        yield _row("`apply` after SIGKILL, until it says what is unknown", told, 1.2, floor="a full `plan`")
        yield _row("the same, until its first request has ended", sent_again, None, floor="a full `plan`")

    def afterwards(self) -> Iterator[Row]:
        """Statuses, totals and the file, after everybody was sent to."""
        with self._provider():
            self._fresh_apply()
            sent = self._kept(self._state, "sent.db")
            pairs, calm = [], []
            for _ in range(self.pairs):
                self._fresh_state(sent)
                floor = self._floor(str(_FLOORS / "refresh.py"), str(self._state), str(self.port))
                pairs.append((self._product("refresh").seconds, floor.seconds))
            for _ in range(self.pairs):
                floor = self._floor(str(_FLOORS / "refresh.py"), str(self._state), str(self.port))
                calm.append((self._product("refresh").seconds, floor.seconds))
        yield _row("`refresh`, all delivered", pairs, 1.5, floor="`floors/refresh.py`")
        yield _row("`refresh` again", calm, 1.2, floor="the same")
        size = self._state.stat().st_size / 1e6
        yield Row("state, all delivered", f"{size:.1f} MB", "", "", "≤ 60 MB a million", size * 1e6 / self.rows <= 60)
        many = [self._product("status") for _ in range(self.pairs)]
        with self._small(1000):
            few = [self._product("status") for _ in range(self.pairs)]
        both = [(a.seconds, b.seconds) for a, b in zip(many, few, strict=True)]
        yield _row("`status`, totals", both, 3.0, floor="`status` of 1,000")

    def files(self) -> Iterator[Row]:
        """A thousand campaign files."""
        folder = self.folder / "files"
        (folder / "campaigns").mkdir(parents=True)
        (folder / "campaignkit.yaml").write_text((self.project / "campaignkit.yaml").read_text())
        for number in range(1000):
            (folder / "campaigns" / f"c{number:04}.yaml").write_text(_FILE.format(number=number), encoding="utf-8")
        schema = _HERE.parent / "schemas" / "campaign.schema.json"
        pairs = in_turns(
            self.pairs,
            lambda: run([sys.executable, "-m", "campaignkit", "validate"], cwd=folder, env=self.env),
            lambda: self._floor(str(_FLOORS / "validate.py"), str(folder / "campaigns"), str(schema)),
        )
        yield _time("`validate` of 1,000 files", pairs, 1.5, floor="`floors/validate.py`")

    def start(self) -> Iterator[Row]:
        """What small things cost."""
        pairs = in_turns(4 * self.pairs, lambda: self._product("--help"), lambda: self._floor("-c", _BARE))
        yield _time("`--help`", pairs, 1.3, floor="a bare click program")
        folder = self.folder / "example"
        run([sys.executable, "-m", "campaignkit", "init", str(folder)], cwd=self.folder, env=self.env)

        def plan() -> Run:
            self._forget_plans()
            return run([sys.executable, "-m", "campaignkit", "plan"], cwd=folder, env=self.env)

        pairs = in_turns(4 * self.pairs, plan, lambda: self._floor(str(_FLOORS / "example.py"), str(folder)))
        yield _time("`plan` of the example project", pairs, 2.0, floor="`floors/example.py`")

    def growth(self) -> Iterator[Row]:
        """A tenth of the rows: memory and time a recipient."""
        with self._small(self.rows // _FEWER):
            few = [self._first_plan() for _ in range(self.pairs)]
            few_rows = self.rows // _FEWER
        self._fresh_state()
        many = [self._first_plan() for _ in range(self.pairs)]
        more = max(each.peak for each in many) - max(each.peak for each in few)
        yield Row(f"`plan`: memory against {few_rows:,}", f"{more:+.0f} MB", "", "", "≤ 60 MB more", more <= 60)
        ratios = [(a.seconds / self.rows, b.seconds / few_rows) for a, b in zip(many, few, strict=True)]
        grown = median(a / b for a, b in ratios)
        yield Row(f"`plan`: time a recipient against {few_rows:,}", f"{grown:.2f}", "", "", "≤ 1.15", grown <= 1.15)

    @property
    def batch(self) -> int:
        """People of a batch."""
        return 500

    @contextlib.contextmanager
    def _small(self, rows: int) -> Iterator[None]:
        """The same project with fewer people, sent to where a provider runs; everything put back afterwards."""
        whole, state = self._kept(self.audience, "whole.csv"), self._kept(self._state, "kept.db")
        with whole.open("rb") as source, self.audience.open("wb") as target:
            target.writelines(itertools.islice(source, rows + 1))
        try:
            with self._provider():
                self._fresh_state()
                self._product("apply", "--auto-approve", "--format", "json")
            yield
        finally:
            shutil.copyfile(whole, self.audience)
            self._fresh_state(state)


_BARE = "import click; click.command()(lambda: None).main(['--help'], standalone_mode=False)"
_FILE = """\
campaign: c-{number:04}
sender: shop
variables: {{shop_url: "https://shop.example.by"}}
mailings:
  - name: invitation
    message_type: personal
    audience: {{rows: [{{phone: "375291111111", first_name: Анна, points: "7"}}]}}
    content:
      type: button
      text: "{{{{ first_name }}}}, у вас {{{{ points }}}} баллов."
      caption: Выбрать подарок
      button_link: "{{{{ shop_url }}}}/gift?c={{{{ first_name | urlencode }}}}"
  - name: last-day
    message_type: bulk
    audience: {{phones: ["375291111111", "375292222222"]}}
    content: {{type: text, text: "Only today at {{{{ shop_url }}}}"}}
"""


def main() -> int:
    """Run what was asked for; returns 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description="A million recipients against plain scripts.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="campaignkit-million-") as folder:
        began = time.monotonic()
        suite = Million(Path(folder), rows=chosen.rows, pairs=chosen.pairs, batch=500)
        for part in chosen.parts or PARTS:
            found = list(getattr(suite, part)())
            rows += found
            print(as_text(found), file=sys.stderr)
            print(f"{part}: measured after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        check_that_grandchildren_count(os.environ)
        shutil.rmtree(suite.folder / "bodies", ignore_errors=True)
    print(as_markdown(rows) if chosen.markdown else as_text(rows))
    print(f"\nMedians; ratios pair by pair, {chosen.pairs} pairs. {machine()}.")
    return int(any(row.held is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
