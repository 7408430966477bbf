"""The hot loop: every row of one audience to its one fate, and those to be sent to packed columns.

Each row is counted once, in the order of the design: filtered, invalid, duplicate, suppressed, else live. Nothing is held
but the phones seen (for duplicates) and the chunk under way.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Protocol

from campaignkit.audience.phones import BadPhoneError, Odd, normal
from campaignkit.compiler.columns import Columns
from campaignkit.compiler.content import clean_text, hosts_in, link_fault, link_host, text_fault
from campaignkit.compiler.definitions import MailingDefinition, Rules
from campaignkit.compiler.fingerprints import fingerprint_of
from campaignkit.compiler.seen import Seen
from campaignkit.compiler.tally import Occurrences, RowProblems
from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.model.phones import masked
from campaignkit.protocol.messages import CHUNK_ROWS, Chunk
from campaignkit.rendering.messages import Renderer, RowError

_LARGEST_CHUNK = 4 * 1024 * 1024
_HEARTBEAT = 20_000


class Watch(Protocol):
    """Told which row is under way, so that a template that hangs is noticed."""

    row: int


@dataclass(slots=True)
class Figures:
    """What a mailing's rows came to."""

    rows: int = 0
    filtered: int = 0
    duplicate: int = 0
    suppressed: int = 0
    live: int = 0
    shortest: int = 0
    longest: int = 0
    characters: int = 0
    hosts: Counter[str] = field(default_factory=Counter)
    sample: tuple[str, str, int] = ("", "", 0)


