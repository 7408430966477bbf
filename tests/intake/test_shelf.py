"""The files that the child may ask for: inside the project, no links, and those bytes that were reviewed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from .projects import PEOPLE, personal, project, talk


def test_reviewed_bytes_are_held_to_their_hash(tmp_path: Path) -> None:
    text = personal().replace("people.csv", "people.csv, sha256: " + hashlib.sha256(PEOPLE.encode()).hexdigest().upper())
    root = project(tmp_path, {"a.yaml": text})
    assert talk(root).problems == []
    (root / "campaigns/audiences/people.csv").write_text(PEOPLE + "375293333333,Ян\n")
    assert talk(root).codes == ["CK306"]


def audience_of(path: str) -> str:
    return personal().replace("audiences/people.csv", path)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../../outside.csv", "CK301"),
        ("audiences/../../../outside.csv", "CK301"),
        ("/etc/passwd", "CK301"),
        ("'a\\0b.csv'", "CK300"),
        ("link.csv", "CK301"),
        ("linked/people.csv", "CK301"),
        ("audiences", "CK300"),
        ("pipe.csv", "CK300"),
        ("missing.csv", "CK300"),
        ("audiences/people.csv/x.csv", "CK301"),
        ("audiences/../audiences/./people.csv", ""),
        ("../campaigns/audiences/people.csv", ""),
    ],
)
def test_an_audience_is_a_regular_file_inside_the_project_and_no_link(tmp_path: Path, path: str, code: str) -> None:
    (tmp_path / "outside.csv").write_text(PEOPLE)
    root = project(tmp_path / "project", {"a.yaml": audience_of(path)})
    (root / "campaigns/link.csv").symlink_to(root / "campaigns/audiences/people.csv")
    (root / "campaigns/linked").symlink_to(root / "campaigns/audiences")
    os.mkfifo(root / "campaigns/pipe.csv")
    assert talk(root).codes == ([code] if code else [])


def test_audiences_that_are_not_in_the_project_come_from_the_further_folder(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    (root / "campaigns/audiences/people.csv").unlink()
    elsewhere = tmp_path / "data"
    (elsewhere / "audiences").mkdir(parents=True)
    assert talk(root).codes == ["CK300"]
    assert talk(root, audiences=elsewhere).codes == ["CK300"]
    (elsewhere / "audiences/people.csv").write_text(PEOPLE)
    found = talk(root, audiences=elsewhere)
    assert (found.problems, found.ends[0].live) == ([], 2)
    (elsewhere / "audiences/people.csv").rename(elsewhere / "people.csv")
    (elsewhere / "audiences/people.csv").symlink_to(elsewhere / "people.csv")
    assert talk(root, audiences=elsewhere).codes == ["CK301"]


def test_a_path_that_leads_up_is_never_looked_for_in_the_further_folder(tmp_path: Path) -> None:
    root = project(tmp_path / "project", {"a.yaml": audience_of("../data/people.csv")})
    (found,) = talk(root, audiences=tmp_path).problems
    assert (found.code, found.message) == ("CK300", "there is no file data/people.csv")
