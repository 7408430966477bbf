"""The page of the architecture names every room, library and table there is, and no other."""

from __future__ import annotations

import re
import tomllib

from tests.docs.places import ROOT, read


def cells(heading: str) -> list[str]:
    """The first cells of the table under a heading."""
    section = read("docs/architecture.md").split(f"## {heading}\n")[1].split("\n## ")[0]
    return [name for cell in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall("`([^`]+)`", cell)]


def test_every_room_has_its_purpose() -> None:
    package = ROOT / "campaignkit"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")} | {"errors", "diagnostics"}
    assert set(cells("Rooms")) == rooms


def test_every_dependency_has_its_reason() -> None:
    wanted = {re.split(r"[<>=]", line)[0] for line in tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]}
    assert set(cells("Doors")) == wanted | {"sqlite3"}


def test_every_table_of_the_state_is_named() -> None:
    made = re.findall(r"CREATE TABLE (\w+)", read("campaignkit/states/sqlite/schema.py"))
    assert cells("The state") == made


def test_every_word_of_the_talk_is_named() -> None:
    from campaignkit.protocol.messages import Kind

    talk = read("docs/architecture.md").split("## Two processes\n")[1].split("\n## ")[0]
    assert [kind.name for kind in Kind if f"`{kind.name}`" not in talk] == []
