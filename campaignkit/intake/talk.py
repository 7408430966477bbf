"""The operator's end of the talk with the front child: start it, hand it files, take back what it may say.

Nothing an author wrote is parsed on this side. What the child sends is held to its types and bounds; if it dies, hangs or
breaks the rules, that is a diagnostic, and nothing is sent.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from campaignkit import __version__
from campaignkit.diagnostics import Diagnostic, Place, Severity, has_errors
from campaignkit.errors import DefinitionError
from campaignkit.intake.files import OpenRefusedError, campaign_files, open_beneath, parts_inside
from campaignkit.intake.launch import Launched
from campaignkit.intake.mailings import mailing_of
from campaignkit.intake.settings import project as typed_project
from campaignkit.intake.shelf import Shelf, sha256_of
from campaignkit.model.mailings import BULK, LIST, LIST_PHONE, QUICK, Mailing, MailingKey
from campaignkit.model.settings import Project
from campaignkit.protocol.codec import MessageError, decode, encode
from campaignkit.protocol.frames import Channel, ChannelClosedError
from campaignkit.protocol.messages import (
    LARGEST_IMAGE,
    Chunk,
    Done,
    FileHead,
    Index,
    Kind,
    MailingEnd,
    MailingMessage,
    Open,
    Progress,
    ProjectMessage,
    Refused,
    Select,
    Start,
)

PROJECT_FILE = "campaignkit.yaml"
_PIECE = 1 << 20
SILENCE = 120.0
"""Seconds without a word after which the child counts as hung; it reports at least every few thousand rows."""


class _ChangedError(Exception):
    """A file is no longer what was checked."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The mailing goes on from where an earlier run stood: what follows is about the rows after that."""


class Snapshots(Protocol):
    """Keeps where runs over audiences stood, for the child."""

    @property
    def names(self) -> tuple[str, ...]:
        """The mailings (campaign/name) of which there are some."""
        ...

    def open(self, name: str) -> int | None:
        """A descriptor of the bytes of one, as they were taken; None if they are not there any more."""
        ...

    def take(self, mailing: MailingKey, piece: bytes) -> None:
        """A piece of what is to be kept of a mailing."""
        ...


Word = Mailing | Chunk | MailingEnd | Done | Resumed
T = TypeVar("T")


