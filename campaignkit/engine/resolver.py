"""A person's word about a request whose outcome is unknown. Doing nothing is always safe: its people stay held back."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from campaignkit.engine.hints import hint_lines
from campaignkit.engine.releasing import newest_moment, open_from
from campaignkit.errors import ProviderError, RefusedError, UsageError
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import BULK, LIST_PHONE, QUICK
from campaignkit.model.settings import Environment
from campaignkit.model.unknowns import HintLine, UnknownRequest
from campaignkit.provider.port import NotVisibleError, Reader
from campaignkit.states.packing import unpack_phones
from campaignkit.states.records import Finding, RequestRow, RequestState, Step
from campaignkit.states.store import StateReader, Store
from campaignkit.wire.statuses import StatusAnswer, attribute
from campaignkit.wire.vocabulary import has_gone_out

_FEW = 5
_WAITING = frozenset({RequestState.UNKNOWN, RequestState.DRAFT})
_ANY_ZONE = timedelta(hours=15)
"""What may lie between two clocks of which one tells no zone, and an hour."""


class UnverifiedError(RefusedError):
    """A uuid is not believed; `finding` is what the provider showed under it, None if it could not be asked: `trouble`."""

    def __init__(self, message: str, finding: Finding | None = None, trouble: str = "") -> None:
        super().__init__(message)
        self.finding, self.trouble = finding, trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One of the four answers; `uuid` only with accepted, `expect_people` only with released: how many may get it twice."""

    to: RequestState
    uuid: str = ""
    reason: str = ""
    expect_people: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a person's word is taken.

    Args:
        store: The state, its lock held.
        clock: Time.
        environment: Whose state it is.
        reader: Asked whether a given uuid really is this request's.
        ask: Asks on the terminal how many people may get the mailing twice; gives None where nobody sits there.
        demand_lock: Raises if the lock was taken away meanwhile.
    """

    store: Store
    clock: Clock
    environment: Environment
    reader: Reader | None = None
    ask: Callable[[RequestRow], int | None] = lambda _row: None
    demand_lock: Callable[[], None] = lambda: None

    def settle(self, ref_or_tag: str, answer: Resolution) -> tuple[RequestRow, RequestState]:
        """Settle one unknown request, or a draft that nobody wants to confirm.

        Args:
            ref_or_tag: The request's reference or the tag of one of its batches.
            answer: What the person says.

        Returns:
            The request as it was, and the state it has now: of a list mailing, what turned out to be a draft is one again.

        Raises:
            UsageError: There is no such request.
            RefusedError: It is not unknown, the uuid can't be verified, the fence has not passed, or the number is not that
                of its people.
            LockedError: The lock was taken away.
        """
        listing = f"campaignkit resolve --env {self.environment.name}"
        row = self.store.request(ref_or_tag)
        if row is None:
            raise UsageError(f"the state has no request or tag {ref_or_tag!r}", next_command=listing)
        if row.state not in _WAITING:
            raise RefusedError(f"{row.ref} is {row.state}, not unknown: there is nothing to resolve.", next_command=listing)
        to = answer.to
        if answer.uuid:
            to = self._verify(row, answer.uuid)
        elif to is RequestState.RELEASED:
            self._may_release(row, answer)
            if row.step is Step.CONFIRM and row.uuid and row.state is RequestState.UNKNOWN:
                to = RequestState.DRAFT  # its draft is still there, and may be confirmed
        self.demand_lock()
        self.store.resolve(row.ref, to, uuid=answer.uuid, reason=answer.reason, at=self.clock.now(), by=answer.by)
        return row, to

    def _verify(self, row: RequestRow, uuid: str) -> RequestState:
        """What the request is, now that the provider shows something of ours under this id."""
        try:
            found = verify(row, uuid, self.reader)
        except UnverifiedError as error:
            error.next_command = f"campaignkit resolve {row.ref} --accepted --no-uuid --env {self.environment.name}"
            raise
        if found is RequestState.DRAFT and row.step is Step.CONFIRM:
            # Whoever makes it a draft again lets it be confirmed again: only once the confirm that got lost can't count any more.
            again = f"campaignkit resolve {row.ref} --accepted --uuid {uuid} --env {self.environment.name}"
            self._demand_open(row, "that it is a draft", again)
        return found

    def _demand_open(self, row: RequestRow, what: str, again: str) -> None:
        """Raise if the fence around an unknown request still stands, or this clock can't tell."""
        now, opens, newest = self.clock.now(), open_from(row, self.environment), newest_moment(self.store)
        if newest is not None and now < newest:
            message = f"this clock shows {now:%Y-%m-%d %H:%M:%S} UTC, and the state was written at {newest:%Y-%m-%d %H:%M:%S}: set it right"
            raise RefusedError(f"{message}. Nothing was changed.", next_command=again)
        if now < opens and row.state is RequestState.UNKNOWN:
            minutes = -(-(opens - now).total_seconds() // 60)
            when = f"{opens:%Y-%m-%d %H:%M:%S} UTC (in {minutes:,.0f} min)"
            message = f"{row.ref} may still be under way: {what} can be said from {when}"
            raise RefusedError(f"{message}. Nothing was changed.", next_command=again)

    def _may_release(self, row: RequestRow, answer: Resolution) -> None:
        number, env = str(row.recipients), self.environment.name
        again = shlex.join(
            ["campaignkit", "resolve", row.ref, "--not-sent", "--reason", answer.reason, "--expect-people", number, "--env", env]
        )
        self._demand_open(row, "--not-sent", again)
        expected = answer.expect_people if answer.expect_people is not None else self.ask(row)
        if expected is None:
            message = f"{row.recipients:,} people would get this twice if it did go out, and nobody said that number"
            raise RefusedError(f"{message}. Nothing was changed.", next_command=again)
        if expected != row.recipients:
            message = f"{row.ref} holds {row.recipients:,} people, not {expected:,}" if expected >= 0 else "that is no number"
            raise RefusedError(f"{message}. Nothing was changed.", next_command=f"campaignkit resolve --env {self.environment.name}")


def verify(row: RequestRow, uuid: str, reader: Reader | None) -> RequestState:
    """An id is believed only if the provider shows something of ours under it, and nothing of anybody else.

    Of a bulk request that is its batch names, of a quick message its phone, of a list mailing one that was made when ours was.

    Returns:
        What the request then is: accepted, or for a list mailing that has not gone out a draft.

    Raises:
        UnverifiedError: It does not, or could not be asked.
    """
    if reader is None:
        raise UnverifiedError("the uuid can't be verified without a token. Nothing was changed.")
    way_out = "if the provider's cabinet shows it, say so without a uuid"
    try:
        if row.method != BULK:
            return _verify_other(row, uuid, reader)
        answer = reader.bulk_status(uuid)
    except ProviderError as error:
        finding = Finding.NOT_SHOWN if isinstance(error, NotVisibleError) else None
        message = f"the uuid can't be verified: {error.message}; {way_out}. Nothing was changed."
        raise UnverifiedError(message, finding, error.message) from None
    except ValueError as error:
        raise UnverifiedError(f"this can be no id of {row.ref}: {error}. Nothing was changed.", Finding.FOREIGN) from None
    ours, strangers = _names(row, answer)
    if not ours:
        message = f"the provider shows no mailing of {row.ref} under this uuid; {way_out}. Nothing was changed."
        raise UnverifiedError(message, Finding.FOREIGN if strangers else Finding.NOT_SHOWN)
    if strangers:
        shown = ", ".join(strangers[:3])
        raise UnverifiedError(f"under this uuid the provider shows other mailings: {shown}. Nothing was changed.", Finding.FOREIGN)
    return RequestState.ACCEPTED


def _verify_other(row: RequestRow, message_id: str, reader: Reader) -> RequestState:
    if row.method == QUICK:
        [phone] = unpack_phones(row.batches[0].phones)
        if reader.quick_status(message_id).phone != phone:
            message = f"under this id the provider shows a message to another phone than that of {row.ref}. Nothing was changed."
            raise UnverifiedError(message, Finding.FOREIGN)
        return RequestState.ACCEPTED
    if row.uuid and message_id != row.uuid:
        raise UnverifiedError(f"{row.ref} has the id {row.uuid} at the provider, not this one. Nothing was changed.", Finding.FOREIGN)
    record = reader.mailing(message_id)
    if not _made_with(row, record.created):
        message = f"the mailing under this id was made at {record.created}, and {row.ref} at another time. Nothing was changed."
        raise UnverifiedError(message, Finding.FOREIGN)
    if has_gone_out(record.status):
        return RequestState.ACCEPTED
    before = row.listing.draft_word if row.listing else ""
    if row.step is Step.CONFIRM and before and record.status.casefold() != before.casefold():
        message = f"the provider shows {row.ref} as {record.status or 'nothing'}, which does not say whether its confirm counted"
        raise UnverifiedError(f"{message}. Nothing was changed.", Finding.NOT_SHOWN)
    return RequestState.DRAFT


def _made_with(row: RequestRow, created: str) -> bool:
    """Whether a time of the provider, which names no zone, can be that of the request."""
    try:
        moment = datetime.fromisoformat(created).replace(tzinfo=UTC)
    except ValueError:
        return True  # it can't be told by the time
    return row.intent_at is None or abs(moment - row.intent_at) < _ANY_ZONE


def _names(row: RequestRow, answer: StatusAnswer) -> tuple[set[str], list[str]]:
    names = row.names
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


def unknowns(reader: StateReader, environment: Environment, *, alive: bool) -> list[UnknownRequest]:
    """Every request that waits for a person; intents of a living run are not among them."""
    states = [RequestState.UNKNOWN] if alive else [RequestState.UNKNOWN, RequestState.INTENT]
    return [_unknown(row, environment, hint_lines(row, hints)) for row in reader.requests(states=states) for hints in reader.hints(row.ref)]


def _unknown(row: RequestRow, environment: Environment, hints: tuple[HintLine, ...]) -> UnknownRequest:
    phones = [phone for batch in row.batches for phone in unpack_phones(batch.phones)[:_FEW]]
    return UnknownRequest(
        ref=row.ref,
        tags=tuple(batch.tag for batch in row.batches),
        campaign=row.batches[0].key.campaign,
        mailings=tuple(dict.fromkeys(batch.key.mailing for batch in row.batches)),
        recipients=row.recipients,
        method=row.method,
        step=str(row.step),
        message_id=row.uuid,
        first_phones=tuple(phone for phone in phones[:_FEW] if phone != LIST_PHONE),
        sent_at=row.intent_at,
        scheduled_at=max((batch.schedule_utc for batch in row.batches if batch.schedule_utc), default=None),
        not_sent_from=open_from(row, environment),
        phase=row.phase,
        bytes_written=row.bytes_written,
        http_status=row.http_status,
        reason=row.reason,
        answer=row.answer.decode("utf-8", "replace")[:1000],
        hints=hints,
    )
