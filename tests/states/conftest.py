"""States in real files, and the few values that tests of them need."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaignkit.model.mailings import FINGERPRINT_BYTES, LIST_PHONE, MailingKey
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.states.opening import create, open_reader, open_store
from campaignkit.states.packing import pack_phones
from campaignkit.states.records import BatchUpdate, PlannedBatch, PlannedRequest, RequestState
from campaignkit.states.store import StateReader, Store

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ENVIRONMENT = "production"
ORIGIN = "https://app.sms.by"
LINEAGE = "0123456789abcdef"
INVITATION = MailingKey("spring-sale", 1, "invitation")
LAST_DAY = MailingKey("spring-sale", 1, "last-day")
NEWS = MailingKey("spring-sale", 1, "news")
FIRST = 375_291_111_111


def fingerprint(phone: int, version: int = 1) -> bytes:
    return version.to_bytes(8, "little") + phone.to_bytes(8, "little")


_tags = iter(range(10**9))


def batch(phones: Sequence[int], key: MailingKey = INVITATION, *, tag: str = "", version: int = 1) -> PlannedBatch:
    tag = tag or f"ck-{os.getpid()}-{next(_tags):06}"  # a second process of a test counts from 0 too
    prints = b"".join(fingerprint(phone, version) for phone in phones)
    assert len(prints) == FINGERPRINT_BYTES * len(phones)
    return PlannedBatch(
        key=key,
        path="campaigns/spring.yaml",
        line=7,
        definition=f"definition-{version}",
        tag=tag,
        name=f"{key} 1of1 {tag}",
        phones=pack_phones(phones),
        fingerprints=prints,
    )


def request(phones: Sequence[int], key: MailingKey = INVITATION, *, tag: str = "", version: int = 1) -> PlannedRequest:
    return PlannedRequest(batches=(batch(phones, key, tag=tag, version=version),))


def list_request(key: MailingKey = NEWS, *, version: int = 1) -> PlannedRequest:
    return PlannedRequest(batches=(batch([LIST_PHONE], key, version=version),), method="list")


def result(outcome: Outcome, uuid: str = "", reason: str = "because", count: int | None = None) -> SendResult:
    answer = b'{"x": 1}'
    return SendResult(outcome=outcome, phase=Phase.DONE, reason=reason, uuid=uuid, http_status=200, answer=answer, count=count)


@contextmanager
def limited(size: int, *, of: int = resource.RLIMIT_FSIZE) -> Iterator[None]:
    """No file may grow beyond this many bytes, whoever asks; or another limit of the system holds."""
    before = resource.getrlimit(of)
    resource.setrlimit(of, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(of, before)


@dataclass
class World:
    """One state of one implementation: where it is and how to come in."""

    path: Path
    stores: list[StateReader] = field(default_factory=list)

    def store(self, path: Path | None = None) -> Store:
        store = open_store(path or self.path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE)
        self.stores.append(store)
        return store

    def reader(self, path: Path | None = None) -> StateReader:
        reader = open_reader(path or self.path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE)
        self.stores.append(reader)
        return reader


def new_sqlite(folder: Path) -> World:
    path = folder / "state" / "production.db"
    create(path, environment=ENVIRONMENT, origin=ORIGIN, lineage=LINEAGE, at=AT)
    return World(path)


@pytest.fixture(params=[new_sqlite], ids=["sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty state of each implementation there is."""
    made: World = request.param(tmp_path)
    yield made
    for store in reversed(made.stores):
        store.close()


@pytest.fixture
def sqlite_world(tmp_path: Path) -> World:
    """An empty state in a file, for tests that look at its files."""
    return new_sqlite(tmp_path)


@pytest.fixture
def store(world: World) -> Store:
    return world.store()


@dataclass
class Run:
    """A run under way."""

    store: Store
    id: int

    def plan(self, *requests: PlannedRequest) -> list[str]:
        return list(self.store.write_plan(self.id, requests, AT))

    def end(self, ref: str, outcome: Outcome, uuid: str = "", *, again: bool = False, count: int | None = None) -> RequestState:
        attempt = self.store.mark_intent(ref, AT)
        assert attempt is not None
        return self.store.record(ref, attempt, result(outcome, uuid, count=count), AT, again=again)

    def accepted(self, *phones: int, key: MailingKey = INVITATION, version: int = 1) -> str:
        [ref] = self.plan(request(phones, key, version=version))
        assert self.end(ref, Outcome.ACCEPTED, f"uuid-of-{ref}") is RequestState.ACCEPTED
        return ref

    def poll(self, ref: str, *, statuses: bytes = b"", refused: bool = False) -> None:
        row = self.store.request(ref)
        assert row is not None
        self.store.record_poll(
            ref,
            [
                BatchUpdate(
                    batch_id=one.id,
                    statuses=statuses or bytes(one.count),
                    details=b"",
                    errors=("Отказ",) if refused else (),
                    error_first_at=AT if refused else None,
                    refused=refused,
                )
                for one in row.batches
            ],
            seen=row.polled_at,
            final=False,
            at=AT,
        )

    def holds(self, *phones: int, key: MailingKey = INVITATION) -> set[int]:
        ids = [mailing.id for mailing in self.store.mailings() if mailing.key == key]
        return set(self.store.known(ids, phones))

    def state(self, ref: str) -> RequestState:
        row = self.store.request(ref)
        assert row is not None
        return row.state


@pytest.fixture
def run(store: Store) -> Run:
    return Run(store, store.begin_run(command="apply", digest="sha256:1", at=AT))
