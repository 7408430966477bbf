"""Broken readings of the wire: engines that believe the wrong thing about a request that may have arrived."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.provider.send import BulkSender

Judge = Callable[[SendResult], SendResult]
_HALF_UUID = re.compile(rb'"uuid":"([0-9a-f-]{8,})')


def put(owner: Any, name: str, value: Any) -> None:
    """Replace a part of the product, in this process."""
    setattr(owner, name, value)


def _judging(judge: Judge, method: str = "send_bulk") -> None:
    original = getattr(BulkSender, method)

    def sending(self: BulkSender, what: Any, *, intent: Callable[[], bool]) -> SendResult:
        return judge(original(self, what, intent=intent))

    put(BulkSender, method, sending)


def _repeating(condition: Callable[[SendResult], bool], times: int = 1, method: str = "send_bulk") -> None:
    original = getattr(BulkSender, method)

    def sending(self: BulkSender, what: Any, *, intent: Callable[[], bool]) -> SendResult:
        result: SendResult = original(self, what, intent=intent)
        if condition(result):
            for _ in range(times):
                result = original(self, what, intent=lambda: True)
        return result

    put(BulkSender, method, sending)


def _is(result: SendResult, words: str) -> bool:
    return result.outcome is Outcome.UNKNOWN and words in result.reason


def retry_on_5xx() -> None:
    _repeating(lambda result: (result.http_status or 0) >= 500)


def retry_on_timeout() -> None:
    _repeating(lambda result: _is(result, "deadline"))


def retry_when_closed() -> None:
    _repeating(lambda result: _is(result, "closed without an answer"))


def follow_redirects() -> None:
    _repeating(lambda result: result.http_status == 307)


def throttled_sends_twice() -> None:
    _repeating(lambda result: result.outcome is Outcome.THROTTLED, times=2)


def reset_is_not_sent() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.NOT_SENT) if _is(result, "was reset") else result)


def timeout_is_not_sent() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.NOT_SENT) if _is(result, "deadline") else result)


def no_uuid_is_rejected() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.REJECTED) if _is(result, "without a valid uuid") else result)


def cut_answer_is_rejected() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.REJECTED) if _is(result, "middle of the answer") else result)


def unread_head_is_rejected() -> None:
    def judge(result: SendResult) -> SendResult:
        begun = result.outcome is Outcome.UNKNOWN and result.phase is Phase.ANSWERING
        return replace(result, outcome=Outcome.REJECTED) if begun else result

    _judging(judge)


def redirect_is_rejected() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.REJECTED) if 300 <= (result.http_status or 0) < 400 else result)


def server_error_is_rejected() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.REJECTED) if (result.http_status or 0) >= 500 else result)


def client_error_with_uuid_is_rejected() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.REJECTED) if result.http_status == 400 else result)


def half_a_uuid_is_believed() -> None:
    def judge(result: SendResult) -> SendResult:
        seen = _HALF_UUID.search(result.answer)
        if result.outcome is not Outcome.UNKNOWN or seen is None:
            return result
        return replace(result, outcome=Outcome.ACCEPTED, uuid=seen[1].decode())

    _judging(judge)


def quick_retried_on_500() -> None:
    _repeating(lambda result: (result.http_status or 0) >= 500, method="send_quick")


def quick_without_id_is_rejected() -> None:
    """A quick message whose answer names no id counts as refused."""
    _judging(lambda result: replace(result, outcome=Outcome.REJECTED) if _is(result, "without a valid") else result, "send_quick")


def lost_create_is_rejected() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.REJECTED) if result.outcome is Outcome.UNKNOWN else result, "create_draft")


def lost_confirm_goes_again() -> None:
    """A confirm whose answer was lost is repeated, and nobody looks whether it counted."""
    _repeating(lambda result: result.outcome is Outcome.UNKNOWN, method="confirm")


def lost_confirm_is_not_sent() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.NOT_SENT) if result.outcome is Outcome.UNKNOWN else result, "confirm")


def refused_confirm_is_sent() -> None:
    _judging(lambda result: replace(result, outcome=Outcome.ACCEPTED) if result.outcome is Outcome.REJECTED else result, "confirm")
