"""What a run asked of the disk and the wire, in order, out of strace's words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

OPTIONS = ("-f", "-y", "-xx", "-s", "10000000", "-e", "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,unlink,rename,mkdir,sendto")
_LINE = re.compile(r"^[0-9]+ +([a-z0-9_]+)\((.*)\) = ([0-9]+)(?:<.*)?$")
_NOTHING = re.compile(r" = -1 E|\) += \?$|--- SIG|\+\+\+ (exited|killed)|^$")
"""Lines of calls that failed or never returned, and of signals and ends."""
_BEGUN = re.compile(r"^([0-9]+) +(.*?) *<unfinished \.\.\.>$")
_RESUMED = re.compile(r"^([0-9]+) +<\.\.\. [a-z0-9_]+ resumed>(.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OPENED = re.compile(r"^[0-9]+<((?:\\x[0-9a-f]{2})*)(?:>|\()")
_PHONES = re.compile(rb'"delivery_list":(\[[^\]]*\])')
_PHONE = re.compile(rb"[&\n]phone=([0-9]+)")
_LISTS = {b"/sendViberMessageList": -1, b"/confirmViberMessage": 0}
"""Calls about a list: the person who stands for it, see `provider`."""


@dataclass(frozen=True, slots=True)
class Make:
    """A file (or a folder) got a name."""

    path: str
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes went to a place in a file."""

    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file was given a length."""

    path: str
    length: int


@dataclass(frozen=True, slots=True)
class Sync:
    """A file, or a folder's names, were made durable."""

    path: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A name went."""

    path: str


@dataclass(frozen=True, slots=True)
class Move:
    """A name replaced another."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Send:
    """The provider got bytes, of a message to these people; questions are none."""

    phones: frozenset[int]


@dataclass(frozen=True, slots=True)
class End:
    """A run came to its end; `mark` is the serial then kept apart from the state, 0 for none."""

    clean: bool
    mark: int


Step = Make | Write | Cut | Sync | Remove | Move | Send | End


class UnreadableError(RuntimeError):
    """A trace says something of which nobody knows whether it had an effect: a call that was under way in the moment of a kill."""


def read(out: Path, root: Path) -> Iterator[Step]:
    """The steps of a trace that concern files beneath `root` (their paths are given relative to it) or the wire.

    Raises:
        UnreadableError: A line cannot be understood; what it says would be missing from the proof.
    """
    places: dict[str, int] = {}
    for line in _whole(out.read_text(encoding="ascii").splitlines()):
        if found := _LINE.match(line):
            call, arguments, result = found[1], found[2], int(found[3])
            texts = [_bytes(text) for text in _TEXT.findall(arguments)]
            if call != "sendto":
                yield from _stored(call, arguments, texts, result, root, places)
            elif phones := _sent_to(texts[0]):
                yield Send(phones)
        elif not _NOTHING.search(line):
            raise UnreadableError(f"a line of the trace cannot be understood: {line[:200]}")


def _sent_to(data: bytes) -> frozenset[int]:
    """Whom a request messages; nobody if it only asks."""
    if found := _PHONES.search(data):
        return frozenset(map(int, json.loads(found[1])))
    if found := _PHONE.search(data):
        return frozenset({int(found[1])})
    return frozenset(stands for method, stands in _LISTS.items() if method in data.partition(b"\r\n")[0])


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Lines with the calls put together that strace told in two pieces, as it does when it looked at another process in between.

    They stand where they ended: from there on their effect is certain.
    """
    begun: dict[str, str] = {}
    for line in lines:
        if found := _BEGUN.match(line):
            begun[found[1]] = found[2]
        elif found := _RESUMED.match(line):
            yield f"{found[1]} {begun.pop(found[1])}{found[2]}"
        else:
            yield line
    yield from (f"{pid} {call} <unfinished ...>" for pid, call in begun.items())  # nobody knows whether these had an effect


def _stored(call: str, arguments: str, texts: list[bytes], result: int, root: Path, places: dict[str, int]) -> Iterator[Step]:
    opened = _OPENED.match(arguments)
    path = _beneath(root, _bytes(opened[1]) if opened else texts[0])
    if path is None:
        return
    last = arguments.rpartition(", ")[2]
    if call == "openat":
        places[path] = 0
        if "O_CREAT" in arguments:
            yield Make(path)
    elif call == "write":
        yield Write(path, places[path], texts[0][:result])
        places[path] += result
    elif call == "rename":
        yield Move(path, str(_beneath(root, texts[1])))
    else:
        steps: dict[str, Callable[[], Step]] = {
            "mkdir": lambda: Make(path, folder=True),
            "pwrite64": lambda: Write(path, int(last), texts[0][:result]),
            "ftruncate": lambda: Cut(path, int(last)),
            "fsync": lambda: Sync(path),
            "fdatasync": lambda: Sync(path),
            "unlink": lambda: Remove(path),
        }
        yield steps[call]()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _beneath(root: Path, path: bytes) -> str | None:
    try:
        return str(Path(path.decode()).relative_to(root))
    except ValueError:
        return None
