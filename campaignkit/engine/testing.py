"""A test message: the real rendering of one recipient, to a phone of the team. Never a delivery, but money all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from campaignkit.errors import RefusedError
from campaignkit.intake.talk import Front
from campaignkit.model.clock import Clock
from campaignkit.model.mailings import BULK, Mailing
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.replies import TestLine
from campaignkit.model.settings import Environment
from campaignkit.protocol.messages import Chunk
from campaignkit.provider.port import Sender
from campaignkit.states.asides import TestRow
from campaignkit.states.store import Store
from campaignkit.wire.bulk import check_elements
from campaignkit.wire.forms import check_fields, encode_form, quick_fields

_FREE = frozenset({Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT})
"""Their messages certainly did not go out: they count towards no limit."""
LOCK_LOST = "the lock was taken away from this command by `state unlock`"


@dataclass(frozen=True, slots=True)
class Sample:
    """A mailing and the message of one of its recipients: their phone (0 for a list) and the element of the wire that is theirs."""

    mailing: Mailing
    phone: int
    element: bytes

    def fields(self, to: int) -> dict[str, str]:
        """The form of a quick message to another phone, without token and image.

        There is no SMS fallback: a test that is not delivered shows just that.

        Raises:
            RefusedError: The mailing can't be sent as a quick message.
        """
        mailing = self.mailing
        if not mailing.vibername_id:
            raise RefusedError(
                f"{mailing.key} has no vibername_id, under which a test message goes out: give one to its sender in campaignkit.yaml, "
                "or vibername_id to the mailing. Nothing was sent."
            )
        own = json.loads(self.element) if self.element.startswith(b"{") else {}
        fields = quick_fields(
            vibername_id=mailing.vibername_id,
            phone=to,
            content=mailing.content,
            text=own.get("text", ""),
            button_link=own.get("button_link", ""),
        )
        try:
            check_fields(fields, image=mailing.image)
        except ValueError as error:
            raise RefusedError(f"{mailing.key} can't be sent as a quick message: {error}. Nothing was sent.") from None
        return fields


def sample(front: Front, path: str, environment: str, mailing: str, phone: int | None) -> Sample | None:
    """The message of the first recipient of a mailing, or of `phone`; None if there is none.

    The whole campaign is read, so that every problem of it is found: `front.failed` says whether there are any.
    """
    found: Sample | None = None
    current: Mailing | None = None
    for word in front.run([path], environment=environment, elements=True):
        if isinstance(word, Mailing):
            current = word
        elif isinstance(word, Chunk) and current is not None and current.key.mailing == mailing and found is None:
            found = next((one for one in _people(current, word) if phone is None or one.phone == phone), None)
    return found


def _people(mailing: Mailing, chunk: Chunk) -> Iterator[Sample]:
    at = 0
    for phone, length in zip(chunk.phones, chunk.lengths, strict=True):
        element = chunk.elements[at : at + length]
        at += length
        yield Sample(mailing, phone, element)


def used(tests: Sequence[TestRow], clock: Clock) -> int:
    """How many test messages of the last 24 hours went out, or may have."""
    since = clock.now() - timedelta(days=1)
    return sum(test.at > since and test.state not in _FREE for test in tests)


@dataclass(slots=True, kw_only=True)
class TestJob:
    """Sends one test message.

    Args:
        store: The state, its lock held.
        sender: The provider.
        clock: Time.
        environment: Its test phones and its limit.
        token: Goes into the form.
        still_ours: Whether the lock is still held; asked before the intent.
    """

    __test__ = False  # not one of pytest's

    store: Store
    sender: Sender
    clock: Clock
    environment: Environment
    token: str
    still_ours: Callable[[], bool] = lambda: True

    def demand_room(self) -> None:
        """Refuse what is beyond the limit of a day.

        Raises:
            RefusedError: So many went out within the last 24 hours already.
        """
        limit, tests = self.environment.test_limit, self.store.tests()
        if used(tests, self.clock) >= limit:
            raise RefusedError(
                f"{limit:,} test messages went out within the last 24 hours, or may have: test_limit of {self.environment.name} allows no "
                "more. Nothing was sent."
            )

    def run(self, sample: Sample, to: int) -> TestLine:
        """Send it, once: its intent is durable before its first byte, its outcome is stored before this returns.

        Raises:
            RefusedError: The mailing can't be sent this way.
        """
        mailing = sample.mailing
        _demand_element(sample)
        form = encode_form(sample.fields(to), token=self.token, image=mailing.image, image_name=mailing.image_name)
        key = mailing.key
        test_id, denied = 0, False

        def intent() -> bool:
            nonlocal test_id, denied
            denied = not self.still_ours()
            if denied:
                return False
            test_id = self.store.begin_test(
                campaign=key.campaign, mailing=key.mailing, phone=to, rendered_for=sample.phone, at=self.clock.now()
            )
            return True

        result = self.sender.send_quick(form, intent=intent)
        if test_id:
            self.store.end_test(test_id, result, self.clock.now())
        if denied:
            result = SendResult(outcome=Outcome.NOT_SENT, phase=Phase.CONNECTED, reason=LOCK_LOST)
        return TestLine(
            id=test_id, key=key, phone=to, rendered_for=sample.phone, outcome=str(result.outcome), message_id=result.uuid,
            reason=result.reason, used=used(self.store.tests(), self.clock), limit=self.environment.test_limit,
        )  # fmt: skip


def _demand_element(sample: Sample) -> None:
    """The child that rendered is not trusted: what it calls the message of a phone must be just that."""
    kind = sample.mailing.message_type if sample.mailing.method == BULK else sample.mailing.method
    try:
        check_elements(sample.element, [sample.phone], kind)
    except ValueError as error:
        raise RefusedError(f"{sample.mailing.key}: {error}. Nothing was sent.") from None
