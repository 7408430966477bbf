"""What must hold once a broken run was followed by a clean one: the provider's log against the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from campaignkit.errors import StateError
from campaignkit.model.mailings import QUICK
from campaignkit.states.packing import unpack_phones
from campaignkit.states.records import RequestRow, RequestState
from tests.proofs_storage import driver
from tests.proofs_storage.truth import Received


def violations(root: Path, url: str, received: Sequence[Received], people: Sequence[int] = driver.EVERYBODY) -> list[str]:
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
    return [f"{_who(phone)} was accepted {count} times" for phone, count in times.items() if count > 1]


def outcomes(rows: Sequence[RequestRow], received: Sequence[Received], people: Sequence[int]) -> list[str]:
    """Each acceptance against the state, each acceptance in the state against the log, and everybody accounted for."""
    found: list[str] = []
    accepted = [one for one in received if one.uuid]
    reached = {phone for one in accepted for phone in one.phones}
    given: dict[str, set[int]] = {}
    for one in accepted:
        given.setdefault(one.uuid, set()).update(one.phones)
        found += _stored(one, rows)
    for row in rows:
        its = _people(row)
        if row.state is RequestState.ACCEPTED and row.uuid not in given:
            found.append(f"{row.ref} has a uuid that nobody gave")
        elif row.state is RequestState.ACCEPTED and not its <= given[row.uuid]:
            found.append(f"{row.ref} is accepted, and {row.uuid} reached only {len(its & given[row.uuid])} of its people")
        if row.state in {RequestState.PLANNED, RequestState.INTENT, RequestState.DRAFT}:
            found.append(f"{row.ref} is still {row.state} after a clean run")
        if row.state is RequestState.UNKNOWN:
            reached |= its
    return found + [f"{_who(phone)} is lost: neither accepted nor unknown" for phone in people if phone not in reached]


def _stored(one: Received, rows: Sequence[RequestRow]) -> list[str]:
    """What is wrong in the state about one acceptance. A draft may go on to be confirmed, but nothing else."""
    mine = [row for row in rows if _is_of(row, one)]
    if len(mine) < max(1, len(one.names)):
        return [f"{one.uuid} was accepted, and the state does not know its batch"]
    good = {RequestState.ACCEPTED} | ({RequestState.DRAFT} if driver.DRAFTED in one.phones else set())
    wrong = [row for row in mine if row.state is not RequestState.UNKNOWN and not (row.state in good and row.uuid == one.uuid)]
    return [f"{one.uuid} was accepted, and {row.ref} is {row.state} {row.uuid}" for row in wrong]


def _is_of(row: RequestRow, one: Received) -> bool:
    """Whether a request is the one that was received; a quick message has no name on the wire, only its person and its id."""
    if one.names:
        return any(batch.name in one.names for batch in row.batches)
    known = row.state is RequestState.UNKNOWN or row.uuid == one.uuid
    return row.method == QUICK and known and _people(row) == set(one.phones)


def _people(row: RequestRow) -> set[int]:
    return {phone for batch in row.batches for phone in unpack_phones(batch.phones)}


def _who(phone: int) -> str:
    names = {driver.DRAFTED: "the list's draft", driver.CONFIRMED: "the list"}
    return names.get(phone, f"…{phone % 10_000}")
