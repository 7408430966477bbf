"""`campaignkit.lock`: written the same way every time, refused when it is not understood."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.states.lockfile import NAME, Pin, read_pins, write_pins

PINS = {
    "production": Pin("0123", "https://app.sms.by"),
    "another": Pin("4567", "https://other.by"),
}
TEXT = """{
  "environments": {
    "another": {
      "lineage": "4567",
      "origin": "https://other.by"
    },
    "production": {
      "lineage": "0123",
      "origin": "https://app.sms.by"
    }
  },
  "version": 1
}
"""


def test_what_is_written_is_sorted_and_read_back(tmp_path: Path) -> None:
    assert read_pins(tmp_path) == {}
    write_pins(tmp_path, PINS)
    assert (tmp_path / NAME).read_text() == TEXT
    assert read_pins(tmp_path) == PINS
    write_pins(tmp_path, {})
    assert read_pins(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "campaignkit.lock"),
        (b"{", "campaignkit.lock"),
        (b"\xff\xfe", "campaignkit.lock"),
        (b"[]", "JSON object"),
        (b'{"version": 2, "environments": {}}', "version"),
        (b'{"version": 1}', "environments"),
        (b'{"version": 1, "environments": [], "x": 1}', "environments"),
        (b'{"version": 1, "environments": {"a": {"lineage": "x"}}}', "'a'"),
        (b'{"version": 1, "environments": {"a": {"lineage": "x", "origin": 1}}}', "'a'"),
        (b'{"version": 1, "environments": {"a": {"lineage": "", "origin": "x"}}}', "'a'"),
        (b'{"version": 1, "environments": {"a": {"lineage": "x", "origin": "x", "more": 1}}}', "'a'"),
        (b'{"version": 1, "environments": {"a": {}, "a": {}}}', "twice"),
        (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "unsettled merge"),
        (b'{"version": ' + b"[" * 100_000, "campaignkit.lock"),
        (b" " * 1_000_002, "too large"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StateError, match=words) as caught:
        read_pins(tmp_path)
    assert "nothing was sent" in caught.value.message
    assert caught.value.next_command == "git checkout -- campaignkit.lock"


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        read_pins(tmp_path)
    with pytest.raises(StateError, match="cannot be written"):
        write_pins(tmp_path, PINS)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_pipe_in_its_place_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)  # nobody writes into it: whoever waits for its content waits for ever
    with pytest.raises(StateError, match="no regular file; nothing was sent"):
        read_pins(tmp_path)
