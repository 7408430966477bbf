"""SIGINT and SIGTERM. During an apply the first finishes what is in flight, the second gives it up as unknown."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def stopping(raise_flag: Callable[[], None], say: Callable[[str], None]) -> Iterator[None]:
    """Inside the block the first signal calls `raise_flag`, the second raises KeyboardInterrupt."""
    heard = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal heard
        heard += 1
        if heard > 1:
            raise KeyboardInterrupt
        raise_flag()
        say("Stopping: the request in flight is finished first. Once more gives it up; its people are then unknown.")

    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def until_told() -> Iterator[threading.Event]:
    """Inside the block a signal sets the event: a server that is told to end does so."""
    told = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = [(number, signal.signal(number, handle)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield told
    finally:
        for number, handler in before:
            signal.signal(number, handler)
