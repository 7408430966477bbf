"""The only thing in the program that can cost money: one POST of a method that sends, and how far it came.

The phase decides, never the class of an exception: before the first byte a failure is `not_sent`, from then on it is
`unknown` unless a whole head of an answer says otherwise.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from campaignkit import __version__
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.secret import Secret, SecretBytes
from campaignkit.provider.connection import Connection, tls_context
from campaignkit.provider.dialing import ConnectError
from campaignkit.provider.exchange import Exchange
from campaignkit.provider.origin import parse_origin
from campaignkit.provider.port import FENCE
from campaignkit.provider.secrets import Redactor
from campaignkit.wire.forms import encode_form
from campaignkit.wire.outcomes import BULK, LARGEST_ANSWER, Method, classify
from campaignkit.wire.v2 import CONFIRM, CREATE
from campaignkit.wire.values import digits

if TYPE_CHECKING:
    from collections.abc import Callable

    from campaignkit.model.settings import ProviderBehaviour
    from campaignkit.wire.forms import Form

PATH = "/api/v1/sendBulkViber"
"""As documented; so are the others."""

QUICK_PATH = "/api/v2/sendQuickViberMessage"
LIST_PATH = "/api/v2/sendViberMessageList"
CONFIRM_PATH = "/api/v2/confirmViberMessage"


def _awake_and_asleep() -> float:
    """Seconds by a clock that counts suspension too, where the system has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class BulkSender:
    """Implements `provider.port.Sender`; holds no connection between sends and may be used by several threads.

    Args:
        base_url: Of the provider; https, or http to loopback.
        token: The caller puts it into bodies; here it goes with confirmations, and is blotted out of what comes back.
        connect_timeout: Seconds for the connection, and again for the TLS handshake.
        deadline: Seconds for one request, from the first byte written to the last one read.
        policy: How undocumented answers are read.
        token_in: `documented`: the token of a confirmation is in the query; `body`: in its form.
        tls: Another verifying context, for a private authority.
        clock: Seconds, for the fence between intent and first byte.
        now: The present, for a `Retry-After` that is a date.

    Raises:
        RefusedError: The base URL cannot be sent to safely.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        connect_timeout: float,
        deadline: float,
        policy: ProviderBehaviour,
        token_in: str = "documented",  # noqa: S107 - the place of a token, not a token
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = _awake_and_asleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._origin = parse_origin(base_url)
        self._token = Secret(token)
        self._token_in_body = token_in == "body"  # noqa: S105 - the place of a token, not a token
        self._redactor = Redactor(token)
        self._connect_timeout = connect_timeout
        self._deadline = deadline
        self._policy = policy
        # One context for all sends: loading the system's authorities costs tens of milliseconds.
        self._tls = (tls or tls_context()) if self._origin.scheme == "https" else None
        self._clock = clock
        self._now = now
        self._given_up = False
        self._under_way: set[socket.socket] = set()

    def send_bulk(self, body: bytes, *, intent: Callable[[], bool]) -> SendResult:
        """POST to `sendBulkViber`; see `provider.port.Sender`, for all four.

        An interrupt while bytes are on their way (`KeyboardInterrupt`, `SystemExit`) is swallowed and becomes an
        `unknown` whose reason begins with "interrupted": the result must reach the state. The caller stops by its own
        signal flag.
        """
        return self._send(self._head(PATH, "application/json"), body, BULK, intent)

    def send_quick(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        """POST to `sendQuickViberMessage`."""
        return self._send(self._head(QUICK_PATH, form.content_type), form.body, CREATE, intent)

    def create_draft(self, form: Form, *, intent: Callable[[], bool]) -> SendResult:
        """POST to `sendViberMessageList`."""
        return self._send(self._head(LIST_PATH, form.content_type), form.body, CREATE, intent)

    def confirm(self, message_id: str, *, intent: Callable[[], bool]) -> SendResult:
        """POST to `confirmViberMessage`.

        Raises:
            ValueError: The id is no text of digits; before anything is connected.
        """
        if not digits(message_id):
            raise ValueError("a message_id is digits only")
        form = encode_form({"message_id": message_id}, token=self._token if self._token_in_body else "")
        in_query = self._token and not self._token_in_body
        target = Secret(f"{CONFIRM_PATH}?{urlencode({'token': self._token})}") if in_query else CONFIRM_PATH
        return self._send(self._head(target, form.content_type), form.body, CONFIRM, intent)

    def _head(self, target: str, content_type: str) -> bytes:
        """The head of a request, up to where the length of its body goes."""
        return SecretBytes(
            (
                f"POST {self._origin.path}{target} HTTP/1.1\r\n"
                f"Host: {self._origin.authority}\r\n"
                f"User-Agent: campaignkit/{__version__}\r\n"
                f"Content-Type: {content_type}\r\n"
                "Accept: application/json\r\n"
                "Accept-Encoding: identity\r\n"
                "Connection: close\r\n"
                "Content-Length: "
            ).encode("ascii")
        )

    def _send(self, head: bytes, body: bytes, method: Method, intent: Callable[[], bool]) -> SendResult:
        """Connect, ask `intent`, write once, read within bounds."""
        # Put together before there is an intent: from then on nothing but the writing takes time.
        request = SecretBytes(b"%b%d\r\n\r\n%b" % (head, len(body), body))
        connection = Connection(self._origin, timeout=self._connect_timeout, tls=self._tls)
        try:
            try:
                sock = connection.open()
            except ConnectError as error:
                return self._not_sent(Phase.CONNECTING, error.reason, halt=error.untrusted)
            asked = self._clock()
            if not intent():
                return self._not_sent(Phase.CONNECTED, "the intent was not granted")
            if self._clock() - asked > FENCE:
                return self._not_sent(Phase.CONNECTED, f"more than {FENCE:g} s passed between intent and first byte")
            self._under_way.add(sock)
            try:
                if self._given_up:  # looked at after the socket can be found: no call of `give_up` falls in between
                    return self._not_sent(Phase.CONNECTED, "interrupted twice before the first byte")
                return self._exchange(Exchange(sock, deadline=self._deadline, limit=LARGEST_ANSWER), request, method)
            finally:
                self._under_way.discard(sock)
        finally:
            connection.close()

    def give_up(self) -> None:
        """Cut off every request under way, and begin none: each ends as `unknown` unless its answer is whole already.

        May be called from a signal handler or another thread.
        """
        self._given_up = True
        for sock in tuple(self._under_way):
            with contextlib.suppress(OSError):
                # Not the TLS socket's own way, which would take its state from under a thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _exchange(self, exchange: Exchange, request: SecretBytes, method: Method) -> SendResult:
        trouble = ""
        try:
            exchange.run(request)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the request may be out there: it must be recorded
            trouble = self._described(error)
        if self._given_up and not exchange.complete:
            trouble = f"given up by the operator: {trouble or 'the answer was cut off'}"
        if exchange.has_headers:
            return self._answered(exchange, method, trouble)
        phase = Phase.WRITING if exchange.written < len(request) else Phase.WAITING
        extent = f"{exchange.written} of {len(request)} bytes were written"
        came = "no answer came"
        if exchange.received:
            phase, came = Phase.ANSWERING, "an answer began"
        return SendResult(
            outcome=Outcome.UNKNOWN,
            phase=phase,
            reason=f"{trouble}; {extent}, {came}",
            http_status=exchange.status,
            answer=self._redactor.blot(exchange.received),
            bytes_written=exchange.written,
            halt=exchange.status is not None and 300 <= exchange.status < 400,
        )

    def _answered(self, exchange: Exchange, method: Method, trouble: str) -> SendResult:
        answer = bytes(exchange.body)
        said = classify(
            exchange.status or 0,
            answer,
            exchange.complete,
            exchange.retry_after,
            method=method,
            throttled_is=self._policy.throttled_is,
            error_in_200_is=self._policy.error_in_200_is,
            now=self._now(),
            blot=self._redactor.blot,
        )
        outcome, uuid, reason = said.outcome, said.uuid, said.reason
        if uuid and self._redactor.holds(uuid):
            # An echo of our own secret is nobody's id, and must not be stored as one.
            outcome, uuid, reason = Outcome.UNKNOWN, "", "the answer gives our own token as uuid"
        return SendResult(
            outcome=outcome,
            phase=Phase.DONE if exchange.complete else Phase.ANSWERING,
            reason=f"{trouble}; {reason}" if trouble else reason,
            uuid=uuid,
            http_status=exchange.status,
            answer=self._redactor.blot(answer),
            bytes_written=exchange.written,
            retry_after=said.retry_after,
            halt=said.halt,
            count=said.count,
        )

    def _not_sent(self, phase: Phase, reason: str, *, halt: bool = False) -> SendResult:
        return SendResult(outcome=Outcome.NOT_SENT, phase=phase, reason=f"{reason}; nothing was sent", halt=halt)

    def _described(self, error: BaseException) -> str:
        """What broke an exchange, in words; an exception's own text may quote the answer and is not used."""
        match error:
            case TimeoutError():
                return f"the deadline of {self._deadline:g} s passed"
            case http.client.RemoteDisconnected():
                return "the connection was closed without an answer"
            case ConnectionResetError() | BrokenPipeError():
                return "the connection was reset"
            case http.client.IncompleteRead():
                return "the connection was closed in the middle of the answer"
            case http.client.HTTPException() | ValueError():
                return f"the answer is no HTTP that can be read ({type(error).__name__})"
            case ssl.SSLError():
                return "TLS broke after the handshake"
            case OSError():
                return f"the connection broke ({error.strerror or type(error).__name__})"
            case Exception():
                return f"sending broke off ({type(error).__name__})"
            case _:
                return f"interrupted ({type(error).__name__})"
