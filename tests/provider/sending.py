"""One send as the tests of this room make it, and short names of what can become of it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.send import BulkSender
from tests.canary import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

BODY = b'{"messages":[]}'
LARGE = 20 << 20
DEADLINE = 0.3
"""Seconds, for what nothing else will end."""

PATIENCE = 5.0
"""Seconds, for what ends by itself, on a busy machine too."""

A, R, T, N, U = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT, Outcome.UNKNOWN
CONNECTING, CONNECTED, WRITING = Phase.CONNECTING, Phase.CONNECTED, Phase.WRITING
WAITING, ANSWERING, DONE = Phase.WAITING, Phase.ANSWERING, Phase.DONE


def sender(url: str, **given: Any) -> BulkSender:
    given = {"connect_timeout": PATIENCE, "deadline": PATIENCE, "policy": ProviderBehaviour(), **given}
    return BulkSender(url, TOKEN, **given)


def send(url: str, body: bytes = BODY, **given: Any) -> SendResult:
    return sender(url, **given).send_bulk(body, intent=lambda: True)


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """A KeyboardInterrupt comes after so long."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
