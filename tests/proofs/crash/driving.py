"""Plays one history: makes a state, starts and strikes the processes of each run, and collects what is left."""

from __future__ import annotations

import gc
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from campaignkit.engine.refresher import RefreshJob
from campaignkit.engine.resolver import Desk, Resolution
from campaignkit.errors import RefusedError, StateError
from campaignkit.model.mailings import QUICK
from campaignkit.model.settings import SANDBOX_URL, Environment
from campaignkit.provider.records import RecordClient
from campaignkit.provider.secrets import Redactor
from campaignkit.states.opening import create, open_reader
from campaignkit.states.packing import unpack_phones
from campaignkit.states.records import RequestRow, RequestState, Step
from campaignkit.states.store import StateReader
from tests.proofs.crash.children import Child, Now
from tests.proofs.crash.engine_process import (
    DEADLINE,
    ENVIRONMENT,
    LINEAGE,
    ORIGIN,
    PATIENCE,
    TOKEN,
    Place,
    QuickClock,
    apply,
    open_state,
    settings,
)  # fmt: skip
from tests.proofs.crash.evidence import End, Event, Evidence, Key, Line, StoredBatch, StoredRequest, owner_of
from tests.proofs.crash.failpoints import Act, Points
from tests.proofs.crash.histories import History, Run
from tests.proofs.crash.upstream import Upstream

_UNFENCED = Environment(name=ENVIRONMENT, base_url=SANDBOX_URL, state="s.db")
_FENCED = Environment(name=ENVIRONMENT, base_url=ORIGIN, state="s.db")
"""A person of a history does not wait for the fence, but about confirms: what they say there allows no second one."""

WAKE_AFTER = 0.4
"""Seconds that a second process may wait for a stopped one (it may hold a lock of the database), before that goes on."""

_IN_DOUBT = frozenset({RequestState.UNKNOWN, RequestState.INTENT})

Break = Callable[[], None]


