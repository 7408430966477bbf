"""The spool on a disk that fails: told to people, and no exception that only programmers understand."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from campaignkit.engine.spool import Spool, Stretch
from campaignkit.errors import SpoolError
from campaignkit.model.outcomes import SendResult
from tests.engine.conftest import Bench, mailing
from tests.engine.test_applier import apply, claimed
from tests.fakes.provider import FakeSender


def test_a_full_disk_is_told() -> None:
    code = """
import resource
from campaignkit.engine.spool import Spool
from campaignkit.errors import SpoolError
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
with Spool() as spool:
    print(spool.read(spool.append(b"ten bytes!")).decode())
    try:
        spool.append(b"!")
    except SpoolError as error:
        print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    kept, told = done.stdout.splitlines()
    assert kept == "ten bytes!"
    assert "fails (File too large)" in told


def test_no_folder_for_temporary_files_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SpoolError, match="TMPDIR"):
        Spool()


def test_lost_bytes_are_told() -> None:
    with Spool() as spool:
        stretch = spool.append(b"abc")
        os.ftruncate(spool._file.fileno(), 1)
        with pytest.raises(SpoolError, match="it lost bytes"):
            spool.read(stretch)
        assert spool.read(Stretch(0, 1)) == b"a"


def test_bytes_lost_in_the_middle_of_a_run_close_the_books(bench: Bench) -> None:
    """Whom the run can't render any more is free again, and who was sent to stays sent."""
    one = mailing()
    batches = bench.batches(one, 25)

    class Losing(FakeSender):
        def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
            os.ftruncate(bench.spool._file.fileno(), 0)
            return super().send_bulk(body, intent=intent)

    done = apply(bench, batches, Losing(), one)
    assert (done.accepted, done.unknown, done.not_sent) == (10, 0, 15)
    assert "it lost bytes" in done.broken
    assert claimed(bench) == 10
