"""The state as people ask for it: totals by mailing, one person's deliveries, those that failed."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from campaignkit.engine.folding import unpack_details
from campaignkit.model.mailings import MailingKey
from campaignkit.model.settings import Environment
from campaignkit.model.status import CampaignStatus, ErrorLine, MailingStatus, PersonLine, RequestLine, StatusReport
from campaignkit.protocol.messages import Index
from campaignkit.states.records import BatchRow, RequestRow, RequestState
from campaignkit.states.store import StateReader
from campaignkit.wire.vocabulary import status_class

_SHOWN = (RequestState.ACCEPTED, RequestState.UNKNOWN, RequestState.INTENT, RequestState.ABANDONED)
UNREPORTED = "unreported"


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
    for request in reader.requests(campaigns=campaigns, states=_SHOWN, with_people=True):
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
            recipients=batch.count,
            sent_at=request.intent_at,
            reason=request.reason,
        )
    )
    status.recipients += batch.count
    for text in batch.errors:
        own = ErrorLine(message=text, path=status.path, line=status.line, recipients=batch.count, confirmed=batch.refused)
        same = next((e for e in status.errors if e.message == text and e.confirmed == own.confirmed), None)
        if same is not None:
            status.errors.remove(same)
            own = ErrorLine(
                message=text,
                path=own.path,
                line=own.line,
                recipients=own.recipients + same.recipients,
                confirmed=own.confirmed,
            )
        status.errors.append(own)
    if request.state is not RequestState.ACCEPTED:
        status.unknown += batch.count
    elif batch.refused:
        # Those sent to again are counted where they are now.
        status.rejected += batch.claimed
        status.recipients -= batch.count - batch.claimed
    else:
        counted = Counter(batch.statuses or bytes(batch.count))
        status.unreported += counted.pop(0, 0)
        for byte, number in counted.items():
            status.statuses[words.get(byte, "?")] += number


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
                yield from _lines(request, batch, words, range(batch.count), failed=failed)


def _lines(
    request: RequestRow, batch: BatchRow, words: Mapping[int, str], positions: Sequence[int], *, failed: bool
) -> Iterator[PersonLine]:
    phones = array("q")
    phones.frombytes(batch.phones)
    details = unpack_details(batch.details, batch.count)
    for position in positions:
        byte = batch.statuses[position] if batch.statuses else 0
        word = words.get(byte, UNREPORTED)
        if request.state is not RequestState.ACCEPTED:
            word = "abandoned" if request.state is RequestState.ABANDONED else "unknown"
        elif batch.refused:
            word = "rejected"
        if failed and word not in {"abandoned", "unknown", "rejected"} and status_class(word) != "failed":
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
        )


def left_open(reader: StateReader, campaigns: Sequence[str]) -> tuple[int, int]:
    """People of these campaigns who are unknown, and those whom the provider refused and nobody was sent to again."""
    unknown = refused = 0
    if not campaigns:
        return 0, 0
    for request in reader.requests(campaigns=campaigns, states=[RequestState.UNKNOWN, RequestState.ACCEPTED], with_people=False):
        for batch in request.batches:
            if batch.key.campaign in campaigns:
                unknown += batch.count if request.state is RequestState.UNKNOWN else 0
                refused += batch.claimed if batch.refused else 0
    return unknown, refused
