"""The ledger keeps what was accepted, whole, for everyone who opens its file."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from campaignkit.sandbox.documents import read_mailings
from campaignkit.sandbox.journal import JournalError
from campaignkit.sandbox.ledger import Counts, Ledger

from .asking import bulk

if TYPE_CHECKING:
    from pathlib import Path

    from campaignkit.sandbox.records import Request


def accept(ledger: Ledger, *messages: object) -> Request:
    mailings = read_mailings(list(messages or (bulk(),)))
    return ledger.accept(at=1000.5, token_place="json", callback_url="http://a.by/x", mailings=mailings)


def test_a_request_comes_back_as_it_was_after_reopening(tmp_path: Path) -> None:
    personal = bulk(
        "mine",
        message_type="personal",
        content={"type": "text"},
        schedule_time="2094-10-30T22:56:00",
        delivery_list=[{"phone": "375293333333", "text": "привет\t\n\ud800"}],
    )
    with Ledger(tmp_path / "data") as ledger:
        written = accept(ledger, bulk(), personal, bulk("bad", content={"type": "x"}))
    with Ledger(tmp_path / "data") as ledger:
        assert ledger.find(written.uuid) == written
        assert list(ledger.requests()) == [written]
        assert ledger.counts() == Counts(requests=1, mailings=2, refused_mailings=1, phones=3)
        assert list(ledger.accepted_phones()) == [
            ("one", "375291111111"),
            ("one", "375292222222"),
            ("mine", "375293333333"),
        ]
        assert ledger.find(str(uuid.uuid1())) is None
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o600


def test_ids_go_on_after_reopening_and_uuids_are_version_1(tmp_path: Path) -> None:
    with Ledger(tmp_path / "data") as ledger:
        first = accept(ledger, bulk(), bulk("bad", content={}), bulk("two"))
    with Ledger(tmp_path / "data") as ledger:
        second = accept(ledger)
    assert [mailing.message_id for mailing in first.mailings] == [1, 0, 2]
    assert [mailing.first_delivery_id for mailing in first.mailings] == [1001, 0, 1003]
    assert (second.mailings[0].message_id, second.mailings[0].first_delivery_id) == (3, 1005)
    assert uuid.UUID(first.uuid).version == 1


def test_two_ledgers_of_one_file_see_each_other(tmp_path: Path) -> None:
    with Ledger(tmp_path / "data") as one, Ledger(tmp_path / "data") as two:
        first, second = accept(one), accept(two)
        assert [request.uuid for request in one.requests()] == [first.uuid, second.uuid]
        assert second.mailings[0].message_id == 2
        third = accept(one)
        assert two.find(third.uuid) == third


def test_threads_lose_nothing_and_share_no_id(tmp_path: Path) -> None:
    with Ledger(tmp_path / "data") as ledger:
        threads = [threading.Thread(target=lambda: [accept(ledger) for _ in range(20)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = list(ledger.requests())
        assert len({request.uuid for request in found}) == 160
        assert sorted(request.mailings[0].message_id for request in found) == list(range(1, 161))
        assert set(ledger.times_accepted().values()) == {160}


def test_what_a_killed_writer_left_half_written_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with Ledger(path) as ledger:
        first = accept(ledger)
        whole = path.read_bytes()
        accept(ledger)
        torn = path.read_bytes()[:-5]
    path.write_bytes(torn)
    with Ledger(path) as ledger:
        assert [request.uuid for request in ledger.requests()] == [first.uuid]
        second = accept(ledger)
        assert [request.uuid for request in ledger.requests()] == [first.uuid, second.uuid]
    assert path.read_bytes().startswith(whole)


def test_a_killed_process_loses_nothing_it_accepted(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from campaignkit.sandbox.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "print(ledger.accept(at=1.0, token_place='json', callback_url='', mailings=[]).uuid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    with Ledger(tmp_path / "data") as ledger:
        assert ledger.find(done.stdout.strip()) is not None


@pytest.mark.parametrize("start", [b"", b'{"format":"campaignkit-s'])
def test_a_file_cut_off_in_its_first_moment_is_begun_anew(start: bytes, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(start)
    with Ledger(tmp_path / "data") as ledger:
        accept(ledger)
    with Ledger(tmp_path / "data") as ledger:
        assert ledger.counts().requests == 1


def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("phone,name\n")
    (tmp_path / "data").chmod(0o644)
    with pytest.raises(JournalError, match="no data file of the sandbox"):
        Ledger(tmp_path / "data")
    assert (tmp_path / "data").read_text() == "phone,name\n"
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o644
    with pytest.raises(JournalError, match="No such file"):
        Ledger(tmp_path / "none" / "data")
    with pytest.raises(JournalError):
        Ledger(tmp_path)


def test_a_closed_ledger_says_so_instead_of_writing_into_another_file() -> None:
    ledger = Ledger()
    accept(ledger)
    ledger.close()
    ledger.close()
    with pytest.raises(JournalError, match="closed"):
        accept(ledger)


def test_ledgers_leave_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "foreign").write_text("phone,name\n")
    before = os.dup(0)
    os.close(before)
    for _ in range(50):
        with Ledger() as ledger:
            assert ledger.counts().requests == 0
        with pytest.raises(JournalError):
            Ledger(tmp_path / "foreign")
    after = os.dup(0)
    os.close(after)
    assert after < before + 20
