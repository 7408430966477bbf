"""Paths that authors write, and the operator's own overrides."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
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


def test_a_linked_folder_of_campaigns_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret.yaml").touch()
    root = tmp_path / "project"
    root.mkdir()
    (root / "campaigns").symlink_to("../elsewhere")
    with pytest.raises(OpenRefusedError, match="link") as caught:
        campaign_files(root, ("campaigns",))
    assert caught.value.code == "CK301"


@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_no_swap_for_a_link_while_it_is_opened_leads_out(tmp_path: Path, swapped: str) -> None:
    """Another process turns a file, or the folder above it, into a link that leads out and back, as fast as it can."""
    (tmp_path / "out/data").mkdir(parents=True)
    (tmp_path / "out/data/people.csv").write_text("SECRET")
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "data/people.csv").write_text("ours")
    good = root / "data/people.csv" if swapped == "file" else root / "data"
    target = "../../out/data/people.csv" if swapped == "file" else "../out/data"
    swapper = subprocess.Popen([sys.executable, "-c", SWAPPER, str(good), str(root / "aside"), str(root / "link"), target])
    read: Counter[str] = Counter()
    try:
        while not (read["ours"] and read["refused"]) or read.total() < 5_000:
            try:
                descriptor = open_beneath(root, ("data", "people.csv"))
            except OpenRefusedError:
                read["refused"] += 1
                continue
            with os.fdopen(descriptor) as stream:
                read[stream.read()] += 1
            assert read.total() < 3_000_000
    finally:
        swapper.kill()
        swapper.wait()
    assert read.keys() == {"ours", "refused"}


SWAPPER = """
import os, sys
good, aside, link, target = sys.argv[1:]
while True:
    os.symlink(target, link)
    os.rename(good, aside)
    os.rename(link, good)
    os.unlink(good)
    os.rename(aside, good)
"""
