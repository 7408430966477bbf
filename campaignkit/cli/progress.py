"""Progress on a terminal, on stderr; silent where nobody looks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

from campaignkit.cli.console import Console


def _watched(console: Console) -> bool:
    return console.verbosity >= 0 and sys.stderr.isatty()


def rows_read(console: Console) -> Callable[[int], None]:
    """Shows how many rows were read so far; with 0, shows nothing any more."""
    if not _watched(console):
        return lambda _rows: None
    shown = False

    def tell(rows: int) -> None:
        nonlocal shown
        if rows or shown:
            shown = bool(rows)
            click.echo(f"\r{rows:,} rows read …" if rows else "\r\x1b[K", err=True, nl=False)

    return tell


@contextlib.contextmanager
def bar_of(console: Console, length: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar of people sent to, or of requests asked about; it is told of how many more."""
    if not _watched(console) or not length:
        yield lambda _count: None
        return
    bar = click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True)
    with contextlib.suppress(OSError):  # a terminal that has gone is no reason to stop half-way
        bar.render_progress()
    try:
        yield bar.update
    finally:
        with contextlib.suppress(OSError):
            bar.render_finish()


@contextlib.contextmanager
def requests_asked(console: Console) -> Iterator[Callable[[int, int], None]]:
    """How many requests were asked about, of how many."""
    if not _watched(console):
        yield lambda _done, _every: None
        return
    try:
        yield lambda done, every: click.echo(f"\r{done:,} of {every:,} requests asked about …", err=True, nl=False)
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)
