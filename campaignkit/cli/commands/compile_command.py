"""`campaignkit compile`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from campaignkit.cli.options import Common, campaigns_argument, common_options


@click.command("compile")
@campaigns_argument
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write one file a request into this folder.")
@common_options
def command(common: Common, campaigns: tuple[str, ...], out: Path | None) -> int:
    """Print the request bodies of the whole audience.

    As if nobody had been sent to: a JSON array of sendBulkViber bodies, and of {method, form} for quick messages and mailings
    to lists, byte for byte the same on every machine. The token is left out, the random tag of each batch is a placeholder of
    the same length, and a local picture is told by name and SHA-256. Whole phone numbers are printed.
    """
    from campaignkit.cli.project import open_project, start
    from campaignkit.engine.spool import Spool

    with start(common) as front, Spool() as spool:
        from campaignkit.diagnostics import has_errors
        from campaignkit.engine.compiling import compiled
        from campaignkit.errors import DefinitionError

        opened = open_project(front, common)
        heads = opened.select(campaigns)
        if opened.environment.is_sandbox:
            common.console.sandbox()
        bodies = compiled(front, opened.project, opened.environment, [head.path for head in heads], spool)
        if has_errors(front.diagnostics) or bodies is None:
            raise DefinitionError(front.diagnostics)
        if out is not None:
            count = _write(out, bodies)
            common.console.say(f"{count:,} request bodies in {out} (they hold whole phone numbers)")
        else:
            _print(bodies)
    return 0


def _print(bodies: Iterator[tuple[str, bytes]]) -> None:
    stream = sys.stdout.buffer
    mark = b"[\n"
    for _name, body in bodies:
        stream.write(mark + body)
        mark = b",\n"
    stream.write(b"\n]\n" if mark == b",\n" else b"[]\n")
    stream.flush()


def _write(folder: Path, bodies: Iterator[tuple[str, bytes]]) -> int:
    from campaignkit.errors import RefusedError

    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, body in bodies:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            with os.fdopen(os.open(folder / f"{name}.json", flags, 0o600), "wb") as stream:
                stream.write(json.dumps(json.loads(body), ensure_ascii=False, indent=2).encode() + b"\n")
            count += 1
    except OSError as error:
        raise RefusedError(f"{folder} can't be written: {error.strerror}") from None
    return count
