"""What a history left behind, as plain values: all that the checker looks at."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Key(NamedTuple):
    """A delivery key; a mailing that was renamed with `moved_from` keeps its first name here."""

    campaign: str
    mailing: str
    phone: int


class Event(StrEnum):
    """What the provider writes down."""

    RECEIVED = "received"
    """A head of a send came."""
    PARTIAL = "partial"
    """It broke off."""
    DRAFTED = "drafted"
    """A list mailing was made, which reaches nobody before it is confirmed."""
    ACCEPTED = "accepted"
    """Its people are messaged: for a list mailing, a confirm counted."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the provider's log: of one batch where it was accepted or refused, else of a request without a name.

    `uuid` is the request's own; `told` is the body of the answer, which may name another, or none. `heard`: the answer is a
    plain acceptance and was given whole. `by`: run and process whose token came with it. A quick message has no name on the wire: it
    gets that of the batch by which the same process claimed its phone, once that is known.
    """

    event: Event
    n: int
    name: str = ""
    phones: tuple[int, ...] = ()
    uuid: str = ""
    told: str = ""
    heard: bool = False
    method: str = "bulk"
    by: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBatch:
    """One batch of the final state."""

    name: str
    campaign: str
    mailing: str
    phones: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """One request of the final state.

    `recorded`: an outcome of its last attempt was stored by the process that made it; `run`: as the state counts them; `step`: of a
    list mailing, create or confirm.
    """

    ref: str
    state: str
    uuid: str
    recorded: bool
    run: int
    batches: tuple[StoredBatch, ...]
    method: str = "bulk"
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How one process ended: its exit code, None if it was killed. `in_flight`: requests it sends at a time."""

    run: int
    process: int
    code: int | None
    locked: bool = True
    faultless: bool = False
    in_flight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One history.

    Attributes:
        log: The provider's, to the very end.
        quiet_from: Lines of it when the last run began, which must send nothing.
        requests: The final state.
        held: Delivery keys that the final state holds, with the state of the request that holds them.
        problems: What states said of themselves, after each run.
        ends: Every process.
        released: References that a person released, as the harness itself did it.
        resolved: References that a person called accepted or gave up.
        spilled: uuid by batch name, of outcomes kept beside the state.
        wanted: Whom the project's files name at the end.
        inert: The environment says that drafts are inert: a lost create may be made anew.
        edited: Keys whose mailing says something else than at first: a draft of the old words may wait for a person.
        owned: Tags tell which process made them (`owner_of`); the whole command makes its own.
    """

    log: tuple[Line, ...]
    quiet_from: int
    requests: tuple[StoredRequest, ...]
    held: dict[Key, str]
    problems: tuple[str, ...]
    ends: tuple[End, ...]
    released: frozenset[str] = frozenset()
    resolved: frozenset[str] = frozenset()
    spilled: dict[str, str]
    wanted: frozenset[Key] = frozenset()
    inert: bool = False
    edited: frozenset[Key] = frozenset()
    owned: bool = True


def key_of(name: str, phone: int, aliases: dict[str, str]) -> Key:
    """The delivery key behind a batch's name on the wire (`campaign/mailing 1of2 ck-…`)."""
    campaign, _, mailing = name.split(" ", maxsplit=1)[0].partition("/")
    return Key(campaign, aliases.get(mailing, mailing), phone)


def owner_bytes(run: int, process: int) -> bytes:
    """What begins the tags of a process, so that the log tells who sent a batch."""
    return bytes((run, process))


def owner_of(name: str) -> tuple[int, int]:
    """Run and process that made a batch."""
    tag = name.rpartition(" ck-")[2]
    run, process = base64.b32decode(tag[:8].upper())[:2]
    return run, process
