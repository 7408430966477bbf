"""The state as people ask for it: totals by mailing, one person's deliveries, those that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from campaignkit.engine.folding import unpack_details
from campaignkit.model.mailings import BULK, MailingKey
from campaignkit.model.settings import Environment
from campaignkit.model.status import CampaignStatus, ErrorLine, MailingStatus, PersonLine, RequestLine, StatusReport
from campaignkit.protocol.messages import Index
from campaignkit.states.packing import unpack_phones
from campaignkit.states.records import BatchRow, Listing, RequestRow, RequestState
from campaignkit.states.store import StateReader
from campaignkit.wire.vocabulary import status_class

_SHOWN = (RequestState.ACCEPTED, RequestState.UNKNOWN, RequestState.INTENT, RequestState.ABANDONED, RequestState.DRAFT)
UNREPORTED = "unreported"
_FAILED = frozenset({"abandoned", "unknown", "rejected"})
_OURS = _FAILED | {UNREPORTED, "draft"}
"""What stands in the place of a provider's word where there is none."""
_CODE = 2
"""Where the code of a failure stands in what is kept of a person."""


def places(index: Index | None) -> dict[tuple[str, str], tuple[str, int]]:
    """Where each mailing stands in the files of today."""
    if index is None:
        return {}
    return {(head.campaign, mailing.name): (head.path, mailing.line) for head in index.campaigns for mailing in head.mailings}


def overview(
    reader: StateReader,
    environment: Environment,
    index: Index | None,
    *,
    campaigns: Sequence[str] = (),
    alive: bool = False,
) -> StatusReport:
    """Everyone who was or may have been sent to.

    Args:
        reader: The state.
        environment: Whose it is.
        index: The files of today, for the places of errors; None where they can't be read.
        campaigns: Only these, or all.
        alive: Whether an apply is running: its intents are in flight, not unknown.
    """
    report = StatusReport(environment=environment.name, sandbox=environment.is_sandbox)
    found: dict[MailingKey, MailingStatus] = {}
    here, words = places(index), reader.words()
    failing = {byte for byte, word in words.items() if status_class(word) == "failed"}
    for row in reader.requests(campaigns=campaigns, states=_SHOWN, with_people=False):
        request = row
        if row.method != BULK and any(failing & batch.totals.keys() for batch in row.batches):
            request = reader.request(row.ref) or row  # its codes of failures stand beside its people
        for batch in request.batches:
            if campaigns and batch.key.campaign not in campaigns:
                continue
            if batch.refused and not batch.claimed:
                continue  # everyone of it was sent to again, by another request
            status = found.get(batch.key)
            if status is None:
                path, line = here.get((batch.key.campaign, batch.key.mailing), (batch.path, batch.line))
                status = found[batch.key] = MailingStatus(mailing=batch.key.mailing, revision=batch.key.revision, path=path, line=line)
            _add(status, request, batch, words, alive=alive)
    by_campaign: dict[str, CampaignStatus] = {}
    for key in sorted(found):
        found[key].classes = _classes(found[key].statuses)
        campaign = by_campaign.setdefault(key.campaign, CampaignStatus(campaign=key.campaign, revision=key.revision))
        campaign.revision = max(campaign.revision, key.revision)
        campaign.mailings.append(found[key])
    report.campaigns = list(by_campaign.values())
    return report


def _add(status: MailingStatus, request: RequestRow, batch: BatchRow, words: Mapping[int, str], *, alive: bool) -> None:
    outcome = "in_flight" if alive and request.state is RequestState.INTENT else str(request.state)
    if request.state is RequestState.INTENT and not alive:
        outcome = str(RequestState.UNKNOWN)
    status.requests.append(
        RequestLine(
            request=request.ref,
            tag=batch.tag,
            outcome=outcome,
            uuid=request.uuid,
            recipients=request.recipients if request.listing else batch.count,
            sent_at=request.intent_at,
            reason=request.reason,
            method=request.method,
            step=str(request.step),
        )
    )
    if request.state is RequestState.DRAFT:
        return  # nobody was sent to, nor may have been
    if request.listing is not None:
        _add_list(status, request, request.listing, words)
        return
    status.recipients += batch.count
    for text in batch.errors:
        _add_error(status, text, batch.count, confirmed=batch.refused)
    if request.state is not RequestState.ACCEPTED:
        status.unknown += batch.count
    elif batch.refused:
        # Those sent to again are counted where they are now.
        status.rejected += batch.claimed
        status.recipients -= batch.count - batch.claimed
    else:
        _count(status, batch.totals, words)
        if request.method != BULK:
            _add_codes(status, batch.statuses, batch.details, words)