@dataclass(slots=True, kw_only=True)
class RowLoop:
    """One mailing over one audience.

    Args:
        mailing: What is sent.
        columns: Where its names stand.
        suppressed: Phones never to message.
        elements: Whether delivery elements are encoded, beside fingerprints.
        emit: Takes each full chunk.
        alive: Told now and then how many rows were read.
        place: The place of a row, by line and number.
        watch: Told each row before it is rendered.
        rules: Limits of the project.
    """

    mailing: MailingDefinition
    columns: Columns
    suppressed: Container[int]
    elements: bool
    emit: Callable[[Chunk], None]
    alive: Callable[[int], None]
    place: Callable[[int, int], Place]
    watch: Watch
    rules: Rules
    figures: Figures = field(default_factory=Figures)
    problems: RowProblems = field(init=False)
    conflicts: set[int] = field(default_factory=set)
    _odd: Occurrences = field(default_factory=Occurrences)
    _empty: Occurrences = field(default_factory=Occurrences)
    _long: Occurrences = field(default_factory=Occurrences)
    _clashes: Occurrences = field(default_factory=Occurrences)

    def __post_init__(self) -> None:
        self.problems = RowProblems(skipping=self.mailing.audience.get("on_invalid") == "skip")

    def run(self, rows: Iterator[tuple[int, Sequence[str]]], *, scan: bool = False) -> None:  # noqa: C901, PLR0912, PLR0915 - the hot loop: a call a row is what it saves
        """Take every row. With `scan`, only the phones that stand with different contents are gathered, in `conflicts`."""
        mailing, columns, figures, watch = self.mailing, self.columns, self.figures, self.watch
        renderer = Renderer(list(mailing.each.values()), mailing.constants)
        keep = Renderer([columns.where], mailing.constants) if columns.where else None
        pairs = [(name, columns.at[name]) for name in columns.used]
        asked = [(name, columns.at[name]) for name in columns.asked]
        has_text, has_link = "text" in mailing.each, "button_link" in mailing.each
        personal = bool(mailing.each) or mailing.message_type == "personal"
        text, link = mailing.once.get("text", ""), mailing.once.get("button_link", "")
        fingerprint = fingerprint_of(mailing)
        same = b"" if personal else fingerprint(text.encode(), link.encode())
        phone_at, policy = columns.phone, str(mailing.audience.get("on_conflict", "fail"))
        seen = Seen()
        slots, named = seen.slots, seen.phones
        size_of = len(slots)
        prints, first_rows = array("Q"), array("I")
        most = int(self.rules.limits.get("max_text", 1000))
        phones, digests, widths, parts, size = array("q"), [], array("I"), [], 0
        for line, cells in rows:
            figures.rows += 1
            row = figures.rows
            if row % _HEARTBEAT == 0:
                self.alive(row)
            watch.row = row
            if keep is not None:
                keep.set({name: cells[index] for name, index in asked})
                try:
                    if keep.render()[0] != "1":
                        figures.filtered += 1
                        continue
                except RowError as error:
                    hint = "cells are text; compare numbers like: points | int > 0" if "not supported between" in str(error) else ""
                    self.problems.bad("CK207", f"where: {error}", self.place(line, row), hint)
                    continue
            try:
                found = normal(cells[phone_at])
            except BadPhoneError as error:
                self.problems.bad("CK310", f"bad phone: {error}", self.place(line, row))
                continue
            phone = found if type(found) is int else self._take_odd(found, row)
            if personal:
                values = {name: cells[index] for name, index in pairs}
                if "" in values.values():
                    self._empty.seen(row)
                renderer.set(values)
                try:
                    texts = renderer.render()
                except RowError as error:
                    self.problems.bad("CK206", f"{masked(phone)}: the message can't be rendered: {error}", self.place(line, row))
                    continue
                if has_text:
                    text = clean_text(texts[0])
                    if fault := text_fault(text):
                        self.problems.bad("CK403", f"{masked(phone)}: {fault}", self.place(line, row))
                        continue
                if has_link:
                    link = texts[-1]
                    if (host := link_host(link)) is None or len(link) > 150:
                        self.problems.bad("CK404", f"{masked(phone)}: button_link: {link_fault(link)}", self.place(line, row))
                        continue
                digest = fingerprint(text.encode(), link.encode())
            else:
                digest = same
            number = int.from_bytes(digest[:8], "little")
            if phone in self.conflicts:
                self.problems.invalid += 1
                self._clashes.seen(row)
                continue
            slot = phone % size_of
            while (earlier := slots[slot]) and named[earlier - 1] != phone:
                slot = slot + 1 if slot + 1 < size_of else 0
            if earlier:
                earlier -= 1
                if prints[earlier] == number:
                    figures.duplicate += 1
                elif scan:
                    self.conflicts.add(phone)
                elif policy == "first":
                    figures.duplicate += 1
                    self._clashes.seen(row)
                else:
                    message = f"{masked(phone)} stands here with other content than in row {first_rows[earlier]}"
                    hint = "one phone gets one message of a mailing; on_conflict: first or skip settles it"
                    self.problems.skipping = False
                    self.problems.bad("CK311", message, self.place(line, row), hint)
                continue
            seen.add(phone, slot)
            if slots is not seen.slots:
                slots = seen.slots
                size_of = len(slots)
            prints.append(number)
            first_rows.append(row)
            if scan:
                continue
            if phone in self.suppressed:
                figures.suppressed += 1
                continue
            figures.live += 1
            length = len(text)
            figures.characters += length
            figures.longest = max(figures.longest, length)
            if length < figures.shortest or figures.live == 1:
                figures.shortest = length
            if figures.live == 1:
                figures.sample = (text, link, phone)
            if personal:
                if length > most:
                    self._long.seen(row)
                if has_link:
                    figures.hosts[host or ""] += 1
                if "http" in text:
                    figures.hosts.update(hosts_in(text))
            phones.append(phone)
            digests.append(digest)
            if self.elements:
                if not personal:
                    element = f'"{phone}"'
                elif has_link:
                    head = f'"text":{encode_basestring(text)},' if has_text else ""
                    element = f'{{"phone":"{phone}",{head}"button_link":{encode_basestring(link)}}}'
                elif has_text:
                    element = f'{{"phone":"{phone}","text":{encode_basestring(text)}}}'
                else:
                    element = f'{{"phone":"{phone}"}}'
                encoded = element.encode()
                widths.append(len(encoded))
                parts.append(encoded)
                size += len(encoded)
            if len(phones) == CHUNK_ROWS or size > _LARGEST_CHUNK:
                self.emit(Chunk(phones, b"".join(digests), widths, b"".join(parts)))
                phones, digests, widths, parts, size = array("q"), [], array("I"), [], 0
        if phones:
            self.emit(Chunk(phones, b"".join(digests), widths, b"".join(parts)))
        if not personal:
            self._count_bulk(text, link)

    def _take_odd(self, found: int | Odd, row: int) -> int:
        assert isinstance(found, Odd)
        self._odd.seen(row)
        return found.phone

    def _count_bulk(self, text: str, link: str) -> None:
        live = self.figures.live
        if link and live:
            self.figures.hosts[link_host(link) or ""] += live
        for host in hosts_in(text) if live else ():
            self.figures.hosts[host] += live

    def closing(self, mailing_place: Place) -> list[Diagnostic]:
        """What is to be said about the rows, once all were seen."""
        found = self.problems.closing(mailing_place)
        audience = self.mailing.audience
        if self.problems.skipping and self._too_many_invalid():
            allowed = audience.get("max_invalid", "5%")
            message = f"{self.problems.invalid:,} of {self.figures.rows:,} rows are invalid; max_invalid allows {allowed}"
            found.append(Diagnostic(Severity.ERROR, "CK312", message, mailing_place, "is the right file, column and delimiter named?"))
        if self._empty.count:
            severity = Severity.ERROR if audience.get("on_empty") == "fail" else Severity.WARNING
            message = f"{self._count(self._empty)} an empty cell in a column that the message uses: {self._empty.where()}"
            found.append(Diagnostic(severity, "CK313", message, mailing_place, "{{ name | default('…', true) }} fills it"))
        if self._odd.count:
            message = f"{self._count(self._odd)} a phone in no known mobile range: {self._odd.where()}"
            found.append(Diagnostic(Severity.WARNING, "CK314", message, mailing_place, "it will be sent; the provider may not reach it"))
        severity_of_long = self.rules.severity("text")
        if self._long.count and severity_of_long:
            most = int(self.rules.limits.get("max_text", 1000))
            message = (
                f"{self._count(self._long)} a text of more than {most} characters (up to {self.figures.longest}): {self._long.where()}"
            )
            found.append(Diagnostic(severity_of_long, "CK402", message, mailing_place, "such texts may be cut or refused"))
        if self._clashes.count:
            kept = "the first is kept" if audience.get("on_conflict") == "first" else "nobody of them is sent to"
            message = f"{self._count(self._clashes)} a phone that stands elsewhere with other content ({kept}): {self._clashes.where()}"
            found.append(Diagnostic(Severity.WARNING, "CK311", message, mailing_place))
        return found

    @staticmethod
    def _count(what: Occurrences) -> str:
        return f"{what.count:,} {'row has' if what.count == 1 else 'rows have'}"

    def _too_many_invalid(self) -> bool:
        limit = str(self.mailing.audience.get("max_invalid", "5%"))
        allowed = float(limit[:-1]) / 100 * self.figures.rows if limit.endswith("%") else float(limit)
        return self.problems.invalid > allowed
