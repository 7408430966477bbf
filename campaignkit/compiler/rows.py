"""The hot loop: every row of one audience to its one fate, and those to be sent to packed columns.

Each row is counted once, in the order of the design: filtered, invalid, duplicate, suppressed, else live. Rows are worked through
in parts of a few hundred, column by column: what can be asked of all of them at once is asked once. Nothing is held but the part
and the chunk under way, and what is known of the phones seen (for duplicates).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import cast

from campaignkit.audience.phones import BadPhoneError, Odd, normals
from campaignkit.compiler.closing import closing_words
from campaignkit.compiler.columns import Columns
from campaignkit.compiler.content import clean_text, common_host, hosts_in, link_fault, link_host, text_fault, texts_are_fine
from campaignkit.compiler.definitions import MailingDefinition, Rules
from campaignkit.compiler.elements import Chunks
from campaignkit.compiler.fingerprints import fingerprints_of
from campaignkit.compiler.parts import Fault, Part, parts
from campaignkit.compiler.renders import TOGETHER_FROM, Watch, render_part
from campaignkit.compiler.seen import Seen
from campaignkit.compiler.snapshots import Snapshot, Stand
from campaignkit.compiler.tally import Figures, RowProblems, Tallies
from campaignkit.diagnostics import Diagnostic, Place
from campaignkit.model.phones import masked
from campaignkit.protocol.messages import Chunk
from campaignkit.rendering.messages import Renderer, RowError

_HEARTBEAT = 20_000


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
        resumed: Where an earlier run over the same beginning stood; the rows are those that come after.
        freeze: Takes where this run stands once it has seen all rows.
        together_from: As many rows of a part are rendered at once, fewer one by one.
    """

    mailing: MailingDefinition
    columns: Columns
    suppressed: AbstractSet[int]
    elements: bool
    emit: Callable[[Chunk], None]
    alive: Callable[[int], None]
    place: Callable[[int, int], Place]
    watch: Watch
    rules: Rules
    resumed: Snapshot | None = None
    freeze: Callable[[Snapshot], None] | None = None
    together_from: int = TOGETHER_FROM
    figures: Figures = field(default_factory=Figures)
    problems: RowProblems = field(init=False)
    conflicts: set[int] = field(default_factory=set)
    tallies: Tallies = field(default_factory=Tallies)

    def __post_init__(self) -> None:
        self.problems = RowProblems(skipping=self.mailing.audience.get("on_invalid") == "skip")
        if self.resumed is not None:
            stand = self.resumed.stand
            self.figures, self.problems, self.tallies = stand.figures, stand.problems, stand.tallies

    def run(self, rows: Iterator[tuple[int, Sequence[str]]], *, scan: bool = False) -> None:
        """Take every row. With `scan`, only the phones that stand with different contents are gathered, in `conflicts`."""
        mailing, columns = self.mailing, self.columns
        renderer = Renderer(list(mailing.each.values()), mailing.constants, columns.used)
        keep = Renderer([columns.where], mailing.constants, columns.asked) if columns.where else None
        print_all, seen = fingerprints_of(mailing), self.resumed.seen if self.resumed else Seen()
        same = print_all([mailing.once.get("text", "")], [mailing.once.get("button_link", "")])
        chunks = Chunks(self.emit, encode=self.elements, personal=self._personal, fields=tuple(mailing.each))
        try:
            for part in parts(rows, self.figures.rows + 1):
                before = self.figures.rows
                self.figures.rows += len(part.rows)
                if before // _HEARTBEAT != self.figures.rows // _HEARTBEAT:
                    self.alive(self.figures.rows)
                faults: list[Fault] = []
                try:
                    if keep is not None:
                        self._filter(part, keep, faults)
                    self._read_phones(part, faults)
                    if part.rows:
                        self._render(part, renderer, faults)
                    self.watch.pause()
                finally:  # rows that come to no end leave what was found before them
                    self.problems.take(faults, self.place)
                if part.rows:
                    part.digests = print_all(part.texts, part.links) if self._personal else same * len(part.rows)
                    self._leave_out_conflicts(part)
                    part.pick(seen.sift(part.phones, part.prints, part.rows, part.lines))
                    if not scan:
                        self._count_live(part)
                        chunks.take(part)
            if self.freeze is not None:
                self.freeze(Snapshot(Stand(figures=self.figures, problems=self.problems, tallies=self.tallies), seen))
        finally:
            # Also before a break of the file is told: what was seen up to there is part of the truth.
            self._settle(seen, scan=scan)
        chunks.finish()
        if not self._personal:
            self._count_bulk()

    @property
    def _personal(self) -> bool:
        return bool(self.mailing.each) or self.mailing.message_type == "personal"

    def _filter(self, part: Part, keep: Renderer, faults: list[Fault]) -> None:
        """Leave only the rows that `where` asks for."""
        before = len(faults)

        def failed(at: int, error: RowError) -> None:
            hint = "cells are text; compare numbers like: points | int > 0" if "not supported between" in str(error) else ""
            faults.append(part.fault(at, "CK207", f"where: {error}", hint))

        values = part.values(self.columns.asked, self.columns.at)
        [found] = render_part(keep, self.columns.asked, values, part.rows, self.watch, failed, together_from=self.together_from)
        self.figures.filtered += len(found) - found.count("1") - (len(faults) - before)
        part.keep([verdict == "1" for verdict in found])

    def _read_phones(self, part: Part, faults: list[Fault]) -> None:
        """The phone of each row; rows without one are left out."""
        column = self.columns.phone
        found = normals([cells[column] for cells in part.cells])
        bad = False
        for at, phone in enumerate(found):
            if type(phone) is int:
                continue
            if isinstance(phone, Odd):
                self.tallies.odd.seen(part.rows[at])
                found[at] = phone.phone
            else:
                bad = True
                faults.append(part.fault(at, "CK310", f"bad phone: {phone}"))
        part.phones = cast("list[int]", found)
        if bad:
            part.keep([not isinstance(phone, BadPhoneError) for phone in found])

    def _render(self, part: Part, renderer: Renderer, faults: list[Fault]) -> None:
        """The text and the link of each row; rows that can't have them are left out."""
        mailing, many = self.mailing, len(part.rows)
        part.texts, part.links = [mailing.once.get("text", "")] * many, [mailing.once.get("button_link", "")] * many
        if not mailing.each:
            return
        values = part.values(self.columns.used, self.columns.at)
        for row, cells in zip(part.rows, values, strict=True):
            if "" in cells:
                self.tallies.empty.seen(row)
        errors: set[int] = set()

        def failed(at: int, error: RowError) -> None:
            errors.add(at)
            faults.append(part.fault(at, "CK206", f"{masked(part.phones[at])}: the message can't be rendered: {error}"))

        columns = render_part(renderer, self.columns.used, values, part.rows, self.watch, failed, together_from=self.together_from)
        has_text = "text" in mailing.each
        if has_text:
            part.texts = columns[0]
        if "button_link" in mailing.each:
            part.links = columns[-1]
        if errors:
            part.keep([at not in errors for at in range(many)])
        if part.rows:
            self._vet(part, faults)

    def _vet(self, part: Part, faults: list[Fault]) -> None:
        """Leave out whom the provider would not take, or a person could not read."""
        bad = self._bad_texts(part) if "text" in self.mailing.each else {}
        if "button_link" in self.mailing.each and (host := common_host(part.links)) is None:
            bad = self._bad_links(part) | bad
        elif "button_link" in self.mailing.each:
            part.host = host
        if bad:
            faults += bad.values()
            part.keep([at not in bad for at in range(len(part.rows))])

    def _bad_texts(self, part: Part) -> dict[int, Fault]:
        if "\r" in "".join(part.texts):
            part.texts = list(map(clean_text, part.texts))
        if texts_are_fine(part.texts):
            return {}
        wrong = {at: fault for at, text in enumerate(part.texts) if (fault := text_fault(text))}
        return {at: part.fault(at, "CK403", f"{masked(part.phones[at])}: {fault}") for at, fault in wrong.items()}

    def _bad_links(self, part: Part) -> dict[int, Fault]:
        wrong = {at: fault for at, link in enumerate(part.links) if (fault := link_fault(link))}
        return {at: part.fault(at, "CK404", f"{masked(part.phones[at])}: button_link: {fault}") for at, fault in wrong.items()}

    def _leave_out_conflicts(self, part: Part) -> None:
        """`on_conflict: skip`: nobody is sent to who stands here with different contents."""
        if self.conflicts.isdisjoint(part.phones):
            return
        for row, phone in zip(part.rows, part.phones, strict=True):
            if phone in self.conflicts:
                self.problems.invalid += 1
                self.tallies.clashes.seen(row)
        part.keep([phone not in self.conflicts for phone in part.phones])

    def _settle(self, seen: Seen, *, scan: bool) -> None:
        """Say what the rows are whose phone an earlier row has."""
        policy = str(self.mailing.audience.get("on_conflict", "fail"))
        conflicts: list[Fault] = []
        for again in seen.again():
            if again.same:
                self.figures.duplicate += 1
            elif scan:
                self.conflicts.add(again.phone)
            elif policy == "first":
                self.figures.duplicate += 1
                self.tallies.clashes.seen(again.row)
            else:
                message = f"{masked(again.phone)} stands here with other content than in row {again.first_row}"
                hint = "one phone gets one message of a mailing; on_conflict: first or skip settles it"
                conflicts.append(Fault(again.row, again.line, "CK311", message, hint))
        if conflicts:
            self.problems.skipping = False
            self.problems.take(conflicts, self.place)

    def _count_live(self, part: Part) -> None:
        """The figures of who is to be sent to; the suppressed are left out."""
        figures = self.figures
        if self.suppressed and not self.suppressed.isdisjoint(part.phones):
            before = len(part.rows)
            part.keep([phone not in self.suppressed for phone in part.phones])
            figures.suppressed += before - len(part.rows)
        if not part.rows:
            return
        lengths = list(map(len, part.texts))
        shortest, longest = min(lengths), max(lengths)
        if not figures.live:
            figures.shortest = shortest
            figures.sample, figures.sample_link, figures.sample_phone = part.texts[0], part.links[0], part.phones[0]
        figures.live += len(part.rows)
        figures.characters += sum(lengths)
        figures.shortest, figures.longest = min(figures.shortest, shortest), max(figures.longest, longest)
        if self._personal:
            self._count_personal(part, lengths)

    def _count_personal(self, part: Part, lengths: list[int]) -> None:
        most = int(self.rules.limits.get("max_text", 1000))
        if max(lengths) > most:
            for row, length in zip(part.rows, lengths, strict=True):
                if length > most:
                    self.tallies.long.seen(row)
        link_to = self.figures.link_to
        if "button_link" in self.mailing.each:
            if part.host is not None:
                link_to([part.host], len(part.rows))
            else:
                link_to(link_host(link) or "" for link in part.links)
        if "http" in "".join(part.texts):
            for text in part.texts:
                link_to(hosts_in(text))

    def _count_bulk(self) -> None:
        text, link, live = self.mailing.once.get("text", ""), self.mailing.once.get("button_link", ""), self.figures.live
        if live:
            self.figures.link_to([*([link_host(link) or ""] if link else []), *hosts_in(text)], live)

    def closing(self, mailing_place: Place) -> list[Diagnostic]:
        """What is to be said about the rows, once all were seen."""
        return closing_words(self.mailing.audience, self.rules, self.figures, self.problems, self.tallies, mailing_place)
