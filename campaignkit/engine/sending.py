"""One request after another over the wire, each between its intent and its outcome.

The order is the whole guarantee: connect, commit the intent, write once, read, commit the outcome. Only a request that was
never connected or was throttled is tried again.
"""

from __future__ import annotations

import contextlib
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from campaignkit.engine.pace import CONNECT_TRIES, LONGEST_WAIT, Pace, backoff
from campaignkit.engine.packing import PackedBatch
from campaignkit.engine.stop_rules import StopWatch
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.states.records import RequestState, Step
from campaignkit.states.store import Store

THROTTLE_TRIES = 6


class StopFlag:
    """Raised by the first SIGINT or SIGTERM: finish what is in flight, begin nothing more."""

    def __init__(self) -> None:
        self.requested = False


Call = Callable[[Callable[[], bool]], SendResult]
"""One post: connects, asks for the intent, writes once; see `provider.port.Sender`."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed request: its reference in the state, its batches, their names on the wire, its callback secret if any."""

    ref: str
    batches: tuple[PackedBatch, ...]
    tags: tuple[str, ...]
    names: tuple[str, ...]
    callback_secret: str = field(default="", repr=False)
    step: Step = Step.ONLY
    message_id: str = ""
    """The provider's id of a draft that is to be confirmed."""
    subscribers: int = 0
    """People whom confirming it messages."""

    @property
    def people(self) -> int:
        """How many it messages; a list of the provider counts as one until its size is known."""
        return self.subscribers if self.step is Step.CONFIRM else sum(batch.count for batch in self.batches)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one request of the run."""

    ready: Ready
    result: SendResult

    @property
    def people(self) -> int:
        """How many deliveries came to an end by it: a draft is no end."""
        created = self.ready.step is Step.CREATE and self.result.outcome is Outcome.ACCEPTED
        return 0 if created else self.ready.people


@dataclass(slots=True, kw_only=True)
class SendLoop:
    """Sends the requests of one run.

    Args:
        store: Where intents and outcomes go.
        call: What posts a request, to be called with what commits its intent; asked once, however often the post is tried.
        clock: Time.
        chance: Jitter of waits.
        pace: Requests a second.
        in_flight: Requests at a time.
        watch: When to halt.
        stop: When the operator asked to.
        still_ours: Whether the lock is still held; asked before each intent.
        tell: Hears of each request that ended.
        spill: Gets what became of an attempt (by number) where the state could not take it.
    """

    store: Store
    call: Callable[[Ready], Call]
    clock: Clock
    chance: random.Random
    pace: Pace
    in_flight: int
    watch: StopWatch
    stop: StopFlag
    tell: Callable[[Sent], None]
    spill: Callable[[Ready, int, SendResult], None]
    still_ours: Callable[[], bool] = lambda: True
    stopped: str = ""
    in_doubt: dict[str, int] = field(default_factory=dict)
    """Requests with an intent whose outcome is not stored, with their people."""
    _begun: dict[str, int] = field(default_factory=dict)
    """Requests that were begun, with their place in that order."""
    _dropped: set[MailingKey] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def run(self, requests: Sequence[Ready]) -> None:
        """Send them in order; what is not tried stays planned, and the caller frees it."""
        for group in _groups(requests):
            if self.in_flight <= 1 or len(group) == 1:
                for ready in group:
                    self._one(ready)
            else:
                with ThreadPoolExecutor(self.in_flight, thread_name_prefix="send", initializer=_leave_signals) as pool:
                    for _ in pool.map(self._one, group):
                        pass

    @property
    def halted(self) -> bool:
        """Whether nothing more may begin."""
        return bool(self.stopped) or self.stop.requested

    def _one(self, ready: Ready) -> None:
        with self._lock:
            if self.halted or any(batch.mailing.key in self._dropped for batch in ready.batches):
                return
        result = self._attempts(ready)
        if result is None:
            return
        with self._lock:
            # Nobody listening any more (a closed pipe) is no reason to stop half-way.
            with contextlib.suppress(OSError, ValueError):
                self.tell(Sent(ready, result))
            reason = self.watch.observe(result, self._begun.get(ready.ref, 0)) if result.reason != LATE else ""
            self.stopped = self.stopped or reason
            if result.outcome is Outcome.REJECTED and ready.batches[0].canary:
                self._dropped.update(batch.mailing.key for batch in ready.batches)

    def _attempts(self, ready: Ready) -> SendResult | None:
        """Try until the outcome stands; None if nothing was tried because the run stopped first."""
        call = self.call(ready)
        number = 0
        while True:
            number += 1
            self.pace.wait()
            if self.halted:
                return None
            result, attempt = self._attempt(ready, call)
            if result.reason in _NEVER_BEGUN:
                return None
            again, wait = self._again(result, number)
            if attempt is not None:
                state = self._record(ready, attempt, result, again=again)
                if state is RequestState.UNKNOWN and result.outcome is Outcome.ACCEPTED:
                    return SendResult(
                        outcome=Outcome.UNKNOWN,
                        phase=result.phase,
                        reason="its uuid belongs to another request",
                        halt=True,
                    )
            if not again:
                return result
            self.clock.sleep(wait)

    def _record(self, ready: Ready, attempt: int, result: SendResult, *, again: bool) -> RequestState:
        try:
            with self._lock:
                state = self.store.record(ready.ref, attempt, result, self.clock.now(), again=again)
                self.in_doubt.pop(ready.ref, None)
        except BaseException:  # a full disk, an interrupt: what the provider said must outlive this process
            self.spill(ready, attempt, result)
            raise
        return state

    def _attempt(self, ready: Ready, call: Call) -> tuple[SendResult, int | None]:
        number: int | None = None
        denied = ""

        def intent() -> bool:
            nonlocal number, denied
            with self._lock:
                denied = self._objection(ready)
                if denied:
                    return False
                number = self.store.mark_intent(ready.ref, self.clock.now())
                if number is None:
                    denied = self.stopped = TAKEN_OVER
                    return False
                self.in_doubt[ready.ref] = ready.people
                self._begun.setdefault(ready.ref, len(self._begun) + 1)
            return True

        result = call(intent)
        if denied:
            result = SendResult(outcome=Outcome.NOT_SENT, phase=Phase.CONNECTED, reason=denied)
        return result, number

    def _objection(self, ready: Ready) -> str:
        """Why this request must not be begun now that it is connected, or nothing."""
        if self.halted:
            return HALTED
        if not self.still_ours():
            self.stopped = LOCK_LOST
            return LOCK_LOST
        now = self.clock.now()
        if any(batch.mailing.schedule_utc is not None and batch.mailing.schedule_utc <= now for batch in ready.batches):
            self._dropped.update(batch.mailing.key for batch in ready.batches)
            return LATE
        return ""

    def _again(self, result: SendResult, number: int) -> tuple[bool, float]:
        """Whether this attempt may be repeated, and after how many seconds."""
        if result.halt or self.stop.requested or result.reason == LATE:
            return False, 0.0
        wait = backoff(number, self.chance, retry_after=result.retry_after)
        if result.outcome is Outcome.NOT_SENT:
            return number < CONNECT_TRIES, wait
        if result.outcome is Outcome.THROTTLED:
            with self._lock:
                stopped = self.watch.throttled()
                self.stopped = self.stopped or stopped
            return not stopped and number < THROTTLE_TRIES and wait <= LONGEST_WAIT, wait
        return False, 0.0


LATE = "its scheduled time passed before it could be sent"
HALTED = "the run had stopped by then"
LOCK_LOST = "the lock was taken away from this run by `state unlock`, and another run may be at work"
TAKEN_OVER = "another run has taken over what this one had planned"
_NEVER_BEGUN = frozenset({HALTED, LOCK_LOST, TAKEN_OVER})
"""Their requests stay planned, and nothing was tried."""


def _leave_signals() -> None:
    """Of a thread that sends: a signal that it took instead of the main thread would be heard only once that wakes by itself."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def _groups(requests: Sequence[Ready]) -> Iterator[list[Ready]]:
    """A canary alone, then what may travel together: the rest of a mailing waits for its canary."""
    held: list[Ready] = []
    for ready in requests:
        if ready.batches[0].canary:
            if held:
                yield held
                held = []
            yield [ready]
        else:
            held.append(ready)
    if held:
        yield held
