"""The corpus as data: how a case is read from YAML, and how it spoils a project.

A case has an `id`, rows of the evidence it stands for (`of`), `why` where it needs a word, what it spoils, what is run, and
what must come of it. What is spoilt, in this order:

    remove: [PATH, ...]                  write: {PATH: CONTENT}
    replace: {PATH: {OLD: CONTENT}}      text: TEMPLATE as YAML source, in place of the message's
    content: the whole `content`         audience: the whole `audience`, as YAML source
    folder, fifo, socket: PATH           link: {PATH: where it points}
    mode: {PATH: "0644"}                 env: {NAME: value, or null}

CONTENT is text, or `{parts: [...], encoding: NAME}` whose parts are text, `{hex: BYTES}`, `{repeat: TEXT, times: N}` or
`{each: TEXT with {n}, times: N}`.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.acceptance.bench import Bench, Reply

FOLDER = Path(__file__).parent
CAMPAIGN, PEOPLE = "campaigns/spring.yaml", "campaigns/people.csv"
_TEXT = '"Hello {{ first_name }} at {{ shop_url }}"'
_CONTENT = "{type: text, text: " + _TEXT + "}"
_AUDIENCE = "{file: people.csv}"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One diagnostic that must be shown; `at` is `path:line:column`, or a beginning of it that ends in a colon."""

    code: str
    at: str
    says: str = ""
    severity: str = "error"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must come of a case. Every problem is listed (or their number stands in `shown`): one more is as wrong as one less."""

    exit: int
    problems: tuple[Problem, ...] = ()
    shown: int = 0
    says: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    last: str = ""
    requests: int = 0
    summary: dict[str, int] = field(default_factory=dict)
    phones: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """One bad input."""

    id: str
    area: str
    run: str
    expect: Expected
    of: tuple[str, ...] = ()
    why: str = ""
    spoil: dict[str, Any] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    answers: tuple[Reply, ...] = ()
    statuses: tuple[Any, ...] = ()


def corpus() -> list[Case]:
    """Every case of every area.

    Raises:
        TypeError: A case has a field that there is none of.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.load(path.read_text("utf-8"), Loader=loader)
        common = document.get("common", {})
        found += [_case(path.stem, common | fields) for fields in document["cases"]]
    return found


def _case(area: str, fields: dict[str, Any]) -> Case:
    expect = dict(fields["expect"])
    problem = {name: expect.pop(name) for name in ("code", "at", "severity") if name in expect}
    said = _several(expect.pop("says", ()))
    problems = [Problem(**one) for one in expect.pop("problems", ())]
    if problem:
        problems.append(Problem(**problem, says=said[0] if said else ""))
    answers = tuple(Reply(**_headers(one)) for one in fields.get("answers", ()))
    made = {
        "expect": Expected(**expect | {"problems": tuple(problems), "says": said, "silent": _several(expect.get("silent", ()))}),
        "of": _several(fields.get("of", ())),
        "before": _several(fields.get("before", ())),
        "answers": answers,
        "statuses": tuple(fields.get("statuses", ())),
    }
    return Case(**{"run": "apply --auto-approve"} | fields | made, area=area)


def _several(value: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _headers(reply: dict[str, Any]) -> dict[str, Any]:
    made = dict(reply)
    if "headers" in made:
        made["headers"] = tuple(_several_headers(made["headers"]))
    if isinstance(made.get("body"), dict):
        made["body"] = content(made["body"]).decode()
    return made


def _several_headers(written: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "each" in written:
        yield from ((written["each"].replace("{n}", str(n)), "x") for n in range(written["times"]))
        return
    for name, value in written.items():
        yield name, value if isinstance(value, str) else _part(value, "ascii").decode()


def content(written: str | dict[str, Any]) -> bytes:
    """The bytes that CONTENT stands for."""
    if isinstance(written, str):
        return written.encode()
    encoding = written.get("encoding", "utf-8")
    return b"".join(_part(part, encoding) for part in written["parts"])


def _part(part: str | dict[str, Any], encoding: str) -> bytes:
    if isinstance(part, str):
        return part.encode(encoding)
    if "hex" in part:
        return bytes.fromhex(part["hex"])
    if "repeat" in part:
        repeated: str = part["repeat"]
        return repeated.encode(encoding) * int(part["times"])
    return "".join(part["each"].replace("{n}", str(n)) for n in range(int(part["times"]))).encode(encoding)


def spoil(bench: Bench, what: dict[str, Any]) -> None:
    """Do to a project what a case says."""
    left = dict(what)
    for path in left.pop("remove", ()):
        _gone(bench.root / path)
    for path, written in left.pop("write", {}).items():
        target = bench.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content(written))
    replaced = {path: dict(pairs) for path, pairs in left.pop("replace", {}).items()}
    for name, old in (("text", _TEXT), ("content", _CONTENT), ("audience", _AUDIENCE)):
        if name in left:
            replaced.setdefault(CAMPAIGN, {})[old] = left.pop(name)
    for path, pairs in replaced.items():
        for old, new in pairs.items():
            _replace(bench.root / path, old, content(new))
    _special(bench, left)
    for name, value in left.pop("env", {}).items():
        if value is None:
            bench.env.pop(name)
        else:
            bench.env[name] = str(value)
    assert not left, f"no such way to spoil a project: {sorted(left)}"


def _special(bench: Bench, left: dict[str, Any]) -> None:
    makers: dict[str, Callable[[Path], object]] = {"folder": Path.mkdir, "fifo": os.mkfifo, "socket": _socket}
    for name, make in makers.items():
        if name in left:
            path = bench.root / left.pop(name)
            _gone(path)
            make(path)
    for path, target in left.pop("link", {}).items():
        _gone(bench.root / path)
        (bench.root / path).symlink_to(target)
    for path, mode in left.pop("mode", {}).items():
        (bench.root / path).chmod(int(mode, 8))


def _gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def _replace(path: Path, old: str, new: bytes) -> None:
    data = path.read_bytes()
    assert old.encode() in data, f"{old!r} does not stand in {path.name}"
    path.write_bytes(data.replace(old.encode(), new, 1))
