"""What several tests of this room build: campaigns from text, row loops over lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from campaignkit.compiler.columns import bind
from campaignkit.compiler.definitions import Definitions, MailingDefinition, Rules, define
from campaignkit.compiler.rows import RowLoop
from campaignkit.compiler.snapshots import Snapshot
from campaignkit.diagnostics import Diagnostic, Place
from campaignkit.loading.events import load
from campaignkit.loading.nodes import Pointer
from campaignkit.protocol.messages import Chunk
from campaignkit.validation.checker import check, shown
from campaignkit.validation.schemas import CAMPAIGN

FIRST: Pointer = ("mailings", 0)
PICTURE = {FIRST: ("campaigns/a.png", "ab" * 32)}
SENDERS: dict[str, Any] = {
    "shop": {"alphaname_id": 444},
    "other": {"alphaname_id": "555"},
    "idless": {"vibername_id": 1},
    "both": {"alphaname_id": 7, "vibername_id": "12"},
}


def rules(**limits: object) -> Rules:
    return Rules(timezone="Europe/Minsk", provider_timezone="Europe/Minsk", senders=SENDERS, limits=limits)


def defined(text: str, images: Mapping[Pointer, tuple[str, str]] | None = None, /, **limits: object) -> Definitions:
    document, problems = load("campaigns/a.yaml", text.encode())
    assert document is not None, problems
    found = define(document, check(document, CAMPAIGN), rules(**limits), images=images or {})
    found.problems[:0] = shown(check(document, CAMPAIGN))
    return found


def campaign(content: str, *, kind: str = "personal", audience: str = "{file: a.csv}", head: str = "sender: shop") -> str:
    return (
        f"campaign: spring\n{head}\nmailings:\n  - name: one\n    message_type: {kind}\n    audience: {audience}\n    content: {content}\n"
    )


def mailing(content: str, *, kind: str = "personal", audience: str = "{file: a.csv}", head: str = "sender: shop") -> MailingDefinition:
    found = defined(campaign(content, kind=kind, audience=audience, head=head))
    assert [problem for problem in found.problems if problem.severity == "error"] == []
    return found.mailings[0]


def quick(content: str = '{type: text, text: "Hi"}', more: str = "", head: str = "vibername_id: 12") -> str:
    """A campaign of one quick mailing: its content stands in line 7, `more` from line 8."""
    return (
        f"campaign: spring\n{head}\nmailings:\n  - name: code\n    method: quick\n    audience: {{file: a.csv}}\n    content: {content}\n"
        + (f"    {more}\n" if more else "")
    )


def listed(content: str = '{type: text, text: "Hi"}', more: str = "", head: str = "vibername_id: 12") -> str:
    """A campaign of one list mailing: its content stands in line 7, `more` from line 8."""
    return f"campaign: spring\n{head}\nmailings:\n  - name: news\n    method: list\n    list_id: 77\n    content: {content}\n" + (
        f"    {more}\n" if more else ""
    )


def sound(text: str, images: Mapping[Pointer, tuple[str, str]] | None = None) -> MailingDefinition:
    """The one mailing of a campaign with nothing wrong in it."""
    found = defined(text, images)
    assert found.problems == []
    return found.mailings[0]


@dataclass
class Watched:
    """A watch that only looks."""

    row: int = 0

    def many(self) -> None:
        self.row = -2

    def pause(self) -> None:
        self.row = 0


@dataclass
class Run:
    """A loop that ran, and what it gave away."""

    loop: RowLoop
    chunks: list[Chunk] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def phones(self) -> list[int]:
        return [phone for chunk in self.chunks for phone in chunk.phones]

    @property
    def elements(self) -> list[str]:
        found = []
        for chunk in self.chunks:
            at = 0
            for width in chunk.lengths:
                found.append(chunk.elements[at : at + width].decode())
                at += width
        return found

    @property
    def counts(self) -> dict[str, int]:
        figures = self.loop.figures
        return {
            "rows": figures.rows,
            "filtered": figures.filtered,
            "invalid": self.loop.problems.invalid,
            "duplicate": figures.duplicate,
            "suppressed": figures.suppressed,
            "live": figures.live,
        }

    @property
    def codes(self) -> list[str]:
        return [f"{problem.severity} {problem.code}" for problem in self.problems]


def run(
    one: MailingDefinition,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    suppressed: frozenset[int] = frozenset(),
    resumed: Snapshot | None = None,
    freeze: Callable[[Snapshot], None] | None = None,
    together_from: int = 1,
    **limits: object,
) -> Run:
    columns, problems = bind(one, header, Place("a.csv", 1))
    assert columns is not None, problems
    chunks: list[Chunk] = []

    def loop() -> RowLoop:
        return RowLoop(
            mailing=one,
            columns=columns,
            suppressed=suppressed,
            elements=True,
            emit=chunks.append,
            alive=lambda _rows: None,
            place=lambda line, row: Place("a.csv", line, 0, row),
            watch=Watched(),
            rules=rules(**limits),
            resumed=resumed,
            freeze=freeze,
            together_from=together_from,
        )

    numbered = list(enumerate(rows, 2 if resumed is None else resumed.stand.figures.rows + 2))
    main = loop()
    if one.audience.get("on_conflict") == "skip":
        scout = loop()
        scout.run(iter(numbered), scan=True)
        main.conflicts = scout.conflicts
    main.run(iter(numbered))
    return Run(main, chunks, main.closing(Place("campaigns/a.yaml", 4)))
