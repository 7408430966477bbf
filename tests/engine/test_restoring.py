"""A restored backup: what it can't know is unknown, told by the state that stood there and by the files."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from campaignkit.engine.packing import Packer
from campaignkit.engine.restoring import Restoring
from campaignkit.errors import StateError
from campaignkit.model.outcomes import Outcome
from campaignkit.states.opening import copy, open_reader, open_store
from campaignkit.states.records import RequestState, Step
from campaignkit.states.store import Store
from tests.engine import lists
from tests.engine.conftest import FIRST, ORIGIN, Bench, list_mailing, mailing, quick_mailing
from tests.engine.test_applier import TAGS, apply
from tests.engine.test_testing import personal
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeSender, result


def opened(path: Path) -> Store:
    return open_store(path, environment="live", origin=ORIGIN, lineage="l")


def restoring(store: Store, mark: int = 0) -> Restoring:
    return Restoring(store=store, clock=FakeClock(), entropy=lambda count: next(TAGS).to_bytes(count, "little"), mark=mark)


@pytest.fixture
def backup(bench: Bench, tmp_path: Path) -> Path:
    """Five people accepted; copied; then five unknown, and five more accepted."""
    one = mailing()
    apply(bench, bench.batches(one, 5, canary=False), FakeSender(), one)
    path = tmp_path / "backup.db"
    copy(bench.path, path, environment="live", origin=ORIGIN, lineage="l")
    later = bench.batches(one, 5, canary=False, start=FIRST + 5) + bench.batches(one, 5, canary=False, start=FIRST + 10)
    uuid = FakeSender()
    uuid.bodies.append(b"")  # its next uuid is another one
    script = FakeSender(result(Outcome.UNKNOWN))
    script.bodies.append(b"")
    apply(bench, later[:1], script, one)
    apply(bench, later[1:], uuid, one)
    return path


def states(store: Store) -> Counter[str]:
    return Counter({str(row.state): row.recipients for row in store.requests() if row.recipients})


def test_what_the_old_state_held_is_unknown_with_its_tags(bench: Bench, backup: Path) -> None:
    store = opened(backup)
    before = store.info().serial
    job = restoring(store, mark=before + 40)
    job.from_old_state(bench.store)
    assert job.people == 10
    assert store.info().serial == before + 41
    old = {batch.tag for row in bench.store.requests() for batch in row.batches}
    assert {batch.tag for row in store.requests() for batch in row.batches} == old
    assert sorted(str(row.state) for row in store.requests()) == ["accepted", "unknown", "unknown"]
    assert store.problems() == []
    store.close()


def test_what_the_files_name_is_unknown_one_request_a_mailing(bench: Bench, backup: Path) -> None:
    store = opened(backup)
    job = restoring(store)
    one, two = mailing(), mailing("two")
    batches = bench.batches(one, 25, start=FIRST + 5) + bench.batches(two, 7)
    job.from_files(batches, bench.spool)
    assert job.people == 32
    rows = [row for row in store.requests() if row.state is RequestState.UNKNOWN]
    assert [row.recipients for row in rows] == [25, 7]
    assert [len(row.batches) for row in rows] == [3, 1]
    assert "restored" in rows[0].reason
    assert [event.kind for event in store.events()][-1] == "restore"
    assert store.problems() == []
    # A person who knows better says so, mailing by mailing.
    assert store.resolve(rows[1].ref, RequestState.RELEASED, reason="not in the cabinet", at=FakeClock().now()) == 7
    store.close()


def test_quick_messages_are_a_request_each_and_a_list_waits_as_a_lost_confirm(bench: Bench, backup: Path) -> None:
    store = opened(backup)
    job = restoring(store)
    packer = Packer(mailing=quick_mailing(), spool=bench.spool, batch_size=1, first=1, canary=False)
    packer.add(personal("a", "b", "c"), None)
    job.from_files(packer.finish() + lists.batches(bench, list_mailing()), bench.spool)
    rows = [row for row in store.requests() if row.state is RequestState.UNKNOWN]
    assert [(row.method, str(row.step), row.recipients) for row in rows] == [("quick", "", 1)] * 3 + [("list", "confirm", 1)]
    assert store.problems() == []
    store.close()


def test_the_id_of_a_draft_is_taken_over_from_the_old_state(bench: Bench, backup: Path) -> None:
    lists.apply(bench, FakeSender())
    store = opened(backup)
    job = restoring(store)
    job.from_old_state(bench.store)
    [row] = [row for row in store.requests() if row.method == "list"]
    assert (row.state, row.step, row.uuid) == (RequestState.UNKNOWN, Step.CONFIRM, "4905")
    assert store.problems() == []
    store.close()


def test_an_old_state_that_can_not_be_read_to_its_end_tells_what_it_can(bench: Bench, backup: Path) -> None:
    class Damaged:
        def requests(self) -> object:
            yield from list(bench.store.requests())[:2]
            raise StateError("damaged")

    store = opened(backup)
    job = restoring(store)
    job.from_old_state(Damaged())  # type: ignore[arg-type]  # all that is asked of it
    assert job.people == 5
    store.close()


def test_people_whom_the_backup_holds_by_another_request_are_left_alone(bench: Bench, backup: Path) -> None:
    store = opened(backup)
    one = mailing()
    # In the backup's own later life the same people were planned anew, under other tags.
    for start in (FIRST + 5, FIRST + 10):
        apply(Bench(bench.spool, store, backup), bench.batches(one, 5, canary=False, start=start), _Next(start), one)
    job = restoring(store)
    job.from_old_state(bench.store)
    assert job.people == 0
    store.close()


def test_whoever_the_old_state_had_freed_is_not_made_unknown(bench: Bench, backup: Path) -> None:
    one = mailing("refused")
    apply(bench, bench.batches(one, 7, start=FIRST + 100), FakeSender(result(Outcome.REJECTED)), one)
    store = opened(backup)
    job = restoring(store)
    job.from_old_state(bench.store)
    assert job.people == 10
    assert one.key not in {known.key for known in store.mailings()}
    store.close()


class _Next(FakeSender):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.bodies = [b""] * (number % 1000 + 50)


def test_planned_and_intended_of_the_backup_are_unknown(bench: Bench, tmp_path: Path) -> None:
    """A backup made while a run went on: what it had planned may have left since."""
    one = mailing()
    seen: list[Path] = []

    class Copying(FakeSender):
        def send_bulk(self, body: bytes, *, intent: object) -> object:  # type: ignore[override]  # copies in the middle of it
            assert callable(intent)
            assert intent()
            if not seen:
                seen.append(tmp_path / "middle.db")
                copy(bench.path, seen[0], environment="live", origin=ORIGIN, lineage="l")
            return result(Outcome.REJECTED)

    apply(bench, bench.batches(one, 20, canary=False), Copying(), one)
    store = opened(seen[0])
    assert sorted(str(row.state) for row in store.requests()) == ["intent", "planned"]
    job = restoring(store)
    job.from_files([], bench.spool)
    assert job.people == 20
    assert [str(row.state) for row in store.requests()] == ["unknown", "unknown"]
    store.close()


def test_a_copy_is_whole_or_refused(bench: Bench, tmp_path: Path) -> None:
    whole = tmp_path / "whole.db"
    copy(bench.path, whole, environment="live", origin=ORIGIN, lineage="l")
    open_reader(whole, environment="live", origin=ORIGIN, lineage="l").close()
    assert whole.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StateError, match="it cannot be read"):
        copy(bench.path, whole, environment="live", origin=ORIGIN, lineage="l")  # never over another file
    shutil.copy(bench.path, tmp_path / "in-use.db")
    with pytest.raises(StateError, match="without its"):
        copy(tmp_path / "in-use.db", tmp_path / "new.db", environment="live", origin=ORIGIN, lineage="l")
