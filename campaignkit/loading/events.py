"""The one door to PyYAML: bytes of an untrusted file to a `Document`, by the YAML 1.2 core rules.

The tree is built from libyaml's events instead of its own composer, because that one dies of deep nesting, keeps the
last of two equal keys, and reads `22:56` as 1376. Depth, size, aliases and tags are bounded here, before any value exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.loading.nodes import Document, Pointer, Span, place_in, written

LARGEST_FILE = 5 * 1024 * 1024
DEEPEST = 32
MOST_NODES = 100_000
LONGEST_KEY = 200
MOST_SHOWN = 50
"""Problems of one kind that a file is shown with; more of them teach nothing, and telling them takes minutes."""

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]+|[0-9]+(?:\.[0-9]+)?[eE][-+]?[0-9]{1,3})\Z")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_STR_TAGS = {None, "!", "tag:yaml.org,2002:str"}


class BrokenYaml(Exception):  # noqa: N818 - it never leaves this room; it carries a diagnostic, not an error
    """Parsing stops here: what comes after can't be trusted."""

    def __init__(self, code: str, message: str, span: Span, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.hint = code, message, span, hint


@dataclass(slots=True)
class _Node:
    span: Span
    value: object = None
    items: list[_Node] | None = None
    pairs: list[tuple[_Node, _Node]] | None = None
    open: bool = field(default=True)


def load(path: str, data: bytes) -> tuple[Document | None, list[Diagnostic]]:
    """Parse one file.

    Args:
        path: Shown in diagnostics; nothing is opened.
        data: The file's bytes.

    Returns:
        The document, or None where it can't be read at all, and the problems found.
    """
    problems: list[Diagnostic] = []
    if len(data) > LARGEST_FILE:
        message = f"the file has {len(data):,} bytes; at most {LARGEST_FILE:,} are read"
        return None, [_problem("CK001", message, Place(path), "keep recipients in a CSV file beside the campaign")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"byte 0x{data[error.start]:02x} is no UTF-8"
        return None, [_problem("CK002", message, Place(path, line, column), "save the file as UTF-8")]
    lines = tuple(text.splitlines())
    try:
        tree = _tree(text)
        values: dict[Pointer, Span] = {}
        keys: dict[Pointer, Span] = {}
        expansion = _Expansion(path, lines, values, keys, problems)
        root = expansion.plain(tree, ())
        problems += expansion.closing()
    except BrokenYaml as broken:
        return None, [*problems, _problem(broken.code, broken.message, place_in(path, lines, broken.span), broken.hint)]
    if not isinstance(root, dict):
        span = values.get((), Span(1, 1, 1, 1))
        return None, [
            *problems,
            _problem("CK004", "the file must be a mapping of keys to values", place_in(path, lines, span)),
        ]
    return Document(path, lines, root, values, keys), problems


def _problem(code: str, message: str, place: Place, hint: str = "") -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, message, place, hint)


def _span(event: yaml.Event) -> Span:
    start, end = event.start_mark, event.end_mark
    assert start is not None
    assert end is not None  # libyaml marks every event
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1, getattr(event, "style", None) or "")


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore") if _LOADER is not yaml.SafeLoader else text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")  # libyaml counts bytes
        character = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "?")
        span = Span(line, column, line, column + 1)
        raise BrokenYaml("CK003", f"the control character U+{character:04X} may not stand here", span) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.splitlines()
        excerpt = lines[line - 1] if line <= len(lines) else ""
        words = " ".join(part for part in (error.context, error.problem) if part)
        if error.context_mark and error.context and ("quoted scalar" in error.context or "simple key" in error.context):
            line, column = error.context_mark.line + 1, error.context_mark.column + 1
        raise BrokenYaml("CK003", f"this is no YAML: {words}", Span(line, column, line, column + 1), _hint(excerpt)) from None


def _hint(excerpt: str) -> str:
    if excerpt.startswith("%"):
        return "leave this line out: files are read by the rules of YAML 1.2"
    if "\t" in excerpt[: len(excerpt) - len(excerpt.lstrip())]:
        return "indent with spaces: YAML takes no tabs there"
    if "{{" in excerpt or "{%" in excerpt:
        return 'put values that hold {{ }} or {% %} into quotes: text: "{{ first_name }}, hello"'
    if excerpt.count(": ") > 1:
        return 'put values that hold ": " into quotes'
    return "check quotes and indentation on this line and the one above it"


