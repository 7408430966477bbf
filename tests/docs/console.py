"""Runs the console blocks of a document: `$ ` lines are commands, what follows is what they print; `…` is any lines.

At the end of a line, `…` is whatever else stands there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.canary import assert_hidden

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = [
    (re.compile(r"^[\d,]+ requests? asked, .* still under way\n", re.MULTILINE), ""),
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:DIGEST"),
    (re.compile(r"\bck-[0-9a-z]{20,}"), "ck-TAG"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?"), "TIME"),
    (re.compile(r"\d+ (second|minute)s? ago"), "SOME TIME ago"),
    (re.compile(r"\d+ of \d+ bytes"), "ALL bytes"),
    (re.compile(r"\d+ changes?"), "SOME changes"),
    # The sandbox's people read when they like.
    (re.compile(r"= (?:\d+ DELIVERED)?(?: \+ )?(?:\d+ READ)?$", re.MULTILINE), "= EVERYBODY REACHED"),
    (re.compile(r"(?:DELIVERED|READ) since"), "REACHED since"),
]


@dataclass(slots=True)
class Step:
    """One command and what it is to print; `line` is its place in the document."""

    line: int
    command: str
    expected: list[str] = field(default_factory=list)


def steps(document: str) -> Iterator[Step]:
    """Every command of a document, in order."""
    for block in _BLOCK.finditer(document):
        first = document.count("\n", 0, block.start(1)) + 1
        step: Step | None = None
        for number, text in enumerate(block[1].splitlines(), first):
            if text.startswith("$ "):
                if step is not None:
                    yield step
                step = Step(number, text[2:])
            else:
                assert step is not None, f"line {number}: output before any command"
                step.expected.append(text)
        if step is not None:
            yield step


class Session:
    """A shell that remembers its folder."""

    def __init__(self, folder: Path, extra: dict[str, str] | None = None) -> None:
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGNKIT_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = kept | {"PATH": path, "NO_COLOR": "1"} | (extra or {})

    def run(self, command: str) -> str:
        """What one command prints, on both streams."""
        if command.startswith("cd "):
            self._folder /= command[3:]
            return ""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        assert_hidden(done.stdout)
        return done.stdout.decode()


def same(expected: list[str], printed: str) -> bool:
    """Whether an output is the documented one, but for what changes from run to run."""
    return re.fullmatch("".join(map(_pattern, steady("\n".join(expected)).splitlines())), steady(printed)) is not None


def _pattern(text: str) -> str:
    if text == "…":
        return r"(?:.*\n)*?"
    return re.escape(text[:-1]) + ".*\n" if text.endswith("…") else re.escape(text + "\n")


def steady(text: str) -> str:
    """A text without what changes from run to run, and without blank lines at its end."""
    text = text.rstrip("\n") + "\n"
    for pattern, word in _VARIABLE:
        text = pattern.sub(word, text)
    return text.lstrip("\n")
