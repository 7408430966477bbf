"""How a fault breaks an answer: before the method ran, or after it accepted."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug import Response

from campaignkit.sandbox.exchange import answer, error
from campaignkit.sandbox.scenario import V1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from campaignkit.sandbox.scenario import Fault

_PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
_MEGABYTE = 1 << 20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Wire:
    """What a fault may pull at: the connection, where there is one, and a sleep that ends when the server stops."""

    connection: socket.socket | None
    pause: Callable[[float], object]


def broken(fault: Fault, wire: Wire, respond: Callable[[], Response]) -> Response:
    """The answer a fault makes of a call.

    Raises:
        ConnectionAbortedError: There is none; the connection is closed.
    """
    if fault.kind in _BEFORE:
        early = _BEFORE[fault.kind](fault, wire)
        return respond() if early is None else early
    response = respond()
    return _AFTER[fault.kind](fault, wire, response) if response.status_code == 200 else response


def _refused(status: int, text: str) -> Callable[[Fault, Wire], Response]:
    return lambda fault, _wire: _error(fault, status, text)


def _error(fault: Fault, status: int, text: str) -> Response:
    return error(status, fault.error or text, message=fault.shape == "message")


def _throttled(fault: Fault, _wire: Wire) -> Response:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    response = _error(fault, 429, "Request limit exceeded")
    response.headers.extend(headers)
    return response


def _server_error(fault: Fault, _wire: Wire, _response: Response | None = None) -> Response:
    if fault.error:
        return _error(fault, fault.status, fault.error)
    return Response(_PAGE.format(title="Server Error"), fault.status, content_type="text/html; charset=UTF-8")


def _dropped(fault: Fault, wire: Wire, _response: Response | None = None) -> Response:
    if wire.connection is not None:
        if fault.reset:
            wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            # Closing an ordinary way says goodbye first. A blank socket in its place closes it at once, and its number
            # stays taken until the server is done with it.
            with socket.socket() as blank:
                os.dup2(blank.fileno(), wire.connection.fileno(), inheritable=False)
        else:
            wire.connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("dropped by the scenario")


def _slow_before(fault: Fault, wire: Wire) -> None:
    wire.pause(fault.seconds)


def _slow(fault: Fault, wire: Wire, response: Response) -> Response:
    wire.pause(fault.seconds)
    return response


def _trickle(fault: Fault, wire: Wire, response: Response) -> Response:
    body = response.get_data()

    def drops() -> Iterator[bytes]:
        for at in range(len(body)):
            wire.pause(fault.seconds / len(body))
            yield body[at : at + 1]

    return _streamed(drops(), len(body))


def _flood(fault: Fault, _wire: Wire, response: Response) -> Response:
    body = response.get_data()

    def water() -> Iterator[bytes]:
        for _ in range(fault.megabytes):
            yield b" " * _MEGABYTE
        yield body

    return _streamed(water(), fault.megabytes * _MEGABYTE + len(body))


def _truncated(_fault: Fault, _wire: Wire, response: Response) -> Response:
    body = response.get_data()
    return _streamed(iter([body[: len(body) // 2]]), len(body))


def _garbage(_fault: Fault, _wire: Wire, _response: Response) -> Response:
    return Response(_PAGE.format(title="Welcome"), content_type="text/html; charset=UTF-8")


def _redirect(_fault: Fault, _wire: Wire, _response: Response) -> Response:
    return Response("", 303, {"Location": "/login"}, content_type="text/html; charset=UTF-8")


def _no_id(fault: Fault, _wire: Wire, _response: Response) -> Response:
    return answer({"success": "OK"} if fault.method in V1 else {"status": "OK"})


def _nothing(fault: Fault, _wire: Wire, _response: Response) -> Response:
    return answer([] if fault.method in V1 else {"status": "OK", "result": []})


def _streamed(body: Iterator[bytes], promised: int) -> Response:
    return Response(body, headers={"Content-Length": str(promised)}, content_type="application/json")


_BEFORE: Mapping[str, Callable[[Fault, Wire], Response | None]] = {
    "throttle": _throttled,
    "http_400": _refused(400, "Invalid request"),
    "http_403": _refused(403, "token is invalid"),
    "http_404": _refused(404, "Page not found"),
    "error_in_200": _refused(200, "Not enough money"),
    "http_500_before": _server_error,
    "drop_before": _dropped,
    "slow_before": _slow_before,
}
_AFTER: Mapping[str, Callable[[Fault, Wire, Response], Response]] = {
    "http_500_after": _server_error,
    "drop_after": _dropped,
    "slow": _slow,
    "trickle": _trickle,
    "garbage": _garbage,
    "truncated": _truncated,
    "flood": _flood,
    "no_uuid": _no_id,
    "empty_list": _nothing,
    "redirect": _redirect,
}
