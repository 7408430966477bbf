"""A person's word about a request whose outcome is unknown. Doing nothing is always safe: its people stay held back."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from campaignkit.engine.hints import hint_lines
from campaignkit.errors import ProviderError, RefusedError, UsageError
from campaignkit.model.clock import Clock
from campaignkit.model.unknowns import HintLine, UnknownRequest
from campaignkit.provider.port import NotVisibleError, StatusReader
from campaignkit.states.records import Finding, RequestRow, RequestState
from campaignkit.states.store import StateReader, Store
from campaignkit.wire.statuses import StatusAnswer, attribute

_FEW = 5


class UnverifiedError(RefusedError):
    """A uuid is not believed; `finding` is what the provider showed under it, None if it could not be asked: `trouble`."""

    def __init__(self, message: str, finding: Finding | None = None, trouble: str = "") -> None:
        super().__init__(message)
        self.finding, self.trouble = finding, trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One of the four answers; `uuid` only with accepted."""

    to: RequestState
    uuid: str = ""
    reason: str = ""


def resolve(store: Store, clock: Clock, ref_or_tag: str, answer: Resolution, reader: StatusReader | None) -> tuple[RequestRow, int]:
    """Settle one unknown request.

    Args:
        store: The state, its lock held.
        clock: Time.
        ref_or_tag: The request's reference or the tag of one of its batches.
        answer: What the person says.
        reader: Asked whether a given uuid really is this request's.

    Returns:
        The request as it was, and how many people it concerns.

    Raises:
        UsageError: There is no such request.
        RefusedError: It is not unknown, or the uuid can't be verified.
    """
    row = store.request(ref_or_tag)
    if row is None:
        raise UsageError(f"the state has no request or tag {ref_or_tag!r}", next_command="campaignkit resolve")
    if row.state is not RequestState.UNKNOWN:
        raise RefusedError(f"{row.ref} is {row.state}, not unknown: there is nothing to resolve.", next_command="campaignkit resolve")
    if answer.uuid:
        verify(row, answer.uuid, reader)
    people = store.resolve(row.ref, answer.to, uuid=answer.uuid, reason=answer.reason, at=clock.now())
    return row, people


def verify(row: RequestRow, uuid: str, reader: StatusReader | None) -> None:
    """A uuid is believed only if the provider shows our own batch names under it, and nobody else's.

    Raises:
        UnverifiedError: It does not, or could not be asked.
    """
    if reader is None:
        raise UnverifiedError("the uuid can't be verified without a token")
    way_out = "if the provider's cabinet shows it, say --accepted --no-uuid"
    try:
        answer = reader.bulk_status(uuid)
    except ProviderError as error:
        finding = Finding.NOT_SHOWN if isinstance(error, NotVisibleError) else None
        message = f"the uuid can't be verified: {error.message}; {way_out}. Nothing was changed."
        raise UnverifiedError(message, finding, error.message) from None
    ours, strangers = _names(row, answer)
    if not ours:
        message = f"the provider shows no mailing of {row.ref} under this uuid; {way_out}. Nothing was changed."
        raise UnverifiedError(message, Finding.FOREIGN if strangers else Finding.NOT_SHOWN)
    if strangers:
        shown = ", ".join(strangers[:3])
        raise UnverifiedError(f"under this uuid the provider shows other mailings: {shown}. Nothing was changed.", Finding.FOREIGN)


def _names(row: RequestRow, answer: StatusAnswer) -> tuple[set[str], list[str]]:
    names = [batch.name for batch in row.batches]
    ours: set[str] = set()
    strangers: list[str] = []
    for entry in answer.entries:
        found, _rest = attribute(entry.errors, names)
        ours |= set(found)
        if entry.name in names:
            ours.add(str(entry.name))
        elif entry.name is not None:
            strangers.append(entry.name)
    return ours, strangers


def unknowns(reader: StateReader, *, alive: bool) -> list[UnknownRequest]:
    """Every request that waits for a person; intents of a living run are not among them."""
    states = [RequestState.UNKNOWN] if alive else [RequestState.UNKNOWN, RequestState.INTENT]
    return [_unknown(row, hint_lines(row, hints)) for row in reader.requests(states=states) for hints in reader.hints(row.ref)]


def _unknown(row: RequestRow, hints: tuple[HintLine, ...]) -> UnknownRequest:
    phones = array("q")
    for batch in row.batches:
        phones.frombytes(batch.phones[: 8 * _FEW])
    return UnknownRequest(
        ref=row.ref,
        tags=tuple(batch.tag for batch in row.batches),
        campaign=row.batches[0].key.campaign,
        mailings=tuple(dict.fromkeys(batch.key.mailing for batch in row.batches)),
        recipients=row.recipients,
        first_phones=tuple(phones[:_FEW]),
        sent_at=row.intent_at,
        phase=row.phase,
        bytes_written=row.bytes_written,
        http_status=row.http_status,
        reason=row.reason,
        answer=row.answer.decode("utf-8", "replace")[:1000],
        hints=hints,
    )
