"""One live recipient to its one fate; pure, and the order of the cases is the contract's."""

from __future__ import annotations

from enum import StrEnum

from campaignkit.plans.known import Standing, Standings


class Fate(StrEnum):
    """What a plan makes of one live recipient; the names are those of the counts."""

    SENT = "sent"
    EDITED = "edited"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"
    LATE = "late"
    RESEND = "resend"
    SEND = "send"


REASONS = {
    Fate.SENT: "accepted before, with this very content",
    Fate.EDITED: "accepted before, with other content; never sent again",
    Fate.REJECTED: "refused by the provider; sent again when the definition changes, or with --retry-rejected",
    Fate.UNKNOWN: "may have been sent; held back until somebody resolves it",
    Fate.ABANDONED: "given up by a person after an unknown outcome",
    Fate.LATE: "the scheduled time has passed",
    Fate.RESEND: "got this mailing before, under a name or revision that is gone",
    Fate.SEND: "new",
}


def classify(
    known: Standings | None,
    *,
    fingerprint: bytes,
    definition: str,
    retry_rejected: bool,
    late: bool,
    elsewhere: bool,
) -> Fate:
    """The fate of one recipient who is neither filtered, invalid, duplicate nor suppressed.

    Args:
        known: How the state holds its delivery key, or None.
        fingerprint: What it would get now.
        definition: Hash of the mailing's definition now.
        retry_rejected: Whether the operator asked to try the refused again.
        late: Whether the mailing's time has passed.
        elsewhere: Whether the person got this content or mailing under an identity that is gone.
    """
    if known is not None and known.standing is Standing.DRAFT:
        if known.fingerprint != fingerprint:
            return Fate.EDITED
        return Fate.LATE if late else Fate.SEND
    if known is not None and known.standing is not Standing.PENDING:
        if known.standing is Standing.ACCEPTED:
            return Fate.SENT if known.fingerprint == fingerprint else Fate.EDITED
        if known.standing is Standing.UNKNOWN:
            return Fate.UNKNOWN
        if known.standing is Standing.ABANDONED:
            return Fate.ABANDONED
        if known.definition == definition and not retry_rejected:
            return Fate.REJECTED
    if late:
        return Fate.LATE
    return Fate.RESEND if elsewhere else Fate.SEND
