"""What a template may say, decided on its syntax tree before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from campaignkit.diagnostics import did_you_mean
from campaignkit.rendering.environment import MOST_KEPT, environment

LONGEST_SOURCE = 20_000
MOST_BRACKETS = 60
"""Nesting beyond this ends in a RecursionError of the compiler, or worse."""
DEEPEST = 50
"""Levels of the syntax tree; the time the compiler takes grows with the third power of them."""

MOST_FAULTS = 20
"""Faults of one template that are told."""
_LISTS = (nodes.List, nodes.Tuple, nodes.Dict)

_FORBIDDEN: dict[type[nodes.Node], str] = {
    nodes.Extends: "extends", nodes.Include: "include", nodes.Import: "import", nodes.FromImport: "import",
    nodes.Block: "block", nodes.Macro: "macro", nodes.CallBlock: "call", nodes.ScopedEvalContextModifier: "autoescape",
    nodes.EvalContextModifier: "autoescape", nodes.NSRef: "namespace", nodes.FilterBlock: "filter",
    nodes.AssignBlock: "a set block",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem inside one template; `offset` counts characters from its start."""

    code: str
    message: str
    offset: int
    width: int = 1
    hint: str = ""


def examine(source: str, allowed: frozenset[str]) -> tuple[frozenset[str], list[Fault]]:
    """Check one template.

    Args:
        source: Its text.
        allowed: Names of columns and variables it may use.

    Returns:
        The names it uses, and its faults.
    """
    if len(source) > LONGEST_SOURCE:
        return frozenset(), [Fault("CK201", f"the template has more than {LONGEST_SOURCE:,} characters", 0)]
    if (deep := _too_deep(source)) is not None:
        return frozenset(), [Fault("CK201", "the template is nested too deeply", deep)]
    try:
        return _examined(source, allowed)
    except TemplateSyntaxError as error:
        hint = "write {{ name }} and {% if … %}…{% endif %}; every opening mark needs its closing one"
        return frozenset(), [Fault("CK201", f"the template is broken: {error.message}", _line_start(source, error.lineno), hint=hint)]
    except (RecursionError, SyntaxError, MemoryError):  # also of Python's compiler, which has limits of its own
        return frozenset(), [Fault("CK201", "the template is nested too deeply", 0)]
    except (TemplateError, TypeError, ZeroDivisionError, LookupError) as error:  # Jinja works out what is constant while it compiles
        return frozenset(), [Fault("CK206", f"this can't be rendered for anybody: {str(error)[:100]}", _line_start(source, 1))]
    except (ValueError, OverflowError):
        return frozenset(), [Fault("CK201", "the template holds a number that is too long", 0)]


def _examined(source: str, allowed: frozenset[str]) -> tuple[frozenset[str], list[Fault]]:
    found = _studied(source)
    faults = list(found.faults)
    for name in sorted(found.names - allowed)[: MOST_FAULTS - len(faults)]:
        offset = _find_name(source, name)
        faults.append(Fault("CK202", f"{name!r} is neither a column nor a variable", offset, len(name), did_you_mean(name, allowed)))
    if not faults and found.python:
        environment().keep(source, found.python)  # what can't be compiled is found here, at its place
    return found.names & allowed, faults


@dataclass(frozen=True, slots=True)
class _Study:
    """What a template is, whatever names there are: those it asks for, its faults, and it as Python if it has none."""

    names: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    python: str = ""


@lru_cache(maxsize=MOST_KEPT)
def _studied(source: str) -> _Study:
    if "{" not in source:
        return _Study()  # it is printed as it stands
    tree = environment().parse(source)
    found = list(_walk(tree))
    if (deep := next((node for node, depth in found if depth >= DEEPEST), None)) is not None:
        return _Study(faults=(Fault("CK201", "the template is nested too deeply", _line_start(source, deep.lineno or 1)),))
    inside = [node for node, _ in found]
    called = {id(node.node) for node in inside if isinstance(node, nodes.Call)}  # a method's name is reported with its call
    assigned = frozenset(
        name.name for one in inside if isinstance(one, nodes.Assign) for name in one.find_all(nodes.Name) if name.ctx == "store"
    )
    starts = _line_starts(source)
    faults: list[Fault] = []
    for node in inside:
        if id(node) not in called and len(faults) < MOST_FAULTS:
            faults += _forbidden(source, node, starts[min(node.lineno or 1, len(starts)) - 1], assigned)
    try:
        names, python = environment().translated(tree)
    except TemplateSyntaxError:
        if not faults:
            raise
        return _Study(faults=tuple(faults))  # an unknown filter or test, which stands among the faults already
    return _Study(names - {"range"}, tuple(faults), python)


