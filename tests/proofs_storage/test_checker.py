"""The proofs' own judges, on good and on bad histories: one that never objects would prove nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaignkit.model.mailings import MailingKey
from campaignkit.states import records
from campaignkit.states.packing import pack_phones
from campaignkit.states.records import BatchRow, RequestRow, RequestState
from tests.proofs_storage import checker, trace
from tests.proofs_storage.disk import Disk
from tests.proofs_storage.trace import Cut, Make, Move, Remove, Step, Sync, Write
from tests.proofs_storage.truth import Received

AT = datetime(2026, 11, 23, tzinfo=UTC)
BATCH = BatchRow(
    id=1, key=MailingKey("spring", 1, "invitation"), path="", line=1, tag="ck-a", name="name-a", count=2, claimed=2, schedule_utc=None,
    phones=pack_phones([1, 2]), fingerprints=b"", statuses=b"", details=b"", errors=(), error_first_at=None, refused=False,
)  # fmt: skip
ACCEPTED = RequestRow(
    ref="r1", state=RequestState.ACCEPTED, run_id=1, uuid="u1", attempts=1, planned_at=AT, intent_at=AT, done_at=AT, http_status=200,
    phase="", reason="", bytes_written=1, answer=b"", polled_at=None, final=False, batches=(BATCH,),
)  # fmt: skip
RECEIVED = Received(bytes=9, uuid="u1", names=("name-a",), phones=(1, 2))
QUICK = replace(ACCEPTED, method="quick", uuid="7", batches=(replace(BATCH, count=1, phones=pack_phones([5])),))
QUICKLY = Received(bytes=9, uuid="7", names=(), phones=(5,))
LISTED = replace(ACCEPTED, method="list", step=records.Step.CONFIRM, uuid="8", batches=(replace(BATCH, count=1, phones=pack_phones([0])),))
DRAFTED = Received(bytes=9, uuid="8", names=("name-a",), phones=(-1,))
CONFIRMED = replace(DRAFTED, phones=(0,))


@pytest.mark.parametrize("state", [RequestState.ACCEPTED, RequestState.UNKNOWN])
def test_an_acceptance_with_its_uuid_or_unknown_is_good(state: RequestState) -> None:
    assert checker.outcomes([replace(ACCEPTED, state=state)], [RECEIVED], [1, 2]) == []
    assert checker.sent_twice([RECEIVED, replace(RECEIVED, uuid="")]) == []


@pytest.mark.parametrize(
    ("rows", "received", "words"),
    [
        ([], [RECEIVED], "does not know its batch"),
        ([replace(ACCEPTED, state=RequestState.DISSOLVED)], [RECEIVED], "u1 was accepted, and r1 is dissolved"),
        ([replace(ACCEPTED, uuid="u2")], [RECEIVED], "r1 has a uuid that nobody gave"),
        ([replace(ACCEPTED, state=RequestState.INTENT)], [RECEIVED], "still intent"),
        ([replace(ACCEPTED, state=RequestState.PLANNED, uuid="")], [], "…1 is lost"),
    ],
)
def test_bad_histories_are_told(rows: list[RequestRow], received: list[Received], words: str) -> None:
    assert any(words in problem for problem in checker.outcomes(rows, received, [1, 2]))


@pytest.mark.parametrize("state", [RequestState.ACCEPTED, RequestState.UNKNOWN])
def test_a_quick_message_and_a_list_are_good_alike(state: RequestState) -> None:
    assert checker.outcomes([replace(QUICK, state=state)], [QUICKLY], [5]) == []
    assert checker.outcomes([replace(LISTED, state=state)], [DRAFTED, CONFIRMED], [0]) == []
    assert checker.sent_twice([QUICKLY, DRAFTED, CONFIRMED]) == []


@pytest.mark.parametrize(
    ("rows", "received", "words"),
    [
        ([replace(QUICK, state=RequestState.DISSOLVED, uuid="")], [QUICKLY], "does not know its batch"),
        ([replace(QUICK, uuid="9")], [QUICKLY], "r1 has a uuid that nobody gave"),
        ([LISTED], [DRAFTED], "r1 is accepted, and 8 reached only 0 of its people"),
        ([replace(LISTED, state=RequestState.DRAFT)], [DRAFTED, CONFIRMED], "8 was accepted, and r1 is draft"),
        ([replace(LISTED, state=RequestState.DRAFT)], [DRAFTED], "still draft"),
        ([replace(LISTED, state=RequestState.REJECTED)], [DRAFTED], "8 was accepted, and r1 is rejected"),
        ([], [], "the list is lost"),
    ],
)
def test_bad_ends_of_quick_messages_and_lists_are_told(rows: list[RequestRow], received: list[Received], words: str) -> None:
    assert any(words in problem for problem in checker.outcomes(rows, received, [0]))


def test_what_was_made_or_confirmed_twice_is_told() -> None:
    twice = checker.sent_twice([QUICKLY, QUICKLY, DRAFTED, DRAFTED, CONFIRMED, CONFIRMED])
    assert twice == ["…5 was accepted 2 times", "the list's draft was accepted 2 times", "the list was accepted 2 times"]


def test_who_was_accepted_twice_is_told() -> None:
    assert checker.sent_twice([RECEIVED, replace(RECEIVED, uuid="u2")]) == ["…1 was accepted 2 times", "…2 was accepted 2 times"]


def disks(steps: list[Step], folder: Path, count: int = 60) -> set[tuple[tuple[str, bytes], ...]]:
    """The disks that may be left after these steps."""
    disk, found = Disk(), set()
    for step in steps:
        disk.take(step)
    chance = random.Random(1)
    for number in range(count):
        root = folder / str(number)
        root.mkdir()
        disk.write(root, chance, 0.5)
        found.add(tuple((path.name, path.read_bytes()) for path in sorted(root.iterdir())))
    return found


def test_what_was_synced_stays_and_what_was_not_may_miss_or_tear(tmp_path: Path) -> None:
    steps: list[Step] = [Make("f"), Write("f", 0, b"a" * 1024), Sync("f"), Sync(".")]
    assert disks(steps, tmp_path) == {(("f", b"a" * 1024),)}
    left = {dict(files)["f"] for files in disks([*steps, Write("f", 0, b"b" * 1024)], _new(tmp_path, "torn"))}
    assert left == {first + second for first in (b"a" * 512, b"b" * 512) for second in (b"a" * 512, b"b" * 512)}
    left = {dict(files)["f"] for files in disks([*steps, Cut("f", 3)], _new(tmp_path, "cut"))}
    assert left == {b"aaa", b"a" * 1024}


def test_a_name_is_there_for_certain_only_once_its_folder_was_synced(tmp_path: Path) -> None:
    made: list[Step] = [Make("f"), Write("f", 0, b"a"), Sync("f")]
    assert disks(made, tmp_path) == {(), (("f", b"a"),)}
    synced = [*made, Sync(".")]
    assert disks([*synced, Remove("f")], _new(tmp_path, "removed")) == {(), (("f", b"a"),)}
    assert disks([*synced, Move("f", "g")], _new(tmp_path, "moved")) == {(("f", b"a"),), (("g", b"a"),)}


def test_a_line_that_cannot_be_read_is_no_step_left_out(tmp_path: Path) -> None:
    out = tmp_path / "trace"
    out.write_text("1 fsync(3<\\x2f\\x61> <unfinished ...>\n")
    with pytest.raises(RuntimeError, match="cannot be understood"):
        list(trace.read(out, tmp_path))


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_calls_told_in_two_pieces_are_put_together_where_they_ended(tmp_path: Path) -> None:
    out, file = tmp_path / "trace", "".join(f"\\x{byte:02x}" for byte in str(tmp_path / "s.db").encode())
    out.write_text(
        f'7 openat(AT_FDCWD<\\x2f>, "{file}", O_RDWR|O_CREAT, 0600) = 3<{file}>\n'
        f'7 pwrite64(3<{file}>, "\\x61\\x62", 2, 40 <unfinished ...>\n'
        f"8 fsync(3<{file}>) = 0\n"
        "7 <... pwrite64 resumed>) = 2\n"
    )
    assert list(trace.read(out, tmp_path)) == [trace.Make("s.db"), trace.Sync("s.db"), trace.Write("s.db", 40, b"ab")]
