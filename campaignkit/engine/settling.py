"""Settling: uuids that hints name are asked about, and only what the provider's own statuses confirm changes anything.

A callback, or an answer that was cut, never settles a request by itself: a forged, replayed or swapped one costs one
status call. None ever releases anybody.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from campaignkit.engine.confirming import Reading, accept, reading
from campaignkit.engine.hints import ANSWER, hint_lines
from campaignkit.engine.pace import Pace
from campaignkit.engine.releasing import open_from
from campaignkit.engine.resolver import UnverifiedError, verify
from campaignkit.errors import ProviderError, StateError
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import BULK
from campaignkit.model.settings import Environment
from campaignkit.model.unknowns import HintLine
from campaignkit.provider.port import Reader as ProviderReader
from campaignkit.states.records import Finding, Hints, RequestRow, RequestState, Step, Verification
from campaignkit.states.store import Store

MOST_CALLS = 50
"""Status calls of one run, whatever came in."""
MOST_A_REQUEST = 3
"""Status calls about one request in one run."""
MOST_TRIES = 30
"""How often one uuid is asked about that is not shown; with the waits between, about a day."""
FIRST_WAIT, LONGEST_WAIT = 10.0, 3600.0
"""Seconds between two tries: doubled each time."""

_UNDER_WAY = frozenset({RequestState.PLANNED, RequestState.INTENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRequest:
    """An unknown request that turned out to be accepted, and by what evidence."""

    ref: str
    uuid: str
    people: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAgain:
    """A list mailing whose confirm certainly did not count: it waits to be confirmed again."""

    ref: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A request that had ended otherwise, and was accepted by the provider all the same."""

    ref: str
    uuid: str
    people: int
    text: str


@dataclass(slots=True, kw_only=True)
class Settled:
    """What a settling came to; `waiting` counts requests with hints to be asked about again."""

    accepted: list[SettledRequest] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    drafts: list[DraftAgain] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: int = 0
    waiting: int = 0


