"""Progress on a terminal, on stderr; silent where nobody looks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

from campaignkit.cli.console import Console


def _watched(console: Console) -> bool:
    return console.verbosity >= 0 and sys.stderr.isatty()


@contextlib.contextmanager
def rows_progress(console: Console) -> Iterator[Callable[[int], None] | None]:
    """Rows read so far, while a plan is made."""
    if not _watched(console):
        yield None
        return

    def tell(rows: int) -> None:
        click.echo(f"\r{rows:,} rows read …", err=True, nl=False)

    try:
        yield tell
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)


@contextlib.contextmanager
def people_progress(console: Console, people: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar of people, while requests go out or statuses come in."""
    if not _watched(console) or not people:
        yield lambda _count: None
        return
    bar = click.progressbar(length=people, label=label, file=sys.stderr, show_pos=True)
    with contextlib.suppress(OSError):  # a terminal that has gone is no reason to stop half-way
        bar.render_progress()
    try:
        yield bar.update
    finally:
        with contextlib.suppress(OSError):
            bar.render_finish()