def _add_list(status: MailingStatus, request: RequestRow, listing: Listing, words: Mapping[int, str]) -> None:
    """A mailing to a list of the provider: its people are those whom the provider names, up to the number it said."""
    status.recipients += listing.recipients
    status.cost = listing.cost
    if request.state is not RequestState.ACCEPTED:
        status.unknown += listing.recipients
        return
    _count(status, Counter(listing.statuses), words)
    status.unreported += listing.recipients - listing.listed
    _add_codes(status, listing.statuses, listing.details, words)


def _count(status: MailingStatus, totals: Mapping[int, int], words: Mapping[int, str]) -> None:
    for byte, number in totals.items():
        if byte:
            status.statuses[words.get(byte, "?")] += number
        else:
            status.unreported += number


def _classes(statuses: Mapping[str, int]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for word, number in statuses.items():
        counted[status_class(word)] += number
    return dict(sorted(counted.items()))


def _add_codes(status: MailingStatus, statuses: bytes, details: bytes, words: Mapping[int, str]) -> None:
    """The provider's codes of failures, each with the people it stands for."""
    if details:
        for byte, detail in zip(statuses, unpack_details(details, len(statuses)), strict=False):
            if len(detail) > _CODE and detail[_CODE]:
                _add_error(status, f"error code {detail[_CODE]} ({words.get(byte, UNREPORTED)})", 1, confirmed=True)


def _add_error(status: MailingStatus, text: str, people: int, *, confirmed: bool) -> None:
    """The same words about others are one line."""
    same = next((one for one in status.errors if one.message == text and one.confirmed == confirmed), None)
    if same is not None:
        status.errors.remove(same)
        people += same.recipients
    status.errors.append(ErrorLine(message=text, path=status.path, line=status.line, recipients=people, confirmed=confirmed))


def people(reader: StateReader, *, campaigns: Sequence[str] = (), phone: int | None = None, failed: bool = False) -> Iterator[PersonLine]:
    """Deliveries one by one: of one phone, of those that failed, or all.

    Failed are those refused, unknown, abandoned, or whose status is of a failing class.
    """
    words = reader.words()
    if phone is not None:
        for request, index, position in reader.holders(phone):
            if request.state in _SHOWN:
                yield from _lines(request, request.batches[index], words, [position], failed=failed)
        return
    for request in reader.requests(campaigns=campaigns, states=_SHOWN):
        for batch in request.batches:
            passed_on = batch.refused and not batch.claimed  # everyone of it was sent to again
            if not passed_on and (not campaigns or batch.key.campaign in campaigns):
                listed = request.listing.listed if request.listing else batch.count
                yield from _lines(request, batch, words, range(listed), failed=failed)


def _lines(
    request: RequestRow, batch: BatchRow, words: Mapping[int, str], positions: Sequence[int], *, failed: bool
) -> Iterator[PersonLine]:
    columns = request.listing or batch
    phones = unpack_phones(columns.phones)
    details = unpack_details(columns.details, len(phones))
    for position in positions:
        byte = columns.statuses[position] if columns.statuses else 0
        word = words.get(byte, UNREPORTED)
        if request.state is not RequestState.ACCEPTED:
            word = {RequestState.ABANDONED: "abandoned", RequestState.DRAFT: "draft"}.get(request.state, "unknown")
        elif batch.refused:
            word = "rejected"
        if failed and word not in _FAILED and status_class(word) != "failed":
            continue
        detail = details[position] if position < len(details) else []
        yield PersonLine(
            campaign=batch.key.campaign,
            revision=batch.key.revision,
            mailing=batch.key.mailing,
            phone=phones[position],
            status=word,
            status_time=str(detail[1]) if len(detail) > 1 else "",
            request=request.ref,
            tag=batch.tag,
            uuid=request.uuid,
            outcome=str(request.state),
            sent_at=request.intent_at,
            method=request.method,
            status_class="" if word in _OURS else status_class(word),
            error_code=str(detail[_CODE] or "") if len(detail) > _CODE else "",
        )


def left_open(reader: StateReader, campaigns: Sequence[str]) -> tuple[int, int]:
    """People of these campaigns who are unknown, and those whom the provider refused and nobody was sent to again."""
    unknown = refused = 0
    if not campaigns:
        return 0, 0
    for request in reader.requests(campaigns=campaigns, states=[RequestState.UNKNOWN, RequestState.ACCEPTED], with_people=False):
        for batch in request.batches:
            if batch.key.campaign in campaigns:
                if request.state is RequestState.UNKNOWN:
                    unknown += request.recipients if request.listing else batch.count
                refused += batch.claimed if batch.refused else 0
    return unknown, refused
