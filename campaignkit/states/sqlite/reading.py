"""Looking into a state: everything that `StateReader` promises."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaignkit.errors import StateError
from campaignkit.model.mailings import MailingKey
from campaignkit.states.packing import pack_phones, unpack_phones
from campaignkit.states.records import BatchCounts, BatchRow, Event, Hints, Known, KnownMailing, RequestRow, RequestState, StateInfo
from campaignkit.states.sqlite import callbacks, rows
from campaignkit.states.sqlite.asides import SqliteAsidesReader
from campaignkit.states.sqlite.checks import problems_of
from campaignkit.states.sqlite.connection import Database
from campaignkit.states.sqlite.lookup import Lookup

_PAGE = 64
"""Requests fetched at a time: no cursor stays open between them, so that a store may be written while it is read."""


class SqliteReader(SqliteAsidesReader):
    """A state file, read within one transaction: what it shows stays the same until it is closed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._lookup = Lookup(database)

    def info(self) -> StateInfo:
        """Who this state is."""
        row = self._db.row(
            "SELECT environment, origin, lineage, serial, schema_version, releases, claims_version,"
            " coalesce((SELECT lower(hex(chain)) FROM event ORDER BY id DESC LIMIT 1), '') FROM meta"
        )
        if row is None:
            raise StateError(f"{self._db.path}: it does not say whose state it is; nothing was sent.")
        return StateInfo(
            path=str(self._db.path),
            environment=row[0],
            origin=row[1],
            lineage=row[2],
            serial=row[3],
            schema_version=row[4],
            releases=row[5],
            claims_version=row[6],
            history=row[7],
        )

    def mailings(self) -> Sequence[KnownMailing]:
        """Every mailing ever claimed here, by id."""
        found = self._db.rows(
            "SELECT m.id, m.campaign, m.revision, m.name, m.path, m.line, coalesce(sum(b.claimed), 0),"
            " coalesce(sum(b.claimed) FILTER (WHERE r.state = 'accepted'), 0)"
            " FROM mailing m LEFT JOIN batch b ON b.mailing_id = m.id LEFT JOIN request r ON r.id = b.request_id"
            " GROUP BY m.id ORDER BY m.id"
        )
        return [
            KnownMailing(id=i, key=MailingKey(c, r, n), path=path, line=line, claimed=claimed, accepted=accepted)
            for i, c, r, n, path, line, claimed, accepted in found
        ]

    def known(self, mailing_ids: Sequence[int], phones: Sequence[int]) -> Mapping[int, Known]:
        """What is known of these phones in these mailings; a phone held in several is given for the first of them."""
        return self._lookup.known(mailing_ids, phones)

    def fingerprints_elsewhere(self, mailing_ids: Sequence[int], phones: Sequence[int]) -> Mapping[int, frozenset[bytes]]:
        """The fingerprints these phones were, or may have been, sent in these mailings."""
        return self._lookup.fingerprints(mailing_ids, phones)

    def requests(
        self, *, campaigns: Sequence[str] = (), states: Sequence[RequestState] = (), with_people: bool = True
    ) -> Iterator[RequestRow]:
        """Requests in the order they were planned, fetched some at a time; empty filters mean all."""
        filters = (json.dumps(list(states)), json.dumps(list(campaigns)))
        after = 0
        while page := self._db.rows(f"{rows.REQUESTS} {rows.FILTERED}", (after, *filters, _PAGE)):
            yield from self._with_batches(page, with_people=with_people)
            after = page[-1][0]

    def request(self, ref_or_tag: str) -> RequestRow | None:
        """One request by its reference, or by the tag (or whole name) of one of its batches."""
        batch = self._db.row("SELECT request_id FROM batch WHERE tag = ? OR name = ?", (ref_or_tag, ref_or_tag))
        found = self._db.rows(f"{rows.REQUESTS} WHERE r.id = ?", (batch[0] if batch else rows.id_of(ref_or_tag),))
        return next(self._with_batches(found, with_people=True), None)

    def holders(self, phone: int) -> Sequence[tuple[RequestRow, int, int]]:
        """Every batch that ever held this phone: its request, the index of the batch in it, the position in that batch."""
        # Reads every batch: a question of one person about one phone, asked seldom, deserves no index of a million rows.
        found = self._db.rows(
            "SELECT request_id, position, phones FROM batch WHERE instr(phones, ?) > 0 ORDER BY request_id, position",
            (pack_phones([phone]),),
        )
        holders = []
        for request_id, index, phones in found:
            # The bytes may also stand across two neighbours.
            places = [place for place, held in enumerate(unpack_phones(phones)) if held == phone]
            if places and (request := self.request(rows.ref_of(request_id))) is not None:
                holders += [(request, index, place) for place in places]
        return holders + self._listed(phone)

    def _listed(self, phone: int) -> list[tuple[RequestRow, int, int]]:
        """The same among those who got a mailing because they stand on a list of the provider."""
        found = self._db.rows("SELECT id, phones FROM listing WHERE instr(phones, ?) > 0 ORDER BY id", (pack_phones([phone]),))
        places = [(request_id, place) for request_id, phones in found for place, held in enumerate(unpack_phones(phones)) if held == phone]
        return [(row, 0, place) for request_id, place in places if (row := self.request(rows.ref_of(request_id))) is not None]

    def words(self) -> Mapping[int, str]:
        """The provider's status words by the byte that stands for each."""
        return dict(self._db.rows("SELECT id, word FROM word ORDER BY id"))

    def events(self, *, limit: int = 0) -> Iterator[Event]:
        """The history, oldest first; the newest `limit` if given."""
        after = 0
        if limit:
            newest = self._db.row("SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?", (limit,))
            after = newest[0] if newest else 0
        query = "SELECT id, at, kind, subject, detail FROM event WHERE id > ? ORDER BY id LIMIT ?"
        while page := self._db.rows(query, (after, _PAGE)):
            yield from map(rows.event_from, page)
            after = page[-1][0]

    def knows_callback(self, secret_hash: bytes) -> bool:
        """Whether a request has the callback address whose unguessable part has this SHA-256."""
        return bool(callbacks.request_of(self._db.rows, secret_hash))

    def hints(self, ref: str = "") -> Iterator[Hints]:
        """What came in about one request, or about every request with a callback that nobody handled yet."""
        request_ids = [rows.id_of(ref)] if ref else callbacks.open_requests(self._db)
        for request_id in request_ids:
            yield callbacks.hints_of(self._db, request_id)

    def status_counts(self, campaigns: Sequence[str] = ()) -> Iterator[BatchCounts]:
        """The totals of every batch of these campaigns (none named: of all), in the order they were planned."""
        names = json.dumps(list(campaigns))
        after = 0
        while page := self._db.rows(rows.COUNTS, (after, names, _PAGE)):
            yield from map(rows.counts_from, page)
            after = page[-1][0]

    def problems(self) -> Sequence[str]:
        """What is wrong inside; empty when sound. Reads everything."""
        return problems_of(self._db)

    def close(self) -> None:
        """Let go of the file. Never touches the `-wal` of a writer, living or dead."""
        self._db.close()

    def _with_batches(self, page: Sequence[tuple[Any, ...]], *, with_people: bool) -> Iterator[RequestRow]:
        query = rows.BATCHES if with_people else rows.BATCHES_WITHOUT_PEOPLE
        batches: dict[int, list[BatchRow]] = defaultdict(list)
        for row in self._db.rows(query, (json.dumps([request[0] for request in page]),)):
            batches[row[0]].append(rows.batch_from(row))
        lists = json.dumps([request[0] for request in page if request[17] == "list"])
        listings = {row[0]: rows.listing_from(row) for row in self._db.rows(rows.LISTINGS, (lists,))} if lists != "[]" else {}
        for request in page:
            yield rows.request_from(request, tuple(batches[request[0]]), listings.get(request[0]))
