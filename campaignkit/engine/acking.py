"""Marking replies as read at the provider: only stored ones, and noted as such only once the provider has said so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from campaignkit.engine.inbox import MOST_FAILURES, NO_ID
from campaignkit.engine.pace import Pace
from campaignkit.errors import ProviderError
from campaignkit.model.clock import Clock
from campaignkit.provider.port import Marker, NotVisibleError, Reader
from campaignkit.states.asides import ReplyRow
from campaignkit.states.store import Store

AT_ONCE = 100


@dataclass(slots=True, kw_only=True)
class Acked:
    """What marking came to: of `replies`, `acked` are read at the provider now, `short` it still shows as new."""

    replies: int = 0
    acked: int = 0
    short: int = 0
    left: int = 0
    """Not asked for, or nobody knows: the same command again is safe."""
    nameless: int = 0
    """Without an id of the provider: they can't be marked."""
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class AckJob:
    """Marks stored replies as read, some at a time.

    Args:
        store: The state; no lock is needed.
        marker: The provider.
        reader: Asked which are still new where the provider's count is not that of the ids.
        clock: Time.
        pace: Requests a second.
        stopped: Whether the operator has had enough.
    """

    store: Store
    marker: Marker
    reader: Reader
    clock: Clock
    pace: Pace
    stopped: Callable[[], bool] = lambda: False

    def run(self, replies: Sequence[ReplyRow]) -> Acked:
        """Mark these; those that are noted as read already are left out."""
        result = Acked()
        unread = [reply for reply in replies if reply.acked_at is None]
        named = [reply for reply in unread if not reply.provider_id.startswith(NO_ID)]
        result.replies, result.nameless = len(named), len(unread) - len(named)
        for start in range(0, len(named), AT_ONCE):
            some = named[start : start + AT_ONCE]
            if self.stopped() or len(result.failures) >= MOST_FAILURES:
                result.left += len(some)
            else:
                self._mark(some, result)
        return result

    def _mark(self, some: Sequence[ReplyRow], result: Acked) -> None:
        self.pace.wait()
        try:
            flagged = self.marker.mark_read([reply.provider_id for reply in some])
        except ProviderError as error:
            result.failures.append(error.message)
            result.left += len(some)
            return
        if flagged == len(some):
            result.acked += self.store.mark_acked([reply.id for reply in some], self.clock.now())
            return
        said = "did not say how many" if flagged is None else f"says that it marked {flagged:,}"
        result.notes.append(f"asked to mark {len(some):,} replies, the provider {said}: it was asked which are still new")
        for message_id in dict.fromkeys(reply.message_id for reply in some):
            self._compare(message_id, [reply for reply in some if reply.message_id == message_id], result)

    def _compare(self, message_id: str, some: Sequence[ReplyRow], result: Acked) -> None:
        """Which of these the provider still shows: an answer lost before, or a reply read in the cabinet, counts as marked."""
        self.pace.wait()
        try:
            new = {one.id for one in self.reader.incoming(message_id)}
        except NotVisibleError:
            result.left += len(some)
            result.notes.append(f"the provider does not know mailing {message_id} any more: its replies stay as they are")
            return
        except ProviderError as error:
            result.failures.append(error.message)
            result.left += len(some)
            return
        gone = [reply.id for reply in some if reply.provider_id not in new]
        result.acked += self.store.mark_acked(gone, self.clock.now())
        result.short += len(some) - len(gone)
