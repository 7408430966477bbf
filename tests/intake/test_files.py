"""Paths that authors write, and the operator's own overrides."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.errors import RefusedError
from campaignkit.intake.files import OpenRefusedError, campaign_files, open_beneath, parts_inside
from campaignkit.intake.settings import overridden
from campaignkit.model.settings import Environment

ENVIRONMENT = Environment(name="production", base_url="https://app.example.by", state="state/p.db")


@settings(deadline=None)
@given(st.text("./a-ё \\", max_size=20), st.lists(st.sampled_from(["x", "y"]), max_size=3))
def test_no_path_leads_out(path: str, start: list[str]) -> None:
    try:
        parts = parts_inside(path, start=start)
    except OpenRefusedError as error:
        assert error.code == "CK301"  # noqa: PT017 - both ways are fine
    else:
        assert not {"..", ".", ""} & set(parts)
        assert all("/" not in part for part in parts)


@pytest.mark.parametrize("path", ["/a", "//a", "..", "../a", "a/../..", "a\0b"])
def test_a_path_outside_is_refused(path: str) -> None:
    with pytest.raises(OpenRefusedError, match="outside"):
        parts_inside(path)


def test_campaign_files_come_in_a_fixed_order_and_hidden_ones_not(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", ".hidden.yaml", "notes.txt", "Z.yaml"):
        (tmp_path / name).touch()
    assert campaign_files(tmp_path, ()) == [("Z.yaml",), ("a.yaml",), ("b.yml",)]
    with pytest.raises(OpenRefusedError, match="campaigns"):
        campaign_files(tmp_path, ("campaigns",))


def test_a_file_is_opened_beneath_the_root_only(tmp_path: Path) -> None:
    with pytest.raises(OpenRefusedError, match="names no file"):
        open_beneath(tmp_path, ())
    with pytest.raises(OpenRefusedError, match="too long"):
        open_beneath(tmp_path, ("x" * 5000,))
    with pytest.raises(OpenRefusedError, match="can't be opened"):
        open_beneath(tmp_path / "missing", ("a",))


@pytest.mark.parametrize(
    "url", ["https://staging.example.by/", "http://127.0.0.1:8025", "http://localhost:1", "http://[::1]:8025", "sandbox"]
)
def test_an_operator_may_name_another_safe_address(url: str) -> None:
    assert overridden(ENVIRONMENT, base_url=url, state="other.db").base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://app.example.by", "ftp://a.by", "app.example.by", "https://u:p@a.by", "https://a.by?token=x", "https://", "Sandbox"]
)
def test_an_operators_unsafe_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedError, match="https"):
        overridden(ENVIRONMENT, base_url=url, state=None)


def test_without_overrides_an_environment_stays_as_it_is() -> None:
    assert overridden(ENVIRONMENT, base_url=None, state=None) == ENVIRONMENT
