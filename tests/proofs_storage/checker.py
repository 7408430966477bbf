"""What must hold once a broken run was followed by a clean one: the provider's log against the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.states.packing import unpack_phones
from campaignkit.states.records import RequestRow, RequestState
from tests.proofs_storage import driver
from tests.proofs_storage.truth import Received


def violations(root: Path, url: str, received: Sequence[Received], people: Sequence[int] = driver.PEOPLE) -> list[str]:
    """What is wrong; empty if nobody was sent twice and nobody is lost."""
    found = sent_twice(received)
    try:
        reader = driver.holding(root, url).open_reader()
    except StateError as error:
        return [*found, f"the state cannot be read after a clean run: {error.message}"]
    try:
        rows = list(reader.requests())
        found += [f"the state is not sound: {problem}" for problem in reader.problems()]
    finally:
        reader.close()
    return found + outcomes(rows, received, people)


def sent_twice(received: Sequence[Received]) -> list[str]:
    """People whom the provider accepted more than once."""
    times = Counter(phone for one in received if one.uuid for phone in one.phones)
    return [f"…{phone % 10_000} was accepted {count} times" for phone, count in times.items() if count > 1]


def outcomes(rows: Sequence[RequestRow], received: Sequence[Received], people: Sequence[int]) -> list[str]:
    """Each acceptance against the state, each acceptance in the state against the log, and everybody accounted for."""
    found: list[str] = []
    by_name = {batch.name: row for row in rows for batch in row.batches}
    accepted = {one.uuid: one for one in received if one.uuid}
    reached = {phone for one in accepted.values() for phone in one.phones}
    for uuid, one in accepted.items():
        for name in one.names:
            row = by_name.get(name)
            if row is None:
                found.append(f"{uuid} was accepted, and the state does not know its batch")
            elif row.state is not RequestState.UNKNOWN and (row.state, row.uuid) != (RequestState.ACCEPTED, uuid):
                found.append(f"{uuid} was accepted, and {row.ref} is {row.state} {row.uuid}")
    for row in rows:
        if row.state is RequestState.ACCEPTED and row.uuid not in accepted:
            found.append(f"{row.ref} has a uuid that nobody gave")
        if row.state in {RequestState.PLANNED, RequestState.INTENT}:
            found.append(f"{row.ref} is still {row.state} after a clean run")
        if row.state is RequestState.UNKNOWN:
            reached |= {phone for batch in row.batches for phone in unpack_phones(batch.phones)}
    return found + [f"…{phone % 10_000} is lost: neither accepted nor unknown" for phone in people if phone not in reached]
