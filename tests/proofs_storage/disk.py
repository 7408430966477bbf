"""A disk that keeps its word and no more: what was not made durable may be there, missing, or torn, each for itself."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.proofs_storage.trace import Cut, Make, Move, Remove, Step, Sync, Write

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""

_FOLDER = -1


@dataclass(slots=True)
class _File:
    """What surely stands on the disk, and what was asked for since."""

    durable: bytes = b""
    pending: list[Write | Cut] = field(default_factory=list)


@dataclass(slots=True)
class Disk:
    """Follows the steps of a run. Names are pending until their folder was synced, contents until their file was."""

    files: list[_File] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    durable_names: dict[str, int] = field(default_factory=dict)
    pending_names: list[tuple[Make | Remove | Move, int]] = field(default_factory=list)

    def take(self, step: Step) -> None:
        """One more step; those of the wire change nothing."""
        match step:
            case Make():
                self._make(step)
            case Write() | Cut():
                self.files[self.names[step.path]].pending.append(step)
            case Sync():
                self._sync(step.path)
            case Remove() | Move():
                self._rename(step)
            case _:
                return

    @property
    def pending(self) -> int:
        """How many things may or may not be on the disk."""
        return len(self.pending_names) + sum(len(self.files[at].pending) for at in set(self._reachable()))

    def write(self, root: Path, chance: random.Random | None, keep: float = 1.0) -> None:
        """Make the files of one possible disk; without chance, the one on which everything arrived.

        Args:
            root: An empty folder.
            chance: Decides what arrived.
            keep: How probable it is that something did.
        """
        names = dict(self.durable_names)
        for step, at in self.pending_names:
            if chance is None or chance.random() < keep:
                _apply(names, step, at)
        for path, at in sorted(names.items()):
            place = root / path
            if not place.parent.is_dir():
                continue  # its folder did not arrive
            if at == _FOLDER:
                place.mkdir(mode=0o700)
            else:
                place.write_bytes(_content(self.files[at], chance, keep))
                place.chmod(0o600)

    def _make(self, step: Make) -> None:
        if step.path in self.names:
            return
        at = _FOLDER
        if not step.folder:
            at = len(self.files)
            self.files.append(_File())
        self.names[step.path] = at
        self.pending_names.append((step, at))

    def _rename(self, step: Remove | Move) -> None:
        at = self.names[step.path if isinstance(step, Remove) else step.old]
        _apply(self.names, step, at)
        self.pending_names.append((step, at))

    def _sync(self, path: str) -> None:
        at = _FOLDER if path == "." else self.names[path]
        if at != _FOLDER:
            file = self.files[at]
            file.durable, file.pending = _content(file, None, 1.0), []
            return
        left = []
        for step, which in self.pending_names:
            if str(Path(step.new if isinstance(step, Move) else step.path).parent) == path:
                _apply(self.durable_names, step, which)
            else:
                left.append((step, which))
        self.pending_names = left

    def _reachable(self) -> Sequence[int]:
        both = [*self.names.values(), *self.durable_names.values()]
        return [at for at in both if at != _FOLDER]


def _apply(names: dict[str, int], step: Make | Remove | Move, at: int) -> None:
    """One change of names; what it needs may not have arrived: then it did not either."""
    match step:
        case Make():
            names[step.path] = at
        case Remove():
            names.pop(step.path, None)
        case Move():
            names.pop(step.old, None)
            names[step.new] = at


def _content(file: _File, chance: random.Random | None, keep: float) -> bytes:
    content = bytearray(file.durable)
    for step in file.pending:
        fate = 0.0 if chance is None else chance.random()
        if fate < keep:
            _put(content, step, None)
        elif chance is not None and isinstance(step, Write) and chance.random() < 0.5:
            _put(content, step, chance)
    return bytes(content)


def _put(content: bytearray, step: Write | Cut, torn: random.Random | None) -> None:
    """Let a step arrive; torn, each of its sectors arrives for itself, while the file may have its new length already."""
    end = step.length if isinstance(step, Cut) else step.offset + len(step.data)
    if isinstance(step, Cut):
        del content[end:]
    if len(content) < end and (torn is None or torn.random() < 0.5):
        content.extend(bytes(end - len(content)))
    if isinstance(step, Cut):
        return
    at = step.offset
    while at < end:
        upto = min(end, at // SECTOR * SECTOR + SECTOR)
        if torn is None or torn.random() < 0.5:
            content.extend(bytes(max(0, upto - len(content))))
            content[at:upto] = step.data[at - step.offset : upto - step.offset]
        at = upto
