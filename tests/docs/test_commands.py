"""The command line is documented whole, and nothing is documented that is not there."""

from __future__ import annotations

import re

import click
import pytest

from campaignkit.cli.main import cli
from tests.docs.places import ALL, ROOT, generator, read

generate = generator()
EVERY = list(generate.commands())
_CALL = re.compile(r"(?<![\w/.-])campaignkit((?: +(?:--?)?[\w./\[\]=-]+)+)")


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_and_option_has_help(words: tuple[str, ...]) -> None:
    command = generate.find(words)
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_is_in_the_page(words: tuple[str, ...]) -> None:
    assert f"## `{' '.join(('campaignkit', *words))}`\n" in read("docs/cli.md")


def calls() -> list[tuple[str, list[str]]]:
    """Every call of the program in code of the documents: where, and its words."""
    found: list[tuple[str, list[str]]] = []
    for path in ALL:
        text = path.read_text("utf-8")
        for code in re.finditer(r"^```\w*\n(.*?)^```|`([^`\n]+)`", text, re.MULTILINE | re.DOTALL):
            place = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, code.start()) + 1}"
            found += [(place, call[1].split()) for call in _CALL.finditer(code[1] or code[2])]
    return found


def test_every_call_in_the_documents_is_one_the_program_knows() -> None:
    seen = 0
    for place, words in calls():
        command: click.Command = cli
        while words and isinstance(command, click.Group) and words[0] in command.list_commands(click.Context(command)):
            command = generate.find((*(_path(command)), words.pop(0)))
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help", "-h"}
        unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in options]
        assert not unknown, f"{place}: {command.name} does not know {unknown}"
        seen += 1
    assert seen > 50


def _path(group: click.Group) -> tuple[str, ...]:
    return () if group is cli else (str(group.name),)
