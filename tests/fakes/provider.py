"""Providers that answer what a test scripted, without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.wire.forms import Form
from campaignkit.wire.records import DeliveryRow, IncomingMessage, Listing, MailingRecord, QuickStatus
from campaignkit.wire.statuses import StatusAnswer

ACCEPTED = "accepted"
SUBSCRIBERS = 4


def result(outcome: Outcome, *, reason: str = "scripted", halt: bool = False, retry_after: float | None = None) -> SendResult:
    """An end of a request, without a uuid."""
    return SendResult(outcome=outcome, phase=Phase.DONE, reason=reason, halt=halt, retry_after=retry_after)


def record(message_id: str, status: str, *, cost: str = "", created: str = "") -> MailingRecord:
    """A mailing as the provider has it."""
    return MailingRecord(
        message_id=message_id, message_type="TEXT", message="Hi", button_caption="", button_link="", image_file="", status=status,
        created=created, schedule="", cost=cost,
    )  # fmt: skip


class FakeSender:
    """Implements `campaignkit.provider.port.Sender`: plays one scripted end after another (None: accepts), then accepts."""

    def __init__(self, *script: SendResult | None, first: int = 0) -> None:
        self._script = list(script)
        self._first = first
        self.bodies: list[bytes] = []
        self.confirmed: list[str] = []

    def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
        return self._play(body, intent, name="00000000-0000-11f1-8000-{:012d}")

    def send_quick(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        return self._play(form.body, intent, name="{}", first=8483)

    def create_draft(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        return self._play(form.body, intent, name="{}", first=4904, count=SUBSCRIBERS)

    def confirm(self, message_id: str, *, intent: Callable[[], bool]) -> SendResult:
        found = self._play(message_id.encode(), intent)
        self.confirmed += [message_id] if found.outcome is Outcome.ACCEPTED else []
        return found

    def _play(self, body: bytes, intent: Callable[[], bool], *, name: str = "", first: int = 0, count: int | None = None) -> SendResult:
        scripted = self._script.pop(0) if self._script else None
        if scripted is not None and scripted.phase is Phase.CONNECTING:
            return scripted
        if not intent():
            return SendResult(outcome=Outcome.NOT_SENT, phase=Phase.CONNECTED, reason="no intent")
        self.bodies.append(body)
        if scripted is not None:
            return scripted
        uuid = name.format(first + self._first + len(self.bodies))
        return SendResult(outcome=Outcome.ACCEPTED, phase=Phase.DONE, reason="accepted", uuid=uuid, http_status=200, count=count)


class FakeReader:
    """Implements `campaignkit.provider.port.Reader`: answers by id, or raises what it was given.

    An answer may be a list of them, one for each time it is asked for; the last one stays.
    """

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[str] = []

    def expect(self, uuid: str) -> None:
        """Nothing: each answer is made when it is asked for."""

    def bulk_status(self, uuid: str) -> StatusAnswer:
        found: StatusAnswer = self._answer(uuid, StatusAnswer, StatusAnswer(entries=()))
        return found

    def quick_status(self, message_id: str) -> QuickStatus:
        found: QuickStatus = self._answer(message_id, QuickStatus, QuickStatus(None, "NEW", ""))
        return found

    def mailing(self, message_id: str) -> MailingRecord:
        found: MailingRecord = self._answer(message_id, MailingRecord, record(message_id, "DRAFT"))
        return found

    def mailings(self, *, offset: int, rows: int) -> Listing[MailingRecord]:
        pages: Listing[MailingRecord] = self._answer("mailings", Listing, Listing())
        return Listing(pages[offset : offset + rows])

    def deliveries(self, message_id: str) -> Listing[DeliveryRow]:
        found: Listing[DeliveryRow] = self._answer(f"deliveries {message_id}", Listing, Listing())
        return found

    def incoming(self, message_id: str) -> Listing[IncomingMessage]:
        found: Listing[IncomingMessage] = self._answer(f"incoming {message_id}", Listing, Listing())
        return found

    def mark_read(self, ids: Iterable[str]) -> int | None:
        self.asked.append(f"mark {','.join(ids)}")
        return None

    def _answer(self, wanted: str, kind: type[Any], usual: Any) -> Any:
        self.asked.append(wanted)
        answer = self.answers.get(wanted, usual)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, kind)
        return answer
