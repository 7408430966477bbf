"""The front child: everything that touches what authors wrote, in a process without token, network or state.

It speaks with the operator over one socket pair, opens no file of its own, and from the moment it begins to render can open
nothing at all. See docs/architecture.md for the order of the talk.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from campaignkit.audience.tables import BrokenTableError, Table
from campaignkit.compiler.columns import bind
from campaignkit.compiler.definitions import MailingDefinition, Rules, define
from campaignkit.compiler.images import OPTIMAL_SIDE, BadImageError, picture
from campaignkit.compiler.lists import list_chunk, list_end
from campaignkit.compiler.rows import RowLoop
from campaignkit.compiler.schedule import zone
from campaignkit.compiler.settings import read_project
from campaignkit.compiler.snapshots import Snapshot, pack
from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.front.audiences import OpenAudience, broken, can_go_on, going_on, place_in, stands_at, table_of
from campaignkit.front.campaigns import AudienceFields, CampaignFile, check_campaign, clashes, moves_at_odds, read_campaign
from campaignkit.front.files import HashedFile, read_all, unclosed
from campaignkit.front.jail import EndlessError, RowWatch, close_doors, fetch_codecs
from campaignkit.front.kept import keep
from campaignkit.front.mailings import mailing_begins, mailing_ends
from campaignkit.front.samples import outline
from campaignkit.front.suppressions import read_phones
from campaignkit.loading.events import LARGEST_FILE
from campaignkit.loading.nodes import Document, Pointer
from campaignkit.model.mailings import LIST
from campaignkit.protocol.codec import decode, encode
from campaignkit.protocol.frames import Channel, ChannelClosedError
from campaignkit.protocol.messages import (
    LARGEST_IMAGE,
    LARGEST_SNAPSHOT,
    Chunk,
    Done,
    FileHead,
    Index,
    Kind,
    Open,
    Progress,
    ProjectMessage,
    Refused,
    Select,
    Start,
)
from campaignkit.rendering.environment import preload as preload_templates

MOST_TOLD = 100
"""Problems of one file that are told one by one: a file built to have millions of them would drown the operator."""
NUMBER_PLANS = "phonenumbers.data"
"""A module for each country, needed for a phone that is not written as most are."""
CLOSING = frozenset({"CK199", "CK312", "CK399"})
"""Codes that sum up others, and are always told."""


class Child:
    """One talk with the operator, from its first word to `DONE`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._watch = RowWatch()
        self._document: Document | None = None
        self._told: Counter[str] = Counter()
        self._hidden: Counter[tuple[str, Severity]] = Counter()

    def serve(self) -> None:
        """Answer until the operator hangs up or everything was said."""
        kind, data = self._channel.receive()
        if kind != Kind.START:
            raise ChannelClosedError("START was due")
        decode(Start, data)
        project = self._read_project()
        files = self._read_campaigns()
        self._say(Kind.INDEX, Index(campaigns=tuple(file.head() for file in files)))
        try:
            kind, data = self._channel.receive()
        except ChannelClosedError:
            return  # the operator wanted the index only
        select = decode(Select, data)
        self._report([*clashes(files), *moves_at_odds(files)])
        chosen = [file for file in files if file.path in set(select.paths)]
        self._run(project, chosen, select)

    def _read_project(self) -> ProjectMessage:
        head, data = self._file()
        self._document, project, problems = read_project(head.path, data)
        self._report(problems)
        self._say(Kind.PROJECT, project)
        return project

    def _read_campaigns(self) -> list[CampaignFile]:
        files: list[CampaignFile] = []
        while True:
            kind, data = self._channel.receive()
            if kind == Kind.FILES_END:
                return files
            head = decode(FileHead, data)
            descriptor = self._channel.take_file()
            if descriptor is None:
                raise ChannelClosedError("a file was due")
            files.append(read_campaign(head.path, read_all(descriptor, LARGEST_FILE)))

    def _file(self) -> tuple[FileHead, bytes]:
        kind, data = self._channel.receive()
        descriptor = self._channel.take_file()
        if kind != Kind.FILE or descriptor is None:
            raise ChannelClosedError("a file was due")
        return decode(FileHead, data), read_all(descriptor, LARGEST_FILE)

    def _run(self, project: ProjectMessage, files: list[CampaignFile], select: Select) -> None:
        rules = self._rules(project, select.environment)
        for file in files:
            check_campaign(file)
            self._report(file.problems)
        opened = {(file.path, found.pointer): self._audience(file, found) for file in files for found in file.audiences()}
        snapshots = {(file.path, found.pointer): self._snapshot(file, found, select) for file in files for found in file.audiences()}
        images = {file.path: self._images(file) for file in files}
        suppressed, digest = self._suppressions(project)
        keep(NUMBER_PLANS)
        preload_templates()
        fetch_codecs(str(found.fields.get("encoding", "ascii")) for file in files for found in file.audiences())
        close_doors()
        self._watch.start()
        for mailing in self._define(files, rules, images):
            if mailing.method == LIST:
                self._list(mailing, select)
                continue
            found = opened.get((mailing.document.path, mailing.pointer))
            take = partial(snapshots.pop, (mailing.document.path, mailing.pointer), b"")
            if found is not None and not self._mailing(OpenAudience(mailing, *found), suppressed, rules, select, take):
                break  # each further mailing could take as long
        self._watch.stop()
        for (path, severity), number in self._hidden.items():
            self._report([Diagnostic(severity, "CK199", f"{number:,} more problems are in this file", Place(path))])
        self._say(Kind.DONE, Done(suppressions=digest, suppressed_phones=len(suppressed)))

    def _rules(self, project: ProjectMessage, environment: str) -> Rules:
        root: Any = self._document.root if self._document else {}
        provider = next((found.provider_timezone for found in project.environments if found.name == environment), "Europe/Minsk")
        for name in (project.timezone, provider):
            zone(name)  # reads its file now and keeps it: later none can be opened
        return Rules(
            timezone=project.timezone,
            provider_timezone=provider,
            senders=root.get("senders") or {},
            limits=root.get("limits") or {},
        )

    def _open(self, path: str, beside: str, place: Place, *, image: bool = False) -> tuple[str, HashedFile] | None:
        self._say(Kind.OPEN, Open(path=path, beside=beside, image=image))
        kind, data = self._channel.receive()
        if kind == Kind.OPENED and (descriptor := self._channel.take_file()) is not None:
            return decode(FileHead, data).path, HashedFile(descriptor)
        refused = decode(Refused, data)
        self._report([Diagnostic(Severity.ERROR, refused.code, refused.message, place, refused.hint)])
        return None

    def _audience(self, file: CampaignFile, found: AudienceFields) -> tuple[str, HashedFile | None] | None:
        name = found.fields.get("file")
        if name is None or file.document is None:
            return file.path, None
        return self._open(str(name), file.path, file.document.place((*found.pointer, "audience", "file")))

    def _snapshot(self, file: CampaignFile, found: AudienceFields, select: Select) -> bytes:
        """Where an earlier run over an audience stood, if the operator has kept that; nothing else may be opened later."""
        name = f"{file.campaign}/{file.document.get(*found.pointer, 'name') if file.document else ''}"
        if name not in select.resume:
            return b""
        self._say(Kind.RESUME, FileHead(path=name))
        kind, _ = self._channel.receive()
        descriptor = self._channel.take_file()
        return read_all(descriptor, LARGEST_SNAPSHOT) if kind == Kind.OPENED and descriptor is not None else b""

    def _images(self, file: CampaignFile) -> dict[Pointer, tuple[str, str]]:
        """Path and SHA-256 of each local picture that can be sent; whatever is wrong with the others is told."""
        found: dict[Pointer, tuple[str, str]] = {}
        for pointer, name in file.images():
            assert file.document is not None
            place = file.document.place((*pointer, "content", "image"))
            opened = self._open(name, file.path, place, image=True)
            if opened is None:
                continue
            path, stream = opened
            with contextlib.closing(stream):
                data = unclosed(stream).read(LARGEST_IMAGE + 1)
            try:
                seen = picture(data)
            except BadImageError as problem:
                self._report([Diagnostic(Severity.ERROR, "CK407", f"{path}: {problem}", place, _PICTURE_HINT)])
                continue
            if max(seen.width, seen.height) > OPTIMAL_SIDE:
                message = f"the picture has {seen.width} x {seen.height} pixels; the provider calls {OPTIMAL_SIDE} x {OPTIMAL_SIDE} optimal"
                self._report([Diagnostic(Severity.WARNING, "CK408", message, place, "it may be refused, or shown smaller")])
            found[pointer] = path, hashlib.sha256(data).hexdigest()
        return found

    def _list(self, mailing: MailingDefinition, select: Select) -> None:
        """A mailing to a list of the provider: one delivery, without any row."""
        if mailing.broken:
            return
        self._say(Kind.MAILING, mailing_begins(mailing))
        if not select.check:
            self._emit(list_chunk(mailing, elements=select.elements))
        self._say(Kind.MAILING_END, list_end(mailing, outline(mailing)))

    def _define(
        self, files: Iterable[CampaignFile], rules: Rules, images: Mapping[str, Mapping[Pointer, tuple[str, str]]]
    ) -> list[MailingDefinition]:
        definitions: list[MailingDefinition] = []
        for file in files:
            if file.document is not None and not file.closed:
                defined = define(file.document, file.faults, rules, self._watch.step, images[file.path])
                self._report(defined.problems)
                definitions += defined.mailings
        self._watch.pause()
        return definitions

    def _suppressions(self, project: ProjectMessage) -> tuple[set[int], str]:
        found: set[int] = set()
        digest = hashlib.sha256()
        for index, name in enumerate(project.suppress):
            place = self._document.place(("suppress", index)) if self._document else Place(name)
            opened = self._open(name, "", place)
            if opened is None:
                continue
            path, file = opened
            with contextlib.closing(file):
                self._report(read_phones(path, file, found))
                digest.update(file.digest().encode())
        return found, digest.hexdigest() if project.suppress else ""

    def _mailing(self, audience: OpenAudience, suppressed: set[int], rules: Rules, select: Select, take: Callable[[], bytes]) -> bool:
        """Work through one mailing; False if its templates don't come to an end."""
        mailing = audience.mailing
        place = mailing.document.place(mailing.pointer)
        loop: RowLoop | None = None
        try:
            table, resumed = going_on(audience, take())
            columns, problems = bind(mailing, table.columns, Place(audience.path, 1))
            self._report(problems)
            if columns is None or mailing.broken:
                return True
            self._say(Kind.MAILING, mailing_begins(mailing))
            if resumed is not None:
                self._say(Kind.RESUMED, FileHead(path=audience.path))
            make = partial(
                RowLoop,
                mailing=mailing,
                columns=columns,
                suppressed=suppressed,
                elements=select.elements,
                emit=(lambda _chunk: None) if select.check else self._emit,
                alive=lambda rows: self._say(Kind.PROGRESS, Progress(rows=rows)),
                place=place_in(audience),
                watch=self._watch,
                rules=rules,
            )
            freeze = partial(self._freeze, audience, table) if select.keep and can_go_on(audience) else None
            loop = make(resumed=resumed, freeze=freeze)
            if mailing.audience.get("on_conflict") == "skip":
                scout = make()
                scout.run(table.rows(), scan=True)
                loop.conflicts = scout.conflicts
                table = table_of(audience)
            loop.run(table.rows())
        except (BrokenTableError, EndlessError) as error:
            self._report(loop.problems.closing(place) if loop else [])
            if isinstance(error, BrokenTableError):
                self._report([broken(audience, error)])
                return True
            message = "rendering it takes too long, row after row; what comes after it was not checked"
            self._report([Diagnostic(Severity.ERROR, "CK208", message, place, "are there loops in its templates?")])
            return False
        finally:
            self._watch.pause()
        self._report(loop.closing(place))
        digest = audience.file.digest() if audience.file else ""
        self._check_bytes(mailing, digest)
        if loop.figures.rows == 0:
            self._report([Diagnostic(Severity.WARNING, "CK315", "the audience has no rows", place)])
        self._say(Kind.MAILING_END, mailing_ends(loop, digest))
        return True

    def _freeze(self, audience: OpenAudience, table: Table, snapshot: Snapshot) -> None:
        if stands_at(audience, table, snapshot.stand):
            for piece in pack(snapshot):
                self._send(Kind.SNAPSHOT, piece)

    def _check_bytes(self, mailing: MailingDefinition, digest: str) -> None:
        wanted = mailing.audience.get("sha256")
        if wanted is not None and digest and str(wanted).lower() != digest:
            place = mailing.document.place((*mailing.pointer, "audience", "sha256"))
            message = "the audience's bytes are not the reviewed ones"
            self._report([Diagnostic(Severity.ERROR, "CK306", message, place, f"its SHA-256 now is {digest}")])

    def _emit(self, chunk: Chunk) -> None:
        self._send(Kind.CHUNK, chunk.pack())

    def _say(self, kind: Kind, message: object) -> None:
        self._send(kind, encode(message))

    def _send(self, kind: Kind, payload: bytes) -> None:
        self._watch.pause()  # the operator may take its time: that is no template's fault
        self._channel.send(kind, payload)

    def _report(self, problems: Iterable[Diagnostic]) -> None:
        for problem in problems:
            self._told[problem.place.path] += 1
            if self._told[problem.place.path] > MOST_TOLD and problem.code not in CLOSING:
                self._hidden[problem.place.path, problem.severity] += 1
                continue
            self._say(Kind.DIAGNOSTIC, replace(problem, place=replace(problem.place, excerpt=problem.place.excerpt[:500])))


_PICTURE_HINT = f"save it as PNG or JPEG, at best of {OPTIMAL_SIDE} x {OPTIMAL_SIDE} pixels, or publish it and give its image_url"
