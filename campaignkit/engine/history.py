"""The state's knowledge in the words of a plan: who got what, under this name or one that is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from campaignkit.model.mailings import Mailing, MailingKey
from campaignkit.plans.known import Standing, Standings
from campaignkit.protocol.messages import CampaignHead, Index
from campaignkit.states.records import Known, KnownMailing, RequestState, Step
from campaignkit.states.store import StateReader

_STANDING = {
    RequestState.ACCEPTED: Standing.ACCEPTED,
    RequestState.INTENT: Standing.UNKNOWN,
    RequestState.DRAFT: Standing.DRAFT,
    RequestState.UNKNOWN: Standing.UNKNOWN,
    RequestState.ABANDONED: Standing.ABANDONED,
    RequestState.PLANNED: Standing.PENDING,
}


_SURER = {
    Standing.ACCEPTED: 0,
    Standing.UNKNOWN: 1,
    Standing.ABANDONED: 2,
    Standing.DRAFT: 3,
    Standing.REFUSED: 4,
    Standing.PENDING: 5,
}


def moves(head: CampaignHead) -> dict[str, tuple[MailingKey, ...]]:
    """By mailing name: the identities whose deliveries it carries over (`moved_from` on mailing or campaign)."""
    found: dict[str, tuple[MailingKey, ...]] = {}
    for mailing in head.mailings:
        campaigns = [name for name in (head.campaign, head.moved_from) if name]
        names = [name for name in (mailing.name, mailing.moved_from) if name]
        keys = [MailingKey(campaign, mailing.revision, name) for campaign in campaigns for name in names]
        found[mailing.name] = tuple(key for key in keys if key != MailingKey(head.campaign, mailing.revision, mailing.name))
    return found


@dataclass(slots=True)
class MailingHistory:
    """What the state holds for one mailing: its own ids (with those moved to it), and ids that are gone."""

    reader: StateReader | None = None
    inert: bool = False
    """Whether a draft whose create got no answer is as good as none."""
    ids: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    strangers: list[int] = field(default_factory=list)
    claimed: int = 0
    accepted: int = 0

    def known(self, phones: Sequence[int]) -> Mapping[int, Standings]:
        """How these phones stand."""
        if self.reader is None or not self.ids:
            return {}
        found: dict[int, Standings] = {}
        for mailing_id in self.ids:
            for phone, known in self.reader.known([mailing_id], phones).items():
                standing = _standing(known, inert=self.inert)
                # Of deliveries that were carried over, what is surest about a person counts.
                if phone not in found or _SURER[standing] < _SURER[found[phone].standing]:
                    found[phone] = Standings(standing, known.fingerprint, known.definition, known.request)
        return found

    def elsewhere(self, phones: Sequence[int], fingerprints: bytes) -> set[int]:
        """Who of these got this mailing under an identity that is gone, or this content under a campaign that is gone."""
        if self.reader is None:
            return set()
        found = set(self.reader.fingerprints_elsewhere(self.gone, phones)) if self.gone else set()
        if self.strangers:
            others = self.reader.fingerprints_elsewhere(self.strangers, phones)
            width = len(fingerprints) // max(1, len(phones))
            own = {phone: fingerprints[at * width : at * width + width] for at, phone in enumerate(phones)}
            found |= {phone for phone, prints in others.items() if own[phone] in prints}
        return found


def _standing(known: Known, *, inert: bool) -> Standing:
    if known.refused and known.state is RequestState.ACCEPTED:
        return Standing.REFUSED
    if inert and known.state is RequestState.UNKNOWN and known.step is Step.CREATE:
        return Standing.PENDING  # apply releases it before it makes another
    return _STANDING.get(known.state, Standing.PENDING)


class Histories:
    """The state's mailings, matched once against the files of the project."""

    def __init__(self, reader: StateReader | None, index: Index, *, inert: bool = False) -> None:
        self._reader = reader
        self._inert = inert
        self._known: Sequence[KnownMailing] = reader.mailings() if reader else ()
        self._heads = {head.campaign: head for head in index.campaigns if head.campaign}
        self._moves = {head.campaign: moves(head) for head in self._heads.values()}
        taken = [key for by_name in self._moves.values() for keys in by_name.values() for key in keys]
        self._taken = set(taken)

    def of(self, mailing: Mailing) -> MailingHistory:
        """What the state holds for this mailing."""
        key = mailing.key
        own = {key, *self._moves.get(key.campaign, {}).get(key.mailing, ())}
        history = MailingHistory(reader=self._reader, inert=self._inert)
        here = {head.name for head in self._heads[key.campaign].mailings} if key.campaign in self._heads else {key.mailing}
        for known in self._known:
            if known.key in own:
                history.ids.insert(0 if known.key == key else len(history.ids), known.id)
                history.claimed += known.claimed
                history.accepted += known.accepted
            elif not known.claimed or known.key in self._taken:
                continue
            elif known.key.campaign == key.campaign:
                renamed = known.key.mailing not in here
                another = known.key.mailing == key.mailing and known.key.revision != key.revision
                if renamed or another:
                    history.gone.append(known.id)
            elif known.key.campaign not in self._heads:
                history.strangers.append(known.id)
        return history
