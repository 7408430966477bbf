"""Wrappers around store, database, sender and socket that pass a named point before and after each step."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from typing import Any, cast

from campaignkit.model.outcomes import SendResult
from campaignkit.provider import send
from campaignkit.provider.connection import Connection
from campaignkit.provider.exchange import Exchange
from campaignkit.provider.records import RecordClient
from campaignkit.states.store import Store
from tests.proofs.crash.failpoints import Points

HALF_BODY = "net.half_body"
STATUS_LINE = "net.status_line"
_LINE = 12
_WRITES = {
    "begin_run", "recover", "carry_over", "write_plan", "mark_intent", "record", "dissolve", "end_run", "resolve", "close",
    "note_draft", "discard_drafts",
}  # fmt: skip
SENDING = ("send_bulk", "send_quick", "create_draft", "confirm")


def watch_database(points: Points) -> None:
    """From now on each statement of each connection passes points: `sql.BEGIN.before`, `sql.COMMIT.after`, …"""

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            verb = _verb(sql)
            points.hit(f"sql.{verb}.before")
            cursor = super().execute(sql, parameters)
            if verb == "COMMIT":
                points.hit("sql.COMMIT.after")
            return cursor

        def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
            # Each row is a statement of its own, which only the library's trace sees.
            self.set_trace_callback(lambda _text: points.hit("sql.row"))
            try:
                return super().executemany(sql, parameters)
            finally:
                self.set_trace_callback(None)

        def close(self) -> None:
            points.hit("sql.close.before")
            super().close()
            points.hit("sql.close.after")

    original = sqlite3.connect

    def connect(*args: Any, **settings: Any) -> sqlite3.Connection:
        return cast("sqlite3.Connection", original(*args, factory=Watched, **settings))

    setattr(sqlite3, "connect", connect)  # noqa: B010 - a plain assignment would need a type: ignore


def _verb(sql: str) -> str:
    words = sql.split(None, 2)
    return f"PRAGMA_{words[1].rstrip('=')}" if words[0].upper() == "PRAGMA" else words[0].upper()


def watched_store(store: Store, points: Points) -> Store:
    """The store, with `store.<method>.before` and `.after` around each method that changes it."""

    class Watched:
        def __getattr__(self, name: str) -> Any:
            method = getattr(store, name)
            return passing(points, f"store.{name}", method) if name in _WRITES else method

    return cast("Store", Watched())


def passing(points: Points, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that passes `<name>.before` and `<name>.after`."""

    def wrapped(*args: Any, **named: Any) -> Any:
        points.hit(f"{name}.before")
        result = function(*args, **named)
        points.hit(f"{name}.after")
        return result

    return wrapped


def watch_network(points: Points) -> None:
    """From now on a send passes points from its beginning over its connection and intent to its answer."""

    class WatchedConnection(Connection):
        def open(self) -> socket.socket:
            points.hit("net.connect.before")
            sock = super().open()
            points.hit("net.connected")
            return cast("socket.socket", WatchedSocket(sock, points))

        def close(self) -> None:
            points.hit("net.close.before")
            super().close()

    class WatchedExchange(Exchange):
        def run(self, request: bytes) -> None:
            points.hit("net.first_byte.before")
            super().run(request)
            points.hit("net.body_read")

        def _write(self, request: bytes) -> None:
            super()._write(request)
            points.hit("net.body_sent")

    for name in SENDING:
        setattr(send.BulkSender, name, _watched_send(getattr(send.BulkSender, name), points))
    for name in ("mailing", "quick_status"):
        setattr(RecordClient, name, passing(points, "read", getattr(RecordClient, name)))
    setattr(send, "Connection", WatchedConnection)  # noqa: B010 - as above
    setattr(send, "Exchange", WatchedExchange)  # noqa: B010 - as above


def _watched_send(original: Callable[..., SendResult], points: Points) -> Callable[..., SendResult]:
    def sending(self: send.BulkSender, what: Any, *, intent: Callable[[], bool]) -> SendResult:
        points.hit("send.before")
        result = original(self, what, intent=passing(points, "intent", intent))
        points.hit("send.after")
        return result

    return sending


class WatchedSocket:
    """The three calls that an exchange makes; cuts the first write, and the first read, so that a point lies in between."""

    def __init__(self, sock: socket.socket, points: Points) -> None:
        self._sock, self._points = sock, points
        self._sends = self._lines = 0

    def settimeout(self, seconds: float) -> None:
        self._sock.settimeout(seconds)

    def send(self, data: memoryview) -> int:
        if self._sends:
            return self._sock.send(data)
        self._sends += 1
        sent = self._sock.send(data[: len(data) // 2])
        self._points.hit(HALF_BODY)
        return sent

    def recv_into(self, buffer: memoryview) -> int:
        if self._lines:
            return self._sock.recv_into(buffer)
        self._lines += 1
        count = self._sock.recv_into(buffer[:_LINE])
        self._points.hit(STATUS_LINE)
        return count
