"""Which of the provider's ids are ours: of requests, of the mailings of bulk requests, of test messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from campaignkit.model.mailings import BULK, LIST, QUICK, MailingKey
from campaignkit.model.replies import Link
from campaignkit.states.store import StateReader

_ORDER = {LIST: 0, QUICK: 1, BULK: 2, "test": 3}
"""Whether all methods number their ids in one row is documented nowhere: where two of ours have the same, a list is meant first."""


def by_message_id(reader: StateReader) -> Mapping[str, Link]:
    """By the provider's id of it: what each mailing of ours is."""
    found: dict[str, Link] = {}
    for message_id, link in sorted(_all(reader), key=lambda one: _ORDER[one[1].method]):
        found.setdefault(message_id, link)
    return found


def by_request(reader: StateReader) -> Mapping[str, Link]:
    """By its reference: what each request of ours is; of several mailings in one, the first."""
    return {
        row.ref: Link(key=row.batches[0].key if row.batches else None, request=row.ref, method=row.method)
        for row in reader.requests(with_people=False)
    }


def _all(reader: StateReader) -> Iterator[tuple[str, Link]]:
    named = reader.message_ids()
    for row in reader.requests(with_people=False):
        link = Link(key=row.batches[0].key if row.batches else None, request=row.ref, method=row.method)
        for message_id in named.get(row.ref, ()) if row.method == BULK else [row.uuid] if row.uuid else []:
            yield message_id.lstrip("0"), link
    for test in reader.tests():
        if test.message_id:
            yield test.message_id.lstrip("0"), Link(key=MailingKey(test.campaign, 0, test.mailing), request=f"t{test.id}", method="test")