def _tree(text: str) -> _Node:  # noqa: C901, PLR0912 - one case for each kind of event
    stack: list[_Node] = []
    anchors: dict[str, _Node] = {}
    waiting: list[_Node | None] = []  # the key read last, for each open mapping
    root: _Node | None = None
    count = 0
    for event in _events(text):
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise BrokenYaml("CK005", "one file holds one document; a second begins here", _span(event))
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            stack.pop().open = False
            waiting.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        count += 1
        if count > MOST_NODES:
            raise BrokenYaml("CK006", f"more than {MOST_NODES:,} values in one file", _span(event), "use a CSV audience")
        if isinstance(event, yaml.AliasEvent):
            found = anchors.get(event.anchor or "")
            if found is None or found.open:
                raise BrokenYaml("CK007", f"the alias *{event.anchor} names no finished value above it", _span(event))
            node = found
        else:
            node = _node(event)
            if event.anchor in anchors:
                raise BrokenYaml("CK007", f"the anchor &{event.anchor} stands here a second time", _span(event), "give it another name")
            if event.anchor:
                anchors[event.anchor] = node
        if not stack:
            root = node
        elif (parent := stack[-1]).items is not None:
            parent.items.append(node)
        elif waiting[-1] is None:
            waiting[-1] = node
        else:
            assert parent.pairs is not None
            parent.pairs.append((waiting[-1], node))
            waiting[-1] = None
        if isinstance(event, yaml.CollectionStartEvent):
            if len(stack) >= DEEPEST:
                raise BrokenYaml("CK006", f"nested deeper than {DEEPEST} levels", _span(event))
            stack.append(node)
            waiting.append(None)
    return root or _Node(Span(1, 1, 1, 1), open=False)


def _node(event: yaml.NodeEvent) -> _Node:
    span = _span(event)
    if isinstance(event, yaml.ScalarEvent):
        if event.tag not in _STR_TAGS:
            raise BrokenYaml("CK008", f"the tag {event.tag} is not allowed", span, "write plain text, numbers, true or false")
        if any("\ud800" <= character <= "\udfff" for character in event.value):
            raise BrokenYaml("CK003", "half a surrogate pair is no character", span)
        plain = event.style in (None, "") and event.tag is None
        return _Node(span, value=_scalar(event.value) if plain else event.value, open=False)
    tag = getattr(event, "tag", None)
    if tag is not None and tag != "!":
        raise BrokenYaml("CK008", f"the tag {tag} is not allowed", span)
    if isinstance(event, yaml.SequenceStartEvent):
        return _Node(span, items=[])
    return _Node(span, pairs=[])


def _scalar(text: str) -> object:
    """A plain scalar by the YAML 1.2 core schema, decimal numbers only: all else stays the text that stands there."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


@dataclass(slots=True)
class _Expansion:
    """Turns nodes into plain data: aliases are copied in, within a budget, so that a bomb can't go off later."""

    path: str
    lines: tuple[str, ...]
    values: dict[Pointer, Span]
    keys: dict[Pointer, Span]
    problems: list[Diagnostic]
    budget: int = MOST_NODES
    room: int = LARGEST_FILE
    twice: int = 0

    def plain(self, node: _Node, pointer: Pointer) -> object:
        self.budget -= 1
        self.room -= len(node.value) if isinstance(node.value, str) else 0
        if self.budget < 0 or len(pointer) > DEEPEST:
            raise BrokenYaml("CK006", f"with its aliases the file grows beyond {MOST_NODES:,} values", node.span)
        if self.room < 0:
            raise BrokenYaml("CK006", f"with its aliases the file grows beyond {LARGEST_FILE:,} characters", node.span)
        self.values[pointer] = node.span
        if node.items is not None:
            return [self.plain(item, (*pointer, index)) for index, item in enumerate(node.items)]
        if node.pairs is not None:
            return self._mapping(node.pairs, pointer)
        return node.value

    def closing(self) -> list[Diagnostic]:
        """A line for the duplicates that were not shown."""
        more = self.twice - MOST_SHOWN
        return [_problem("CK199", f"{more:,} more keys of this file stand in it twice", Place(self.path))] if more > 0 else []

    def _mapping(self, pairs: list[tuple[_Node, _Node]], pointer: Pointer) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in pairs:
            key = self._key(key_node)
            place = (*pointer, key)
            if key in result:
                self.twice += 1
                if self.twice <= MOST_SHOWN:
                    message = f"the key {key!r} stands here twice; first in line {self.keys[place].line}"
                    self.problems.append(_problem("CK009", message, place_in(self.path, self.lines, key_node.span)))
                continue
            self.keys[place] = key_node.span
            result[key] = self.plain(value_node, place)
        return result

    def _key(self, node: _Node) -> str:
        if node.items is not None or node.pairs is not None:
            hint = _hint(self.lines[node.span.line - 1]) if node.span.line <= len(self.lines) else ""
            raise BrokenYaml("CK003", "a key must be a word", node.span, hint)
        key = node.value if isinstance(node.value, str) else self._as_written(node)
        if key == "<<":
            raise BrokenYaml("CK007", "merge keys (<<) are not allowed", node.span, "write the values out")
        if len(key) > LONGEST_KEY:
            raise BrokenYaml("CK006", f"a key of {len(key):,} characters", node.span)
        if _HIDDEN.search(key):
            raise BrokenYaml("CK003", "an invisible character stands in this key", node.span)
        return key

    def _as_written(self, node: _Node) -> str:
        return written(self.lines, node.span) or "null"
