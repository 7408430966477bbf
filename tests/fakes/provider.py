"""Providers that answer what a test scripted, without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.wire.forms import Form
from campaignkit.wire.statuses import StatusAnswer

ACCEPTED = "accepted"


def result(outcome: Outcome, *, reason: str = "scripted", halt: bool = False, retry_after: float | None = None) -> SendResult:
    """An end of a request, without a uuid."""
    return SendResult(outcome=outcome, phase=Phase.DONE, reason=reason, halt=halt, retry_after=retry_after)


class FakeSender:
    """Implements `campaignkit.provider.port.Sender`: plays one scripted end after another, then accepts."""

    def __init__(self, *script: SendResult, count: int | None = None) -> None:
        self._script = list(script)
        self._count = count
        self.bodies: list[bytes] = []
        self.methods: list[str] = []

    def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
        return self._play("bulk", body, intent)

    def send_quick(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        return self._play("quick", form.body, intent)

    def create_draft(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        return self._play("draft", form.body, intent)

    def confirm(self, message_id: str, *, intent: Callable[[], bool]) -> SendResult:
        return self._play("confirm", message_id.encode(), intent)

    def _play(self, method: str, body: bytes, intent: Callable[[], bool]) -> SendResult:
        scripted = self._script.pop(0) if self._script else None
        if scripted is not None and scripted.phase is Phase.CONNECTING:
            return scripted
        if not intent():
            return SendResult(outcome=Outcome.NOT_SENT, phase=Phase.CONNECTED, reason="no intent")
        self.bodies.append(body)
        self.methods.append(method)
        if scripted is not None:
            return scripted
        number = len(self.bodies)
        uuid = {"bulk": f"00000000-0000-11f1-8000-{number:012d}", "confirm": ""}.get(method, str(8000 + number))
        count = self._count if method == "draft" else None
        return SendResult(outcome=Outcome.ACCEPTED, phase=Phase.DONE, reason="accepted", uuid=uuid, http_status=200, count=count)


class FakeReader:
    """Implements `campaignkit.provider.port.StatusReader`: answers by uuid, or raises what it was given."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[str] = []

    def bulk_status(self, uuid: str) -> StatusAnswer:
        self.asked.append(uuid)
        answer = self.answers.get(uuid, StatusAnswer(entries=()))
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, StatusAnswer)
        return answer