@dataclass
class Stage:
    """Where histories are played.

    Attributes:
        upstream: The provider.
        folder: For states; each history gets and leaves a folder of its own.
        broken: Done in each process first: how a mutant gets into it.
        trace: A file that takes the names of the points that a process passed to its end.
    """

    upstream: Upstream
    folder: Path
    broken: Break | None = None
    trace: Path | None = None

    def play(self, history: History) -> Evidence:
        """Play a history to its end."""
        gc.freeze()  # what lives now is shared with every child, and no collection shall copy it
        with _room(self.folder / history.name) as room:
            player = _Player(self, history, room)
            evidence = player.play()
        self.upstream.forget(history.name)
        return evidence


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class _Player:
    stage: Stage
    history: History
    room: Path
    ends: list[End] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    released: set[str] = field(default_factory=set)
    resolved: set[str] = field(default_factory=set)

    @property
    def state(self) -> Path:
        return self.room / "state" / "s.db"

    def play(self) -> Evidence:
        create(self.state, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=datetime.now(UTC))
        quiet_from = 0
        for number, run in enumerate(self.history.runs):
            last = number == len(self.history.runs) - 1
            if last:
                quiet_from = len(self.stage.upstream.log(self.history.name))
            self.stage.upstream.script(self.history.name, run.script, run.reads)
            if run.refresh:
                self._refresh(number, run)
            if run.answer:
                self._answer(run.answer, number)
            self._run(number, run)
            self._look()
        with self._reader() as reader:
            rows = [] if reader is None else list(reader.requests())
            keys = {} if reader is None else held(reader, dict(self.history.aliases))
        requests = tuple(map(stored, rows))
        return Evidence(
            log=named(self.stage.upstream.log(self.history.name), requests), quiet_from=quiet_from, requests=requests, held=keys,
            problems=tuple(self.problems), ends=tuple(self.ends), released=frozenset(self.released), resolved=frozenset(self.resolved),
            spilled={}, wanted=self.history.wanted, inert=self.history.inert, edited=self.history.edited,
        )  # fmt: skip

    def _run(self, number: int, run: Run) -> None:
        children: list[Child] = []
        try:
            self._strike(number, run, children)
            for at, child in enumerate(children):
                code = child.end()
                end = End(run=number, process=at, code=code, locked=run.locked, faultless=run.faultless, in_flight=run.files.in_flight)
                self.ends.append(end)
        finally:
            for child in children:  # only where something broke: then nobody may linger
                child.kill()

    def _strike(self, number: int, run: Run, children: list[Child]) -> None:
        """Start the processes of a run, and do to them what is done from outside."""
        children.append(first := self._start(number, run, 0))
        now = Now.RUNNING
        if run.in_turn:
            now = first.wait(10.0 if run.strikes[0].act is Act.STOP else run.gap)
        if run.between and now is Now.STOPPED:
            self._answer(run.between, number, asleep=True)
        children += [self._start(number, run, process) for process in range(1, len(run.strikes))]
        passed = 0.0
        for after, at in sorted((strike.after, at) for at, strike in enumerate(run.strikes) if strike.after):
            children[at].wait_quietly(max(0.0, after - passed))
            children[at].kill()
            passed = after
        if now is Now.STOPPED:
            for child in children[1:]:
                child.wait_quietly(WAKE_AFTER)
            if run.woken:
                first.wake()
            else:
                first.kill()

    def _start(self, number: int, run: Run, process: int) -> Child:
        deadline = PATIENCE if run.faultless else DEADLINE
        place = Place(
            state=self.state, url=self._url(run), run=number, process=process, locked=run.locked, deadline=deadline, confirm=run.confirm
        )  # fmt: skip
        Redactor(place.token)  # here, so that the patterns of a token are compiled once and not by every child

        def work(points: Points) -> int:
            if self.stage.broken is not None:
                self.stage.broken()
            code = apply(place, run.files, points)
            if self.stage.trace is not None:
                self.stage.trace.write_text("\n".join(points.names), "ascii")
            return code

        return Child(work, run.strikes[process], self.room / f"trouble-{number}-{process}.txt")

    def _url(self, run: Run) -> str:
        # Port 9 is the discard service's: nobody listens there.
        return "http://127.0.0.1:9/down" if run.down else self.stage.upstream.url(self.history.name)

    def _look(self) -> None:
        """What the state and the processes say of themselves after each run."""
        with self._reader() as reader:
            if reader is not None:
                self.problems += reader.problems()
        for trouble in sorted(self.room.glob("trouble-*")):
            self.problems.append(f"{trouble.name}: {trouble.read_text('utf-8')}")
            trouble.unlink()

    @contextmanager
    def _reader(self) -> Iterator[StateReader | None]:
        """The state, or None and a problem: no death of a process may leave one that can't be opened."""
        try:
            reader = open_reader(self.state, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE)
        except StateError as error:
            self.problems.append(error.message)
            yield None
            return
        try:
            yield reader
        finally:
            reader.close()

    def _refresh(self, number: int, run: Run) -> None:
        """Ask for all statuses; whatever is answered, it only adds to what is known."""
        store, clock = open_state(self.state), QuickClock(number)
        try:
            with self._records() as reader:
                where = settings(run.files)[1]
                RefreshJob(store=store, reader=reader, clock=clock, environment=where, campaigns=[]).once()
        finally:
            store.close()

    def _records(self) -> RecordClient:
        url = self.stage.upstream.url(self.history.name)
        return RecordClient(url, TOKEN, token_in="documented", connect_timeout=1.0, read_timeout=0.5, sleep=lambda _seconds: None)

    def _answer(self, answer: str, number: int, *, asleep: bool = False) -> None:
        """What a person says about one unknown request, found in the provider's cabinet or not.

        Of a confirm they look first: nobody calls one not sent that counted, or whose process only sleeps (`asleep`).
        """
        store = open_state(self.state)
        try:
            clock = QuickClock(number)
            store.recover(clock.now())
            unknown = list(store.requests(states=[RequestState.UNKNOWN]))
            if not unknown:
                return
            row = random.Random(number).choice(unknown)
            to = RequestState(answer)
            confirm = row.step is Step.CONFIRM
            if confirm and to is RequestState.RELEASED and (asleep or self._made(row, Event.ACCEPTED)):
                return
            uuid = self._made(row, Event.ACCEPTED, Event.DRAFTED) if to is RequestState.ACCEPTED else ""
            with suppress(StateError, RefusedError), self._records() as reader:
                # Refused where a lying provider gave this uuid to another request, too.
                desk = Desk(store=store, clock=clock, environment=_FENCED if confirm else _UNFENCED, reader=reader)
                desk.settle(row.ref, Resolution(to=to, uuid=uuid, reason="looked it up", expect_people=row.recipients))
                if not confirm:
                    (self.released if to is RequestState.RELEASED else self.resolved).add(row.ref)
        finally:
            store.close()

    def _made(self, row: RequestRow, *events: Event) -> str:
        """The id that the provider gave to what it made of this request; empty if it made nothing of it."""
        requests = (stored(row),)
        lines = named(self.stage.upstream.peek(self.history.name), requests)
        names = {batch.name for batch in row.batches}
        return next((line.uuid for line in lines if line.event in events and line.name in names), "")