@dataclass(slots=True, kw_only=True)
class SettleJob:
    """Looks at everything that came in; needs no lock, as each change is a compare-and-set.

    Args:
        store: The state. Requests that a run has under way are left alone: their callbacks wait.
        reader: Gives the provider's reader, when there is something to ask.
        clock: Time.
        pace: Requests a second.
        stopped: Whether to begin nothing more.
        environment: Under its lock, whose fence decides when a confirm that did not count may be repeated; None without the lock.
    """

    store: Store
    reader: Callable[[], ProviderReader]
    clock: Clock
    pace: Pace
    stopped: Callable[[], bool] = lambda: False
    environment: Environment | None = None
    settled: Settled = field(default_factory=Settled)
    _handled: list[int] = field(default_factory=list)
    _unreachable: bool = False

    def run(self) -> Settled:
        """Ask about every uuid that is due, and store what was learned."""
        rows = list(self.store.requests(states=[RequestState.UNKNOWN], with_people=False))
        unknown = [row.ref for row in rows if row.method == BULK]
        seen: set[str] = set()
        try:
            for hints in self.store.hints():
                seen.add(hints.ref)
                self._request(hints)
            for ref in unknown:
                if ref not in seen:
                    self._request(next(iter(self.store.hints(ref))))
            for row in rows:
                if row.step is Step.CONFIRM and row.uuid and not self._exhausted(0):
                    self._confirmed(row)
        finally:
            if self._handled:
                self.store.handle_callbacks(self._handled)
        return self.settled

    def _request(self, hints: Hints) -> None:
        row = self.store.request(hints.ref)
        if row is None or row.state in _UNDER_WAY:
            return
        known = {one.uuid: one for one in hints.verifications}
        done: set[str] = {row.uuid}
        asked, waits = 0, False
        for line in hint_lines(row, hints):
            if not line.uuid or line.uuid in done or not _matters(row, line):
                continue
            done.add(line.uuid)
            before = known.get(line.uuid)
            if before is not None and _is_final(before):
                continue
            if not _is_due(before, self.clock.now()) or self._exhausted(asked):
                waits = True
                continue
            asked += 1
            waits = not self._ask(row, line) or waits
            row = self.store.request(hints.ref) or row
        if waits:
            self.settled.waiting += 1
        else:
            self._handled += [one.id for one in hints.callbacks if not one.handled]

    def _confirmed(self, row: RequestRow) -> None:
        """A confirm whose answer was lost: the provider's own record of the mailing may show what became of it."""
        self.pace.wait()
        self.settled.calls += 1
        try:
            word = self.reader().mailing(row.uuid).status
        except ProviderError as error:
            self.settled.notes.append(f"{row.ref}: its record could not be read: {error.message}")
            return
        found = reading(word, row.listing.draft_word if row.listing else "")
        may_repeat = self.environment is not None and open_from(row, self.environment) <= self.clock.now()
        with contextlib.suppress(ValueError):  # somebody settled it in this very moment
            if found is Reading.COUNTED:
                people = accept(self.store, row, word, self.clock)
                evidence = f"the record of {row.uuid}, which says {word}"
                self.settled.accepted.append(SettledRequest(ref=row.ref, uuid=row.uuid, people=people, evidence=evidence))
            elif found is Reading.DRAFT and may_repeat:
                reason = f"not confirmed: the provider still shows it as {word}, as before"
                self.store.resolve(row.ref, RequestState.DRAFT, reason=reason, at=self.clock.now())
                self.settled.drafts.append(DraftAgain(ref=row.ref, message_id=row.uuid))

    def _exhausted(self, asked: int) -> bool:
        return self._unreachable or self.stopped() or asked >= MOST_A_REQUEST or self.settled.calls >= MOST_CALLS

    def _ask(self, row: RequestRow, line: HintLine) -> bool:
        """Ask about one uuid; tells whether nothing more is to be asked about it."""
        self.pace.wait()
        self.settled.calls += 1
        finding = Finding.VERIFIED
        try:
            verify(row, line.uuid, self.reader())
        except UnverifiedError as error:
            if error.finding is None:
                self._unreachable = True
                self.settled.notes.append(f"{row.ref}: a hint could not be verified: {error.trouble}")
                return False
            finding = error.finding
        if finding is Finding.VERIFIED:
            finding = self._believe(row, line)
        self.store.record_verification(row.ref, line.uuid, finding, self.clock.now())
        return finding is not Finding.NOT_SHOWN

    def _believe(self, row: RequestRow, line: HintLine) -> Finding:
        """The provider shows our batches under this uuid: an unknown request was accepted; any other is an alarm."""
        if row.state is not RequestState.UNKNOWN:
            self._alarm(row, line)
            return Finding.VERIFIED
        evidence = _evidence(line)
        reason = f"accepted after all: the provider shows its batches under the uuid of {evidence}"
        try:
            people = self.store.resolve(row.ref, RequestState.ACCEPTED, uuid=line.uuid, reason=reason, at=self.clock.now())
        except ValueError:  # somebody settled it in this very moment
            return Finding.VERIFIED
        except StateError as error:
            self.settled.notes.append(error.message)
            return Finding.FOREIGN
        self.settled.accepted.append(SettledRequest(ref=row.ref, uuid=line.uuid, people=people, evidence=evidence))
        return Finding.VERIFIED

    def _alarm(self, row: RequestRow, line: HintLine) -> None:
        text = _alarm_text(row, line.uuid)
        self.settled.alarms.append(Alarm(ref=row.ref, uuid=line.uuid, people=row.recipients, text=text))
        detail = {"text": text, "uuid": line.uuid, "people": row.recipients, "evidence": _evidence(line)}
        self.store.note(kind="alarm", subject=row.ref, detail=json.dumps(detail), at=self.clock.now())


def _matters(row: RequestRow, line: HintLine) -> bool:
    """Whether an answer to this question could change or tell anything."""
    if row.state is RequestState.UNKNOWN:
        return True
    if line.source == ANSWER:
        return False  # whoever decided had it before their eyes
    return row.state is not RequestState.ACCEPTED or bool(row.uuid)


def _is_final(before: Verification) -> bool:
    return before.finding is not Finding.NOT_SHOWN or before.tries >= MOST_TRIES


def _is_due(before: Verification | None, now: datetime) -> bool:
    if before is None:
        return True
    wait = min(FIRST_WAIT * 2.0 ** (before.tries - 1), LONGEST_WAIT)
    return now - before.at >= timedelta(seconds=wait)


def _evidence(line: HintLine) -> str:
    if line.source == ANSWER:
        return "the answer that was kept"
    return f"a callback of {line.at:%Y-%m-%d %H:%M:%S} UTC" if line.at else "a callback"


def _alarm_text(row: RequestRow, uuid: str) -> str:
    people = f"{row.recipients:,} people"
    if row.state is RequestState.ABANDONED:
        return f"{row.ref} was abandoned, yet accepted by the provider (uuid {uuid}): its {people} are messaged, once"
    if row.state is RequestState.ACCEPTED:
        return f"{row.ref} was accepted by the provider twice (uuids {row.uuid} and {uuid}): {people} may get it twice"
    ended = "was released" if row.state is RequestState.RELEASED else f"ended as {row.state.replace('_', ' ')}"
    return f"{row.ref} {ended}, yet accepted by the provider (uuid {uuid}): {people} may get it twice"
