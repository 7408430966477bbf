"""What a terminal shows while something takes its time; nothing is shown where nobody looks."""

from __future__ import annotations

import io
import sys

import pytest

from campaignkit.cli.console import Console
from campaignkit.cli.progress import bar_of, requests_asked, rows_read


class Screen(io.StringIO):
    def __init__(self, *, looked_at: bool) -> None:
        super().__init__()
        self._looked_at = looked_at

    def isatty(self) -> bool:
        return self._looked_at


def shown(monkeypatch: pytest.MonkeyPatch, *, looked_at: bool = True, verbosity: int = 0) -> tuple[str, str, str]:
    """What the three leave on stderr."""
    console = Console(verbosity=verbosity)
    found = []
    for use in (_rows, _requests, _people):
        screen = Screen(looked_at=looked_at)
        monkeypatch.setattr(sys, "stderr", screen)
        use(console)
        found.append(screen.getvalue())
    return found[0], found[1], found[2]


def _rows(console: Console) -> None:
    tell = rows_read(console)
    tell(0)
    for rows in (20_000, 40_000, 0, 0):
        tell(rows)


def _requests(console: Console) -> None:
    with requests_asked(console) as tell:
        tell(1, 2_000)
        tell(2, 2_000)


def _people(console: Console) -> None:
    with bar_of(console, 4, "sending") as advance:
        advance(1)
        advance(3)


def test_a_terminal_shows_how_far_it_is_and_nothing_is_left_of_that(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, requests, people = shown(monkeypatch)
    assert rows == "\r20,000 rows read …\r40,000 rows read …\r\x1b[K"
    assert requests == "\r1 of 2,000 requests asked about …\r2 of 2,000 requests asked about …\r\x1b[K"
    assert "sending" in people
    assert "4/4" in people


@pytest.mark.parametrize(("looked_at", "verbosity"), [(False, 0), (True, -1)])
def test_a_pipe_and_who_asked_for_quiet_see_nothing(monkeypatch: pytest.MonkeyPatch, looked_at: bool, verbosity: int) -> None:
    assert shown(monkeypatch, looked_at=looked_at, verbosity=verbosity) == ("", "", "")


def test_a_bar_of_nothing_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Screen(looked_at=True))
    with bar_of(Console(), 0, "sending") as advance:
        advance(0)
    assert screen.getvalue() == ""