def named(entries: Sequence[dict[str, Any]], requests: Sequence[StoredRequest]) -> tuple[Line, ...]:
    """The provider's log as the checker takes it: quick messages, which have no name on the wire, named by the batches they are of."""
    owners: dict[tuple[str, int], list[StoredRequest]] = defaultdict(list)
    for request in requests:
        if request.method == QUICK:
            [batch] = request.batches
            owners[batch.name.partition(" ")[0], batch.phones[0]].append(request)
    return tuple(_named(line_of(entry), owners) for entry in entries)


def _named(line: Line, owners: dict[tuple[str, int], list[StoredRequest]]) -> Line:
    if line.method != QUICK or not line.name:
        return line
    found = owners[line.name, line.phones[0]]
    if line.by is not None:
        likely = [one for one in found if owner_of(one.batches[0].name) == line.by]
    else:
        # The whole command's tags tell nothing of its process: the request that has the id, else the one in doubt, else the newest.
        likely = [one for one in found if one.uuid == line.uuid] or [one for one in found if one.state in _IN_DOUBT] or found[-1:]
    return replace(line, name=likely[0].batches[0].name) if likely else line


def line_of(entry: dict[str, Any]) -> Line:
    """A line of the provider's log as it wrote it."""
    by = tuple(map(int, entry.get("by", ())))
    return Line(
        event=Event(entry["event"]), n=int(entry["n"]), name=entry.get("name", ""), phones=tuple(map(int, entry.get("phones", ()))),
        uuid=entry.get("uuid", ""), told=entry.get("told", ""), heard=bool(entry.get("heard")), method=entry.get("method", "bulk"),
        by=(by[0], by[1]) if by else None,
    )  # fmt: skip


def stored(row: RequestRow) -> StoredRequest:
    """A request of the state as the checker takes it."""
    batches = tuple(
        StoredBatch(name=batch.name, campaign=batch.key.campaign, mailing=batch.key.mailing, phones=tuple(unpack_phones(batch.phones)))
        for batch in row.batches
    )
    return StoredRequest(
        ref=row.ref, state=str(row.state), uuid=row.uuid, recorded=bool(row.phase), run=row.run_id, batches=batches, method=row.method,
        step=str(row.step),
    )  # fmt: skip


def held(reader: StateReader, aliases: dict[str, str]) -> dict[Key, str]:
    """Every delivery key that is claimed, with the state of its request."""
    phones = sorted({phone for row in reader.requests() for batch in row.batches for phone in unpack_phones(batch.phones)})
    found: dict[Key, str] = {}
    for mailing in reader.mailings():
        for phone, known in reader.known([mailing.id], phones).items():
            found[Key(mailing.key.campaign, aliases.get(mailing.key.mailing, mailing.key.mailing), phone)] = str(known.state)
    return found
