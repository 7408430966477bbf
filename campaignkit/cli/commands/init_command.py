"""`campaignkit init`."""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from campaignkit.cli.options import Common, common_options

_RENAMED = {"gitignore": ".gitignore"}
_SCHEMAS = ("campaign.schema.json", "project.schema.json")


@click.command("init")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@common_options
def command(common: Common, folder: Path | None) -> int:
    """Make a new project that works against the sandbox at once.

    Writes campaignkit.yaml, a draft campaign with its audience, the schemas for editors, and a .gitignore that keeps state and
    personal data out of git. Overwrites nothing: if one of these files stands there, nothing is written.
    """
    from campaignkit.errors import RefusedError

    root = folder if folder is not None else common.project
    wanted = _contents()
    standing = [path for path in wanted if (root / path).exists() or (root / path).is_symlink()]
    if standing:
        raise RefusedError(f"{root / standing[0]} is there already; nothing was written.")
    try:
        for path, content in wanted.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as stream:
                stream.write(content)
    except OSError as error:
        raise RefusedError(f"{error.filename or root} can't be written: {error.strerror}") from None
    console = common.console
    for path in wanted:
        console.say(f"  {root / path}")
    console.say("Next, in that folder:")
    for line in (
        "campaignkit validate",
        "campaignkit plan",
        "campaignkit apply --env sandbox",
        "campaignkit refresh",
        "campaignkit status",
    ):
        console.say(f"  {line}")
    return 0


def _contents() -> dict[str, str]:
    """Every file of a new project, by its path."""
    found: dict[str, str] = {}
    _collect(files("campaignkit.cli") / "starter", "", found)
    from campaignkit.cli.schema_files import schema_text

    for name in _SCHEMAS:
        found[f"schemas/{name}"] = json.dumps(json.loads(schema_text(name)), ensure_ascii=False, indent=2) + "\n"
    return dict(sorted(found.items()))


def _collect(folder: Traversable, prefix: str, found: dict[str, str]) -> None:
    for entry in folder.iterdir():
        name = _RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            if entry.name != "__pycache__":
                _collect(entry, f"{prefix}{name}/", found)
        else:
            found[prefix + name] = entry.read_text("utf-8")
