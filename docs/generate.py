# ruff: noqa: INP001
"""What cog puts between its marks in README.md and docs/*.md, taken from the code and the schemas themselves."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from campaignkit.cli import exit_codes
from campaignkit.cli.main import cli
from campaignkit.sandbox import scenario as sandbox_scenario

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 80
Node = dict[str, Any]
_TYPES = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "`null`",
    "object": "mapping", "array": "list",
}  # fmt: skip
_PLAIN = re.compile(r"(?![0-9]+(\.[0-9]+)?$)[\w.](?:[^,\[\]{}#:]|:(?! |$))*")


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def codes() -> str:
    """The exit codes, with the docstring under each member."""
    tree = ast.parse(inspect.getsource(exit_codes.ExitCode)).body[0]
    assert isinstance(tree, ast.ClassDef)
    rows: list[tuple[str, ...]] = []
    for member, words in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(words, ast.Expr):
            rows.append((f"`{ast.literal_eval(member.value)}`", str(ast.literal_eval(words.value))))
    return table(("code", "meaning"), rows)


def scenario() -> str:
    """What a scenario of the sandbox may say, as its module has it: the example fenced, then the tables."""
    _, example, *rest = inspect.cleandoc(str(sandbox_scenario.__doc__)).split("\n\n")
    return "\n\n".join([f"```json\n{textwrap.dedent(example).rstrip()}\n```", *rest])


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and subcommand as the words that call it, the program itself first."""
    yield ()
    yield from _below((), cli)


def find(words: tuple[str, ...]) -> click.Command:
    """A command by its words."""
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return command


def _below(words: tuple[str, ...], group: click.Group) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from _below((*words, name), command)


def helps() -> str:
    """The help of every command, as a terminal of 80 columns shows it."""
    parts: list[str] = []
    for words in commands():
        done = CliRunner().invoke(cli, [*words, "--help"], prog_name="campaignkit", terminal_width=WIDTH, color=False)
        assert done.exit_code == 0, done.output
        parts.append(f"## `{' '.join(('campaignkit', *words))}`\n\n```text\n{done.output.rstrip()}\n```\n")
    return "\n".join(parts).rstrip()


def schema(name: str) -> Node:
    """One schema of `schemas/`."""
    loaded = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def keys(name: str, top: str) -> str:
    """The keys of a file as tables, one for each mapping in it; `top` heads the first."""
    root = schema(name)
    return "\n\n".join(_sections(root, root, f"### {top}", "")).rstrip()


def _resolved(root: Node, node: Node) -> Node:
    """A node with its `$ref` followed; what stands beside the reference wins."""
    while "$ref" in node:
        target: Any = root
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _sections(root: Node, node: Node, heading: str, path: str) -> Iterator[str]:
    required = set(node.get("required", ()))
    rows: list[tuple[str, ...]] = []
    inner: list[tuple[str, Node]] = []
    for key, raw in node["properties"].items():
        found = _resolved(root, raw)
        default = _default(found, required=key in required)
        rows.append((f"`{key}`", _type(found), default, _meaning(found), _example(found)))
        inner += _inside(root, found, f"{path}{key}")
    yield f"{heading}\n\n{table(('key', 'type', 'default', 'meaning', 'example'), rows)}"
    for where, below in inner:
        yield from _sections(root, below, f"### `{where}`\n\n{below.get('description', '')}", f"{where}.")


def _inside(root: Node, node: Node, path: str) -> Iterator[tuple[str, Node]]:
    """The mappings below one key: its own, those of its items, those under names of one's own."""
    if "properties" in node:
        yield path, node
    for key, mark in (("items", "[]"), ("additionalProperties", ".NAME")):
        if isinstance(node.get(key), dict):
            found = _resolved(root, node[key])
            if "properties" in found:
                yield path + mark, found


def _type(node: Node) -> str:
    if "const" in node:
        return _code(node["const"])
    if "enum" in node:
        return " or ".join(_code(value) for value in node["enum"])
    kinds = node.get("type", "any")
    words = " or ".join(_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f"{words}, {low:,} to {high:,}"
    return f"{words}, {low} or more" if low is not None else words


def _meaning(node: Node) -> str:
    """The description, and the rule of its pattern where there is one."""
    said, rule = str(node.get("description", "")), str(node.get("x-message", ""))
    return f"{said} {rule[0].upper()}{rule[1:]}." if rule else said


def _default(node: Node, *, required: bool) -> str:
    if required:
        return "**required**"
    return _code(node["default"]) if "default" in node else ""


def _example(node: Node) -> str:
    return ", ".join(_code(value) for value in node.get("examples", ())[:2])


def _code(value: object) -> str:
    return f"`{_flow(value)}`"


def _flow(value: object) -> str:
    """A value as one writes it in YAML's flow style: quotes only where they are needed."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
