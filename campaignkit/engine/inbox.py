"""The inbox: ask for the replies to every mailing that can have some, and store them, each once.

Nothing is marked as read here: what is stored may be asked for again, what was marked never comes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from campaignkit.engine.pace import Pace
from campaignkit.engine.wishes import near_word, opt_out_word
from campaignkit.errors import ProviderError
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import BULK, LIST, QUICK
from campaignkit.model.settings import Environment
from campaignkit.provider.port import NotVisibleError, Reader
from campaignkit.states.asides import Reply, ReplyRow
from campaignkit.states.records import RequestRow, RequestState
from campaignkit.states.store import Store
from campaignkit.wire.records import IncomingMessage

MOST_FAILURES = 3
"""Failures in a row after which nobody is asked any more: each has been tried several times already."""
_MAY_HAVE_REACHED = (RequestState.ACCEPTED, RequestState.UNKNOWN, RequestState.ABANDONED)
_ORDER = {LIST: 0, QUICK: 1, BULK: 2}
NO_ID = "~"
"""Begins the name of a reply to which the provider gave no id: it is stored, and can't be marked as read."""


@dataclass(slots=True, kw_only=True)
class Pulled:
    """What a pull came to. `mailings` could have replies, `asked` answered, `unseen` are not known to the provider, or not yet."""

    mailings: int = 0
    asked: int = 0
    unseen: int = 0
    new: list[ReplyRow] = field(default_factory=list)
    opted_out: list[int] = field(default_factory=list)
    near: list[ReplyRow] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: int = 0
    """Mailings that were not asked about, because it was stopped or everything failed."""


@dataclass(slots=True, kw_only=True)
class PullJob:
    """Asks for the replies to the mailings of some campaigns (all, if none are named).

    Args:
        store: The state; no lock is needed, each answer is its own transaction.
        reader: The provider.
        clock: Time.
        environment: Its pace and the age of mailings that are still asked about.
        words: The opt-out words.
        campaigns: Whose mailings.
        by: Who pulls, for the history.
        tell: Hears of each mailing that was asked about, and of all there are.
        stopped: Whether the operator has had enough.
    """

    store: Store
    reader: Reader
    clock: Clock
    environment: Environment
    words: Sequence[str]
    campaigns: Sequence[str]
    by: str
    tell: Callable[[int, int], None] = lambda _done, _all: None
    stopped: Callable[[], bool] = lambda: False
    _pace: Pace = field(init=False)
    _known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _failed: int = 0

    def __post_init__(self) -> None:
        self._pace = Pace(self.environment.rate, self.clock)

    def run(self) -> Pulled:
        """Ask about each mailing once."""
        result = Pulled()
        rows = sorted(self._young(), key=lambda row: _ORDER[row.method])
        self._known = self.store.message_ids()
        asked: set[str] = set()
        result.mailings = len(rows)
        for number, row in enumerate(rows, 1):
            if self.stopped() or self._failed >= MOST_FAILURES:
                result.left += 1
                continue
            for message_id in self._message_ids(row, result):
                # Two methods may number their messages alike: an id is asked about once, and a list is meant first.
                if message_id.lstrip("0") not in asked and not self.stopped():
                    asked.add(message_id.lstrip("0"))
                    self._pull(row, message_id, result)
            self.tell(number, len(rows))
        return result

    def _young(self) -> Iterator[RequestRow]:
        now = self.clock.now()
        for row in self.store.requests(campaigns=self.campaigns, states=_MAY_HAVE_REACHED, with_people=False):
            if row.uuid and now - _sent(row) <= timedelta(seconds=self.environment.inbox_age):
                yield row

    def _message_ids(self, row: RequestRow, result: Pulled) -> Sequence[str]:
        """The provider's ids of the mailings of a request: those of a bulk one stand in its statuses, and are kept once known."""
        if row.method != BULK:
            return [row.uuid]
        known = list(self._known.get(row.ref, ()))
        if len(known) >= sum(not batch.refused for batch in row.batches):
            return known
        self._pace.wait()
        try:
            answer = self.reader.bulk_status(row.uuid)
        except ProviderError as error:
            self._trouble(row, error, result)
            return known
        self._failed = 0
        if new := [found for found in answer.message_ids(row.names) if found not in known]:
            self.store.learn_messages(row.ref, new)
        return [*known, *new]

    def _pull(self, row: RequestRow, message_id: str, result: Pulled) -> None:
        self._pace.wait()
        try:
            answer = self.reader.incoming(message_id)
        except ProviderError as error:
            self._trouble(row, error, result)
            return
        self._failed = 0
        result.asked += 1
        result.notes += [f"{row.ref}: {note}" for note in answer.notes]
        if not answer:
            return
        replies = [_reply(row, message_id, one) for one in answer]
        due = {one.provider_id: f"replied with the word {word!r}" for one in replies if (word := opt_out_word(one.text, self.words))}
        kept = self.store.keep_replies(replies, optouts=due, at=self.clock.now(), by=self.by)
        result.new += kept.new
        result.opted_out += kept.opted_out
        result.near += [one for one in kept.new if needs_a_look(one, self.words)]
        result.notes += [f"{row.ref}: reply {name} came before with other words; the first ones are kept" for name in kept.altered]
        if kept.unread_again:
            result.notes.append(f"{row.ref}: {kept.unread_again} replies that were marked as read are new at the provider again")

    def _trouble(self, row: RequestRow, error: ProviderError, result: Pulled) -> None:
        if isinstance(error, NotVisibleError):
            self._failed = 0
            result.unseen += 1
            return
        self._failed += 1
        result.failures.append(f"{row.ref}: {error.message}")


def needs_a_look(reply: ReplyRow, words: Sequence[str]) -> bool:
    """Whether a person must see to it: its words come near an opt-out, or are one of a phone that can't be read."""
    if opt_out_word(reply.text, words):
        return reply.phone is None
    return bool(near_word(reply.text, words))


def _sent(row: RequestRow) -> datetime:
    """When the provider was to send it, at the latest."""
    return max([row.done_at or row.planned_at, *(batch.schedule_utc for batch in row.batches if batch.schedule_utc)])


def _reply(row: RequestRow, message_id: str, one: IncomingMessage) -> Reply:
    name = one.id
    if not name:
        told = f"{message_id}\0{one.phone}\0{one.message}\0{one.received}"
        name = NO_ID + hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return Reply(
        provider_id=name, message_id=message_id, request=row.ref, phone=one.phone, text=one.message, received=one.received
    )  # fmt: skip
