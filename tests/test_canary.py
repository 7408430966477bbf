"""The scanner finds what it looks for, and a session that leaks fails."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.canary import HOLDER, TOKEN, forms, leaking_files, leaks

ROOT = Path(__file__).resolve().parents[1]
PLANTED = """
import os
from tests.canary import TOKEN

def test_that_leaks(tmp_path):
    (tmp_path / "state.db").write_bytes(os.urandom(100) + TOKEN[::-1].encode() + os.urandom(100))

def test_that_does_not(tmp_path):
    (tmp_path / "canary.token").write_text(TOKEN)
"""


@pytest.mark.parametrize("form", forms().values(), ids=forms())
def test_every_form_is_found(form: bytes) -> None:
    assert leaks(b"\x00before\x00" + form + b"\x00after")
    assert not leaks(b"\x00before\x00" + form[:11] + b"\x00after")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_base64_is_found_whatever_stands_around_it(before: str) -> None:
    text = f"{before}{TOKEN}xy".encode()
    for encoded in (base64.b64encode(text), base64.urlsafe_b64encode(text), text.hex().encode(), quote_plus(TOKEN).encode(), text[9:]):
        assert leaks(encoded)


def test_every_file_is_looked_through_but_the_one_that_is_meant_to_hold_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    places = [tmp_path / "deep/spool", tmp_path / HOLDER, tmp_path / f"request-{TOKEN[5:20].replace('/', '')}"]
    for path in places[:2]:
        path.write_bytes(b"x" * 100_000 + TOKEN.encode())
    places[2].touch()
    found = list(leaking_files(tmp_path))
    for path in places:
        path.unlink()
    assert len(found) == 2
    assert not list(leaking_files(tmp_path))


@pytest.mark.parametrize("words", [[], ["-n", "2"]], ids=["alone", "with workers"])
def test_a_session_that_leaves_the_token_behind_fails(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "test_planted.py").write_text(PLANTED, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest", "--basetemp", str(tmp_path / "left")]
    session = [*command, *words, "--rootdir", str(tmp_path), str(tmp_path / "test_planted.py")]
    ran = subprocess.run(session, cwd=ROOT, capture_output=True, text=True, check=False)
    passing = subprocess.run([*session, "-k", "does_not"], cwd=ROOT, capture_output=True, text=True, check=False)
    shutil.rmtree(tmp_path / "left")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
    assert "state.db: reversed" in ran.stdout
    assert passing.returncode == 0, passing.stdout + passing.stderr