def _walk(tree: nodes.Template) -> Iterator[tuple[nodes.Node, int]]:
    """What stands in a tree, in the order it is written, with its depth; nothing below the first that is too deep."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth:
            yield node, depth
        if depth < DEEPEST:
            waiting += [(child, depth + 1) for child in reversed(list(_children(node)))]


def _children(node: nodes.Node) -> Iterator[nodes.Node]:
    """As `iter_child_nodes`, which asks each field twice whether it is there."""
    for name in node.fields:
        value = getattr(node, name, None)
        if isinstance(value, nodes.Node):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, nodes.Node):
                    yield item


def _forbidden(source: str, node: nodes.Node, offset: int, assigned: frozenset[str]) -> list[Fault]:
    word = _FORBIDDEN.get(type(node))
    if word:
        return [Fault("CK203", f"{word} is not allowed in messages", offset)]
    if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
        called = node.node.attr if isinstance(node.node, nodes.Getattr) else "this"
        hint = f"values are text; use a filter: {{{{ value | {called} }}}}" if called != "this" else ""
        return [Fault("CK203", f"{called}() can't be called in messages", offset, hint=hint)]
    if isinstance(node, nodes.Name) and node.name in {"range", "self"}:
        return [Fault("CK203", f"{node.name} can't be used as a value in messages", _find_name(source, node.name), len(node.name))]
    if isinstance(node, _LISTS) and _holds_lists(node, assigned):
        # What is doubled in such a list is compared and printed in one operation that nothing can end.
        return [Fault("CK203", "lists within lists are not allowed in messages", offset)]
    if isinstance(node, nodes.Pow):
        return [Fault("CK203", "powers (**) are not allowed in messages", offset)]
    if isinstance(node, nodes.Getattr) and not (isinstance(node.node, nodes.Name) and node.node.name == "loop"):
        return [Fault("CK203", f".{node.attr}: values are text and have no parts", offset)]
    if isinstance(node, nodes.Filter) and node.name not in environment().filters:
        at = _find_name(source, node.name)
        hint = did_you_mean(node.name, environment().filters)
        return [Fault("CK204", f"there is no filter {node.name!r}", at, len(node.name), hint)]
    if isinstance(node, nodes.Test) and node.name not in environment().tests:
        return [Fault("CK204", f"there is no test {node.name!r}", _find_name(source, node.name), len(node.name))]
    return []


def _holds_lists(node: nodes.Node, assigned: frozenset[str]) -> bool:
    inside = list(node.find_all((nodes.Name, *_LISTS)))
    return any(not isinstance(one, nodes.Name) or (one.name in assigned and one.ctx == "load") for one in inside)


def _too_deep(source: str) -> int | None:
    depth = 0
    few = source.count("(") + source.count("[") + source.count("{") <= MOST_BRACKETS
    for offset, character in enumerate("" if few else source):
        if character in "([{":
            depth += 1
            if depth > MOST_BRACKETS:
                return offset
        elif character in ")]}":
            depth = max(0, depth - 1)
    blocks = source.count("{%")
    return source.find("{%") if blocks > 200 else None


def _line_starts(source: str) -> list[int]:
    """For each line, the offset of its first template mark, or of the line itself."""
    starts: list[int] = []
    offset = 0
    for line in source.split("\n"):
        marks = [at for mark in ("{{", "{%") if (at := line.find(mark)) >= 0]
        starts.append(offset + min(marks, default=0))
        offset += len(line) + 1
    return starts


def _line_start(source: str, line: int) -> int:
    starts = _line_starts(source)
    return starts[min(line, len(starts)) - 1]


def _find_name(source: str, name: str) -> int:
    """Where a name stands inside the template's marks: the first token of that value."""
    return _names(source).get(name, max(0, source.find(name)))


@lru_cache(maxsize=1)
def _names(source: str) -> dict[str, int]:
    at = 0
    offsets: dict[str, int] = {}
    for _line, kind, value in environment().lex(source):
        found = source.find(value, at)
        if found < 0:
            continue
        if kind == "name":
            offsets.setdefault(value, found)
        at = found + len(value)
    return offsets