class Front:
    """One front child. Use as a context manager; it never outlives the block.

    Args:
        root: The project's folder.
        audiences: Further folder for audience files (`CAMPAIGNKIT_AUDIENCES`), or None.
        told: Hears now and then how many rows were read, of all mailings; 0 once there will be no more.
        child: The process, where it was launched before; from here on it is this one's to end.
    """

    def __init__(
        self,
        root: Path,
        *,
        audiences: Path | None = None,
        told: Callable[[int], None] = lambda _rows: None,
        child: Launched | None = None,
    ) -> None:
        self._root = root
        self._told = told
        self.shelf = Shelf(root, audiences)
        self.diagnostics: list[Diagnostic] = []
        self._images: dict[str, bytes] = {}
        self.hashes: dict[str, str] = {}
        """SHA-256 of the project file and of each campaign file, as they were handed over."""
        self.asked_for: list[Open] = []
        """The further files that the child asked for and got."""
        self.snapshots: Snapshots | None = None
        """Where earlier runs stood; None to begin with the first row always, and to keep nothing."""
        self._handed: set[str] = set()
        self._last = Place(PROJECT_FILE)
        self._child = child or Launched()
        self._channel = Channel(self._child.end, timeout=SILENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._channel.close()
        self._child.stop()

    def project(self) -> Project:
        """The project file.

        Raises:
            DefinitionError: There is none, or it is invalid.
        """
        try:
            file = open_beneath(self._root, (PROJECT_FILE,))
        except OpenRefusedError as refused:
            hint = "make a project here: campaignkit init" if "no file" in refused.message else refused.hint
            problem = Diagnostic(Severity.ERROR, refused.code, refused.message, Place(PROJECT_FILE), hint)
            raise DefinitionError([problem], next_command="campaignkit init") from None
        self._say(Kind.START, Start(version=__version__))
        self.hashes[PROJECT_FILE] = sha256_of(file)
        self._hand_over(Kind.FILE, PROJECT_FILE, file)
        self._message = self._await(Kind.PROJECT, ProjectMessage)
        if not self._message.valid:
            raise DefinitionError(self.diagnostics)
        return typed_project(self._message)

    def index(self) -> Index:
        """All campaign files: ids, lifecycles, mailings, lines. Broken files are in it, without an id.

        Raises:
            DefinitionError: The folder of campaigns can't be read.
        """
        try:
            files = campaign_files(self._root, parts_inside(self._message.campaigns))
        except OpenRefusedError as refused:
            raise DefinitionError(
                [
                    *self.diagnostics,
                    Diagnostic(Severity.ERROR, refused.code, refused.message, Place(PROJECT_FILE), refused.hint),
                ]
            ) from None
        for parts in files:
            path = "/".join(parts)
            if not path.isascii() and path != (spelt := path.encode(errors="backslashreplace").decode()):
                self._add(Diagnostic(Severity.ERROR, "CK300", "the file's name is not UTF-8", Place(spelt), "rename it"))
                continue
            try:
                file = open_beneath(self._root, parts)
            except OpenRefusedError as refused:
                self._add(Diagnostic(Severity.ERROR, refused.code, refused.message, Place("/".join(parts)), refused.hint))
                continue
            self.hashes["/".join(parts)] = sha256_of(file)
            self._hand_over(Kind.FILE, "/".join(parts), file)
        self._say(Kind.FILES_END, FileHead(path=""))
        return self._await(Kind.INDEX, Index)

    def run(self, paths: Sequence[str], *, environment: str, check: bool = False, elements: bool = False) -> Iterator[Word]:
        """Work through the selected files: each mailing, its chunks, its end; at last `Done`.

        Diagnostics gather in `diagnostics`. If the child breaks down there is one more error among them, and no `Done`.
        """
        kept = self.snapshots
        select = Select(
            paths=tuple(paths), environment=environment, check=check, elements=elements,
            keep=kept is not None, resume=kept.names if kept is not None else (),
        )  # fmt: skip
        self._say(Kind.SELECT, select)
        try:
            yield from self._heard()
        finally:
            self._told(0)

    def _heard(self) -> Iterator[Word]:
        mailing: Mailing | None = None
        rows = 0
        while True:
            try:
                kind, data = self._channel.receive()
                if kind == Kind.CHUNK:
                    yield _chunk(data, mailing.method if mailing else "")
                elif kind == Kind.MAILING:
                    mailing = self._mailing(decode(MailingMessage, data))
                    yield mailing
                elif kind == Kind.RESUMED:
                    yield self._resumed(mailing)
                elif kind == Kind.MAILING_END:
                    end = decode(MailingEnd, data)
                    rows += end.rows
                    yield end
                elif kind == Kind.PROGRESS:
                    self._told(rows + decode(Progress, data).rows)
                elif not self._answered(kind, data, mailing):
                    yield decode(Done, data)
                    return
            except _ChangedError as error:
                self._add(Diagnostic(Severity.ERROR, "CK306", str(error), self._last, "run the command again once it is complete"))
                return
            except (ChannelClosedError, MessageError, ValueError) as error:
                self._broke_down(error)
                return

    def _answered(self, kind: int, data: bytes, mailing: Mailing | None) -> bool:
        """Do what the child asks for beside its work; False if it is no such thing."""
        if kind == Kind.DIAGNOSTIC:
            self._diagnose(data)
        elif kind == Kind.OPEN:
            self._open(decode(Open, data))
        elif kind == Kind.RESUME:
            self._hand_snapshot(decode(FileHead, data).path)
        elif kind == Kind.SNAPSHOT and self.snapshots is not None and mailing is not None:
            self.snapshots.take(mailing.key, data)
        else:
            return False
        return True

    def _open(self, wanted: Open) -> None:
        try:
            path, file = self.shelf.find(wanted)
        except OpenRefusedError as refused:
            self._say(Kind.REFUSED, Refused(code=refused.code, message=refused.message, hint=refused.hint))
            return
        if wanted.image:
            # By position: the child reads from the same open file.
            self._images[path] = os.pread(file, LARGEST_IMAGE + 1, 0)
        self.asked_for.append(wanted)
        self._hand_over(Kind.OPENED, path, file)

    def _resumed(self, mailing: Mailing | None) -> Resumed:
        """That a mailing goes on; ValueError if the child was not handed where from."""
        if mailing is None or str(mailing.key) not in self._handed:
            raise ValueError("a mailing goes on from where no run stood")
        self._handed.remove(str(mailing.key))
        return Resumed()

    def _hand_snapshot(self, name: str) -> None:
        """Where an earlier run stood, if that is still known: else the child begins with the first row."""
        kept = self.snapshots.open(name) if self.snapshots is not None and name in self.snapshots.names else None
        if kept is None:
            self._say(Kind.REFUSED, Refused(code="", message="", hint=""))
        else:
            self._handed.add(name)
            self._hand_over(Kind.OPENED, name, kept)

    def _mailing(self, message: MailingMessage) -> Mailing:
        """The mailing, with the bytes of its picture: those that the operator read, if they are the ones the child checked.

        Raises:
            MessageError: It is sent by no method that there is.
            _ChangedError: They are others.
        """
        self._last = Place(message.path, message.line)
        if message.method not in {BULK, QUICK, LIST}:
            raise MessageError("a mailing of an unknown method")
        image = self._images.get(message.image_path, b"") if message.image_path else b""
        if message.image_path and hashlib.sha256(image).hexdigest() != message.image_sha256:
            raise _ChangedError(f"{message.image_path} changed while it was read")
        return replace(mailing_of(message), image=image, image_name=message.image_path.rpartition("/")[2])

    def _hand_over(self, kind: Kind, path: str, file: int) -> None:
        try:
            self._channel.send(kind, encode(FileHead(path=path)), file=file)
        except ChannelClosedError as error:
            self._broke_down(error)
            raise DefinitionError(self.diagnostics) from None
        finally:
            os.close(file)

    def _say(self, kind: Kind, message: object) -> None:
        try:
            self._channel.send(kind, encode(message))
        except ChannelClosedError as error:
            self._broke_down(error)
            raise DefinitionError(self.diagnostics) from None

    def _await(self, wanted: Kind, shape: type[T]) -> T:
        try:
            while True:
                kind, data = self._channel.receive()
                if kind == wanted:
                    return decode(shape, data)
                self._diagnose(data if kind == Kind.DIAGNOSTIC else b"")  # anything else is no diagnostic, and refused as none
        except (ChannelClosedError, MessageError, ValueError) as error:
            self._broke_down(error)
            raise DefinitionError(self.diagnostics) from None

    def _diagnose(self, data: bytes) -> None:
        self._add(decode(Diagnostic, data))

    def _add(self, problem: Diagnostic) -> None:
        if len(self.diagnostics) < 10_000:
            self.diagnostics.append(problem)

    def _broke_down(self, error: Exception) -> None:
        if any(problem.code == "CK000" for problem in self.diagnostics):
            return
        message = f"the process that reads the project's files broke down ({error})"
        hint = "a file may be built to exhaust it; nothing was sent"
        self.diagnostics.append(Diagnostic(Severity.ERROR, "CK000", message, self._last, hint))

    @property
    def failed(self) -> bool:
        """Whether something found so far forbids sending."""
        return has_errors(self.diagnostics)


def _chunk(data: bytes, method: str) -> Chunk:
    """A chunk of a mailing of this method: the phone that stands for a list is that of a list mailing, and there the only one.

    Raises:
        ValueError: It is not so, or its columns don't agree.
    """
    chunk = Chunk.unpack(data)
    if (list(chunk.phones[:2]) == [LIST_PHONE]) != (method == LIST):
        raise ValueError("a chunk does not fit the method of its mailing")
    return chunk
