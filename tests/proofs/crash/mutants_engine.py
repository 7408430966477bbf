"""Broken orders of the engine: what is asked, told or planned at the wrong time, or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaignkit.engine import history
from campaignkit.engine.calls import Calls
from campaignkit.engine.packing import Packer
from campaignkit.engine.sending import Ready, SendLoop
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.plans.known import Standing
from campaignkit.states.records import RequestState
from campaignkit.states.sqlite import attempts
from campaignkit.states.sqlite.writing import SqliteStore
from tests.proofs.crash import engine_process
from tests.proofs.crash.mutants_wire import put


def recorded_at_the_end() -> None:
    """Outcomes are written down when everything was sent."""
    original, dissolve = SqliteStore.record, SqliteStore.dissolve
    late: list[tuple[SqliteStore, tuple[Any, ...], dict[str, Any]]] = []

    def record(self: SqliteStore, ref: str, attempt: int, result: SendResult, at: datetime, *, again: bool = False) -> RequestState:
        if again:
            return original(self, ref, attempt, result, at, again=again)
        late.append((self, (ref, attempt, result, at), {"again": again}))
        return RequestState(attempts._ENDS[result.outcome])

    def dissolve_after(self: SqliteStore, run_id: int, at: datetime) -> int:
        for store, words, named in late:
            original(store, *words, **named)
        return dissolve(self, run_id, at)

    put(SqliteStore, "record", record)
    put(SqliteStore, "dissolve", dissolve_after)


def intent_in_memory() -> None:
    """The intent is committed with the outcome, not before the first byte."""
    original, record = SqliteStore.mark_intent, SqliteStore.record

    def record_both(self: SqliteStore, ref: str, attempt: int, result: SendResult, at: datetime, *, again: bool = False) -> RequestState:
        number = original(self, ref, at)
        return record(self, ref, number or attempt, result, at, again=again)

    put(SqliteStore, "mark_intent", lambda *_: 1)
    put(SqliteStore, "record", record_both)


def unknown_goes_again() -> None:
    """An unknown outcome counts as one that may be tried again."""
    original = SendLoop._again

    def again(self: SendLoop, result: SendResult, number: int) -> tuple[bool, float]:
        return (number < 3, 0.0) if result.outcome is Outcome.UNKNOWN else original(self, result, number)

    put(SendLoop, "_again", again)
    put(attempts, "_REPEATABLE", attempts._REPEATABLE | {RequestState.UNKNOWN})


def bodies_are_mixed() -> None:
    """A body carries the people of the batch before."""
    original = Calls._body
    before: list[Ready] = []

    def body(self: Calls, ready: Ready) -> bytes:
        before.append(ready)
        mixed = Ready(ready.ref, before[max(0, len(before) - 2)].batches, ready.tags, ready.names)
        return original(self, mixed)

    put(Calls, "_body", body)


def planner_ignores_unknown() -> None:
    put(history, "_STANDING", history._STANDING | {RequestState.UNKNOWN: Standing.PENDING})


def planner_ignores_accepted() -> None:
    put(history, "_STANDING", history._STANDING | {RequestState.ACCEPTED: Standing.PENDING})


def planner_drops_the_last() -> None:
    """The last batch of a mailing is forgotten."""
    original = Packer.finish
    put(Packer, "finish", lambda self: original(self)[:-1])


def nothing_is_recovered() -> None:
    """What dead runs left stays as it is."""
    put(SqliteStore, "recover", lambda *_: None)


def exit_code_forgets_unknown() -> None:
    put(engine_process, "left_open", lambda *_: (0, 0))


def keeps_sending_without_its_intent() -> None:
    """What the compare-and-set says is not listened to."""
    original = SqliteStore.mark_intent

    def mark_intent(self: SqliteStore, ref: str, at: datetime) -> int | None:
        return original(self, ref, at) or 1

    put(SqliteStore, "mark_intent", mark_intent)
