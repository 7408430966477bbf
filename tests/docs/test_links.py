"""Links lead somewhere, and no document names a machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.places import ALL, DECISIONS, ROOT

_LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    for target in _LINK.findall(path.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_machine_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"/(?:home|root|work|tmp|Users)/", text)
    assert not re.search(r"^.* $", text, re.MULTILINE), "trailing blanks"


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decisions_are_short_and_alike(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.stem[:4]}: ")
    assert len(text.splitlines()) <= 25
    assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequence"))


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.stem[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert len({path.stem[:4] for path in DECISIONS}) == len(DECISIONS)
