"""What is kept of the runs over audiences: taken whole and given back as it was, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from campaignkit.model.mailings import MailingKey
from campaignkit.plans import snapshots
from campaignkit.plans.cache import forget_plans
from campaignkit.plans.snapshots import KeptSnapshots

ONE, TWO = MailingKey("spring", 1, "one"), MailingKey("spring", 1, "two")


def read(descriptor: int | None) -> bytes | None:
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def test_what_was_taken_is_given_back_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "plan-1.json"
    kept = KeptSnapshots(place, {})
    for key, piece in ((ONE, b"a"), (TWO, b"x"), (ONE, b"b")):
        kept.take(key, piece)
    known = kept.keep()
    again = KeptSnapshots(place, known)
    assert again.names == ("spring/one", "spring/two")
    assert (read(again.open("spring/one")), read(again.open("spring/two"))) == (b"ab", b"x")
    assert again.open("spring/three") is None
    assert KeptSnapshots(place, {"spring/one": "0" * 64}).open("spring/one") is None
    again.take(ONE, b"c")
    assert again.keep().keys() == {"spring/one"}
    assert len(list(tmp_path.iterdir())) == 1
    forget_plans(tmp_path)
    forget_plans(None)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    kept = KeptSnapshots(tmp_path / "plan-1.json", {})
    kept.take(ONE, b"a")
    kept.drop()
    assert list(tmp_path.iterdir()) == []


def test_more_than_is_kept_is_kept_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child could else fill the disk."""
    monkeypatch.setattr(snapshots, "LARGEST_SNAPSHOT", 3)
    kept = KeptSnapshots(tmp_path / "plan-1.json", {})
    for key, piece in ((ONE, b"ab"), (ONE, b"cd"), (ONE, b"e"), (TWO, b"abc")):
        kept.take(key, piece)
    assert kept.keep().keys() == {"spring/two"}
    assert len(list(tmp_path.iterdir())) == 1


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    kept = KeptSnapshots(tmp_path / "file" / "plan-1.json", {})
    kept.take(ONE, b"a")
    kept.take(ONE, b"b")
    assert kept.keep() == {}
