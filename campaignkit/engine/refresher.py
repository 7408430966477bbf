"""Refresh: ask the provider for the statuses of every accepted request not yet final, and store what they teach."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from campaignkit.engine.folding import Folded, FoldedList, fold, fold_list, fold_quick, news
from campaignkit.engine.pace import Pace
from campaignkit.errors import ProviderError, StateError
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import BULK, QUICK
from campaignkit.model.settings import Environment
from campaignkit.provider.port import NotVisibleError, Reader
from campaignkit.states.records import RequestRow, RequestState
from campaignkit.states.store import Store
from campaignkit.wire.records import DeliveryRow, Listing, QuickStatus
from campaignkit.wire.statuses import StatusAnswer
from campaignkit.wire.vocabulary import is_settled

FIRST_WAIT = 2.0
LONGEST_WAIT = 300.0
_TRIES = 10


@dataclass(slots=True, kw_only=True)
class Refreshed:
    """What a refresh came to; `settled` says that every request is delivered, read, failed, refused or past the horizon."""

    requests: int = 0
    polled: int = 0
    changed: int = 0
    final: int = 0
    pending: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected."""
        return self.pending == 0


@dataclass(slots=True, kw_only=True)
class RefreshJob:
    """Polls the accepted requests of some campaigns (all, if none are named); `before` is done before each poll."""

    store: Store
    reader: Reader
    clock: Clock
    environment: Environment
    campaigns: Sequence[str]
    tell: Callable[[int, int], None] = lambda _done, _all: None
    stopped: Callable[[], bool] = lambda: False
    before: Callable[[], None] = lambda: None
    _message_ids: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def once(self) -> Refreshed:
        """One poll of each request that may still change."""
        self.before()
        result = Refreshed()
        pace = Pace(self.environment.rate, self.clock)
        asked = self._to_be_asked(result)
        self._message_ids = self.store.message_ids()
        for number, ref in enumerate(asked, 1):
            if self.stopped():
                result.pending += 1
                continue
            row = self.store.request(ref)
            if row is None:
                continue
            if self._is_over(row):
                result.final += 1
                continue
            pace.wait()
            self._poll(row, result)
            self.tell(number, len(asked))
        return result

    def _to_be_asked(self, result: Refreshed) -> list[str]:
        """The references of the requests that may still change; those that are over are counted, without loading any of their people."""
        asked = []
        rows = self.store.requests(campaigns=self.campaigns, states=[RequestState.ACCEPTED], with_people=False)
        for row in (row for row in rows if row.uuid):
            result.requests += 1
            if self._is_over(row):
                result.final += 1
            else:
                asked.append(row.ref)
        return asked

    def _is_over(self, row: RequestRow) -> bool:
        return row.final or _past_horizon(row, self.clock.now(), self.environment.horizon)

    def _poll(self, row: RequestRow, result: Refreshed) -> None:
        try:
            answer = self._ask(row)
        except NotVisibleError:
            result.pending += 1
            result.notes.append(f"{row.ref}: the provider does not show this request yet")
            return
        except ProviderError as error:
            result.pending += 1
            result.failures.append(f"{row.ref}: {error.message}")
            return
        folded = self._store(row, answer)
        if folded is None:
            result.pending += 1
            return
        result.polled += 1
        result.changed += folded.changed
        result.final += folded.final
        result.notes += [f"{row.ref}: {note}" for note in folded.notes]
        words = self.store.words()
        if isinstance(folded, FoldedList):
            listing = folded.listing
            result.pending += listing.listed < listing.recipients or _open(listing.statuses, words)
            return
        open_ends = False
        for update in folded.updates:
            result.errors += bool(update.errors) and not any(update.statuses)
            open_ends = open_ends or (not update.refused and _open(update.statuses, words))
        result.pending += open_ends

    def _ask(self, row: RequestRow) -> StatusAnswer | QuickStatus | _ListAnswer:
        """What the provider says of a request now, by the method that sent it."""
        if row.method == BULK:
            return self.reader.bulk_status(row.uuid)
        if row.method == QUICK:
            return self.reader.quick_status(row.uuid)
        found = self.reader.deliveries(row.uuid)
        return _ListAnswer(found, self.reader.mailing(row.uuid).cost)

    def _fold(self, row: RequestRow, answer: StatusAnswer | QuickStatus | _ListAnswer, now: datetime) -> Folded | FoldedList:
        words, word_id = self.store.words(), self.store.word_id
        if isinstance(answer, StatusAnswer):
            return fold(row, answer, words=words, word_id=word_id, now=now)
        if isinstance(answer, QuickStatus):
            return fold_quick(row, answer, words=words, word_id=word_id, now=now)
        assert row.listing is not None  # every list mailing that was accepted has one
        folded = fold_list(row.listing, answer.rows, cost=answer.cost, words=words, word_id=word_id)
        return replace(folded, notes=(*answer.rows.notes, *folded.notes))

    def _store(self, row: RequestRow, answer: StatusAnswer | QuickStatus | _ListAnswer) -> Folded | FoldedList | None:
        """Fold an answer into the newest row: another refresh may have stored one meanwhile, and nothing goes backwards."""
        current: RequestRow | None = row
        for _ in range(_TRIES):
            if current is None:
                return None
            now = self.clock.now()
            folded = self._fold(current, answer, now)
            notes = "\n".join(folded.notes).encode()
            listing, updates = (folded.listing, ()) if isinstance(folded, FoldedList) else (None, news(current, folded))
            try:
                if self.store.record_poll(
                    current.ref,
                    updates,
                    final=folded.final,
                    at=now,
                    seen=current.polled_at,
                    answer=notes,
                    listing=listing,
                    message_ids=self._unknown_ids(current, answer),
                ):
                    return folded
            except StateError:
                # A refresh holds no lock: a mailing of the request may have been forgotten meanwhile. Else the state is at fault.
                if self.store.request(row.ref) == current:
                    raise
            current = self.store.request(row.ref)
        return None

    def _unknown_ids(self, row: RequestRow, answer: StatusAnswer | QuickStatus | _ListAnswer) -> list[str]:
        """The ids of the mailings of a bulk request: only its statuses tell them, and replies and the provider's records go by them."""
        if not isinstance(answer, StatusAnswer):
            return []
        known = self._message_ids.get(row.ref, ())
        return [message_id for message_id in answer.message_ids(row.names) if message_id not in known]

    def watch(self, *, timeout: float | None, chance: random.Random, heard: Callable[[Refreshed], None]) -> Refreshed:
        """Poll with growing pauses until everything is settled, or the time is up.

        Args:
            timeout: Seconds in all; None waits until all is settled or past the horizon.
            chance: Jitter of pauses.
            heard: Told of each poll.
        """
        end = self.clock.monotonic() + timeout if timeout is not None else None
        wait = FIRST_WAIT
        while True:
            result = self.once()
            heard(result)
            if result.settled or self.stopped():
                return result
            pause = wait * (0.8 + 0.4 * chance.random())
            if end is not None and self.clock.monotonic() + pause > end:
                left = end - self.clock.monotonic()
                if left <= 0:
                    return result
                pause = left
            self.clock.sleep(pause)
            wait = FIRST_WAIT if result.changed else min(LONGEST_WAIT, wait * 1.6)


@dataclass(frozen=True, slots=True)
class _ListAnswer:
    """Both answers about a mailing to a list: whom it went to, and what it cost."""

    rows: Listing[DeliveryRow]
    cost: str


def _open(statuses: bytes, words: Mapping[int, str]) -> bool:
    """Whether more is expected of somebody."""
    return any(not byte or not is_settled(words.get(byte, "")) for byte in set(statuses))


def _past_horizon(row: RequestRow, now: datetime, horizon: float) -> bool:
    """Counted from when the provider was to send: a mailing far ahead has not begun to be late."""
    since = max([row.done_at or row.planned_at, *(batch.schedule_utc for batch in row.batches if batch.schedule_utc)])
    return now - since > timedelta(seconds=horizon)
