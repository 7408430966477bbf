"""After a backup was put back: whoever may have been sent to since it was made becomes unknown, never unsent.

What came after the backup is told by two witnesses: the state that stood there, as far as it can still be read, and the project's own
files, all of whose people an apply may have reached meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from campaignkit.engine.packing import PackedBatch
from campaignkit.engine.spool import Spool
from campaignkit.errors import StateError
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import LIST, QUICK, MailingKey
from campaignkit.states.packing import pack_phones, unpack_fingerprints, unpack_phones
from campaignkit.states.records import HOLDING, BatchRow, PlannedBatch, PlannedRequest
from campaignkit.states.store import StateReader, Store
from campaignkit.wire.names import TAG_BYTES, batch_name, new_tag


@dataclass(slots=True, kw_only=True)
class Restoring:
    """One restored state, on its way to being used again.

    Args:
        store: The backup's copy, open for changes.
        clock: Time.
        entropy: Random bytes for tags.
        mark: The serial that the state had reached when it was last used here; 0 where nobody knows.
    """

    store: Store
    clock: Clock
    entropy: Callable[[int], bytes]
    mark: int
    people: int = 0
    """How many were made unknown."""
    _since: int = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.store.info().serial

    def from_old_state(self, old: StateReader) -> None:
        """Take over what the state that stood there held and the backup does not know, with its tags; as far as it can be read."""
        self._lose(list(self._unknown_to_backup(old)))  # all of it first: it asks the store, which then is busy writing

    def from_files(self, batches: Sequence[PackedBatch], spool: Spool) -> None:
        """Take everyone whom a plan of the project's files would send to: one request for each mailing, of quick ones for each person."""
        by_mailing: dict[MailingKey, list[PackedBatch]] = {}
        for batch in batches:
            by_mailing.setdefault(batch.mailing.key, []).append(batch)
        self._lose(
            PlannedRequest(batches=request, method=group[0].mailing.method)
            for group in by_mailing.values()
            for request in _requests(group[0].mailing.method, tuple(self._named(group, spool)))
        )

    def _lose(self, requests: Iterable[PlannedRequest]) -> None:
        self.people += self.store.lose_history(requests, since=self._since, at_least=self.mark, at=self.clock.now())

    def _unknown_to_backup(self, old: StateReader) -> Iterator[PlannedRequest]:
        try:
            # A request of several mailings is taken apart: here each batch stands for itself.
            for request in old.requests():
                if request.state in HOLDING:
                    for batch in request.batches:
                        if missing := self._missing(batch):
                            # With the id of its draft a person can look at what became of it; and nothing is made anew beside it.
                            uuid = request.uuid if request.method == LIST else ""
                            yield PlannedRequest(batches=(missing,), method=request.method, uuid=uuid)
        except StateError:
            return  # what can't be read of it, the files tell

    def _missing(self, batch: BatchRow) -> PlannedBatch | None:
        if self.store.request(batch.tag) is not None:
            return None
        ids = [known.id for known in self.store.mailings() if known.key == batch.key]
        phones, prints = unpack_phones(batch.phones), unpack_fingerprints(batch.fingerprints)
        held = self.store.known(ids, phones)
        left = [(phone, print_) for phone, print_ in zip(phones, prints, strict=True) if phone not in held]
        if not left:
            return None
        return PlannedBatch(
            key=batch.key,
            path=batch.path,
            line=batch.line,
            definition="",
            tag=batch.tag,
            name=batch.name,
            phones=pack_phones(phone for phone, _ in left),
            fingerprints=b"".join(print_ for _, print_ in left),
            schedule_utc=batch.schedule_utc,
        )

    def _named(self, group: Sequence[PackedBatch], spool: Spool) -> Iterator[PlannedBatch]:
        for number, batch in enumerate(group, 1):
            mailing, tag = batch.mailing, new_tag(self.entropy(TAG_BYTES))
            yield PlannedBatch(
                key=mailing.key,
                path=mailing.path,
                line=mailing.line,
                definition=mailing.definition,
                tag=tag,
                name=batch_name(mailing.key.campaign, mailing.key.mailing, number, len(group), tag),
                phones=spool.read(batch.phones),
                fingerprints=spool.read(batch.fingerprints),
                schedule_utc=mailing.schedule_utc,
            )


def _requests(method: str, batches: tuple[PlannedBatch, ...]) -> Sequence[tuple[PlannedBatch, ...]]:
    """As they would be sent: the provider's answer to a quick message is about one person."""
    return [(batch,) for batch in batches] if method == QUICK else [batches]
