"""A state that went back in time is noticed by a mark apart from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from campaignkit.errors import StateError
from campaignkit.states.highwater import check, mark_of, marks_folder, raise_to
from campaignkit.states.records import StateInfo

INFO = StateInfo(
    path="state/live.db", environment="live", origin="https://x", lineage="ab12",
    serial=5, schema_version=1, releases=0, claims_version=1, history="00",
)  # fmt: skip


def test_an_older_state_is_refused_and_an_equal_or_newer_one_is_not(tmp_path: Path) -> None:
    raise_to(INFO, tmp_path)
    check(INFO, tmp_path)
    check(replace(INFO, serial=6), tmp_path)
    with pytest.raises(StateError, match="went back in time"):
        check(replace(INFO, serial=4), tmp_path)


def test_a_mark_only_rises(tmp_path: Path) -> None:
    raise_to(INFO, tmp_path)
    raise_to(replace(INFO, serial=3), tmp_path)
    with pytest.raises(StateError):
        check(replace(INFO, serial=4), tmp_path)


def test_other_lineages_and_missing_or_broken_marks_are_no_mark(tmp_path: Path) -> None:
    raise_to(INFO, tmp_path)
    check(replace(INFO, lineage="cd34", serial=0), tmp_path)
    check(replace(INFO, serial=0), None)
    (tmp_path / "ab12.json").write_text("not json")
    check(replace(INFO, serial=0), tmp_path)
    raise_to(INFO, tmp_path)
    with pytest.raises(StateError):
        check(replace(INFO, serial=0), tmp_path)


def test_a_lineage_is_no_path(tmp_path: Path) -> None:
    check(replace(INFO, lineage="../../etc/passwd"), tmp_path)


def test_where_nothing_can_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    raise_to(INFO, tmp_path / "file")
    raise_to(INFO, None)


def test_the_folder_follows_the_users_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert marks_folder() == tmp_path / "campaignkit"


def test_without_that_setting_it_is_in_the_users_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    raise_to(INFO, marks_folder())
    assert [path.name for path in (tmp_path / ".local" / "state" / "campaignkit").iterdir()] == ["ab12.json"]
    with pytest.raises(StateError):
        check(replace(INFO, serial=4), marks_folder())


def test_a_user_without_a_home_goes_on_without_marks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a quoted `HOME="~"` of a service file gives one: no folder of that name is made wherever the program was started."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "~")
    monkeypatch.chdir(tmp_path)
    assert marks_folder() is None
    raise_to(INFO, marks_folder())
    check(replace(INFO, serial=0), marks_folder())
    assert list(tmp_path.iterdir()) == []


def test_a_mark_can_be_asked_for(tmp_path: Path) -> None:
    """What a restored backup is raised above; 0 raises it above nothing."""
    assert mark_of("ab12", tmp_path) == mark_of("ab12", None) == 0
    raise_to(INFO, tmp_path)
    assert (mark_of("ab12", tmp_path), mark_of("cd34", tmp_path)) == (5, 0)
    (tmp_path / "ab12.json").write_text('{"serial": "5"}')
    assert mark_of("ab12", tmp_path) == 0
