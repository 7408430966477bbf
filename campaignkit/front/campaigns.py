"""The campaign files of a project: parsed, checked against the schema, indexed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from campaignkit.compiler.fingerprints import canonical_digest
from campaignkit.diagnostics import Diagnostic, Severity
from campaignkit.loading.events import load
from campaignkit.loading.nodes import Document, Pointer
from campaignkit.protocol.messages import CampaignHead, MailingHead
from campaignkit.validation.checker import Found, check, shown
from campaignkit.validation.schemas import CAMPAIGN

CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class AudienceFields:
    """Where a mailing stands in its file, and what its `audience` says."""

    pointer: Pointer
    fields: dict[str, Any]


@dataclass(slots=True)
class CampaignFile:
    """One campaign file; `document` is None where it can't be parsed."""

    path: str
    document: Document | None
    problems: list[Diagnostic] = field(default_factory=list)
    faults: list[Found] = field(default_factory=list)

    @property
    def campaign(self) -> str:
        """The campaign's id, or nothing."""
        found = self.document.get("campaign") if self.document else None
        return found if isinstance(found, str) else ""

    @property
    def closed(self) -> bool:
        """Whether only its schema counts."""
        return self.document is not None and self.document.get("lifecycle") == CLOSED

    def audiences(self) -> Iterator[AudienceFields]:
        """The audience of each mailing that the schema found nothing wrong with."""
        mailings = self.document.get("mailings") if self.document and not self.closed else None
        broken = {fault.pointer[1] for fault in self.faults if len(fault.pointer) > 1 and fault.pointer[0] == "mailings"}
        for index, fields in enumerate(mailings if isinstance(mailings, list) else ()):
            if index not in broken and isinstance(fields, dict) and "audience" in fields:
                yield AudienceFields(("mailings", index), fields["audience"])

    def images(self) -> Iterator[tuple[Pointer, str]]:
        """The local picture of each mailing that has one and that the schema found nothing wrong with: its mailing, its path."""
        mailings = self.document.get("mailings") if self.document and not self.closed else None
        broken = {fault.pointer[1] for fault in self.faults if len(fault.pointer) > 1 and fault.pointer[0] == "mailings"}
        for index, fields in enumerate(mailings if isinstance(mailings, list) else ()):
            if index not in broken and isinstance(fields, dict) and "image" in fields["content"]:
                yield ("mailings", index), str(fields["content"]["image"])

    def head(self) -> CampaignHead:
        """What the operator learns of it; tolerant, since the file may be broken."""
        root: dict[str, Any] = self.document.root if self.document and isinstance(self.document.root, dict) else {}
        mailings = root.get("mailings")
        accept = root.get("accept")
        resend = accept.get("resend") if isinstance(accept, dict) else None
        return CampaignHead(
            path=self.path,
            campaign=self.campaign,
            lifecycle=str(root.get("lifecycle") or "active"),
            revision=_integer(root.get("revision"), 1),
            moved_from=_word(root.get("moved_from")),
            accept_resend=resend if type(resend) is int else None,
            digest=canonical_digest(root) if root else "",
            mailings=tuple(self._mailings(mailings, root) if isinstance(mailings, list) else ()),
        )

    def _mailings(self, mailings: list[Any], root: dict[str, Any]) -> list[MailingHead]:
        assert self.document is not None
        return [
            MailingHead(
                name=_word(fields.get("name")),
                revision=_integer(fields.get("revision"), _integer(root.get("revision"), 1)),
                line=self.document.place(("mailings", index)).line,
                moved_from=_word(fields.get("moved_from")),
            )
            for index, fields in enumerate(mailings)
            if isinstance(fields, dict)
        ]


def read_campaign(path: str, data: bytes) -> CampaignFile:
    """Parse one file; its schema is checked only when it is selected."""
    document, problems = load(path, data)
    return CampaignFile(path, document, problems)


def check_campaign(file: CampaignFile) -> None:
    """Hold one file against the schema."""
    if file.document is not None:
        file.faults = check(file.document, CAMPAIGN)
        file.problems += shown(file.faults)


def clashes(files: list[CampaignFile]) -> list[Diagnostic]:
    """Two files that define one campaign id."""
    first: dict[str, CampaignFile] = {}
    found: list[Diagnostic] = []
    for file in files:
        if not file.campaign or file.document is None:
            continue
        other = first.setdefault(file.campaign, file)
        if other is not file:
            message = f"the campaign id {file.campaign!r} is taken by {other.path}"
            found.append(Diagnostic(Severity.ERROR, "CK122", message, file.document.place(("campaign",))))
    return found


def moves_at_odds(files: list[CampaignFile]) -> list[Diagnostic]:
    """`moved_from` that names what still stands in the files, or what another one names too: keys can't be in two places."""
    found: list[Diagnostic] = []
    standing = {(file.campaign, mailing.name) for file in files for mailing in file.head().mailings}
    campaigns = {file.campaign for file in files if file.campaign}
    taken: dict[tuple[str, str], str] = {}
    for file in files:
        head = file.head()
        if file.document is None or not head.campaign:
            continue
        if head.moved_from in campaigns:
            message = f"moved_from: the campaign {head.moved_from!r} still stands in the project; it keeps its deliveries"
            found.append(Diagnostic(Severity.ERROR, "CK123", message, file.document.place(("moved_from",))))
        for index, mailing in enumerate(head.mailings):
            olds = [(head.campaign, mailing.moved_from)] if mailing.moved_from else []
            if head.moved_from:
                olds.append((head.moved_from, mailing.moved_from or mailing.name))
            for old in olds:
                place = file.document.place(("mailings", index, "moved_from") if mailing.moved_from else ("moved_from",))
                if old in standing and old[0] == head.campaign:
                    message = f"moved_from: the mailing {old[1]!r} still stands in this campaign; it keeps its deliveries"
                    found.append(Diagnostic(Severity.ERROR, "CK123", message, place))
                elif taken.setdefault(old, f"{head.campaign}/{mailing.name}") != f"{head.campaign}/{mailing.name}":
                    message = f"moved_from: {old[0]}/{old[1]} was moved to {taken[old]} already"
                    found.append(Diagnostic(Severity.ERROR, "CK123", message, place))
    return found


def _integer(value: object, default: int) -> int:
    return value if type(value) is int else default


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
