"""The provider as a WSGI application."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug import Response
from werkzeug.exceptions import HTTPException

from campaignkit.sandbox.breakage import Wire, broken
from campaignkit.sandbox.exchange import Call, Incoming, Refusal, answer, error, read_call, written
from campaignkit.sandbox.fault_book import FaultBook
from campaignkit.sandbox.parameters import violations
from campaignkit.sandbox.routes import ROUTES, Method
from campaignkit.sandbox.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.records import Mailing, Request
    from campaignkit.sandbox.v2_records import Confirmation, Draft, Quick

LEDGER_PATH = "/sandbox/ledger"
"""Outside the API: what was truly accepted."""

REMEMBERED = 100_000
"""How many calls are remembered with the place of their token, for as long as the server runs."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """One call: its method, and where its token stood; empty where it had none."""

    method: str
    token_place: str


class App:
    """The application.

    Args:
        desk: What the methods work with.
        pause: Sleeps for a fault; a server that stops makes it return early.
    """

    def __init__(self, desk: Desk, pause: Callable[[float], object]) -> None:
        self._desk = desk
        self._pause = pause
        self._faults = FaultBook(desk.scenario.faults)
        self._seen: deque[Seen] = deque(maxlen=REMEMBERED)

    @property
    def seen(self) -> list[Seen]:
        """The last calls of methods of the API, refused and broken ones too, oldest first."""
        return list(self._seen)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        request = Incoming(environ)
        try:
            response = self._respond(request)
        except ConnectionError:
            raise
        except Refusal as refusal:
            response = error(refusal.status, refusal.text)
        except HTTPException as refusal:
            response = error(refusal.code or 400, refusal.name)
        except Exception:  # noqa: BLE001 - whatever it was, the client gets a JSON answer
            _log.exception("the sandbox failed on %s", request.path)
            response = error(500, "Server unavailable")
        return response(environ, start_response)

    def _respond(self, request: Incoming) -> Response:
        # Asked for its own sake: werkzeug refuses names it is not told to trust.
        _ = request.host
        if request.path == LEDGER_PATH:
            return self._ledger() if request.method == "GET" else _not_allowed("GET")
        method = ROUTES.get(request.path)
        if method is None:
            return error(404, "Page not found")
        if request.method != "POST":
            return _not_allowed("POST")
        call = _read(request)
        self._seen.append(Seen(method.name, "" if isinstance(call, Refusal) else call.token_place))
        fault = self._faults.pick(method.name, lambda: self._names(method, call))
        if fault is None:
            return self._answered(method, call)
        wire = Wire(request.environ.get("werkzeug.socket"), self._pause)
        return broken(fault, wire, lambda: self._answered(method, call))

    def _answered(self, method: Method, call: Call | Refusal) -> Response:
        try:
            if isinstance(call, Refusal):
                raise call
            token = call.fields.get("token")
            if not isinstance(token, str) or not token.strip():
                return error(403, "token is invalid")
            if self._desk.scenario.strict:
                for text in violations(method.name, call):
                    return error(400, text)
            return answer(method.answer(call, self._desk))
        except Refusal as refusal:
            return error(refusal.status, refusal.text)

    def _names(self, method: Method, call: Call | Refusal) -> Iterable[str]:
        try:
            return [] if isinstance(call, Refusal) else list(method.names(call, self._desk))
        except Refusal:
            return []

    def _ledger(self) -> Response:
        return Response(self._ledger_text(), content_type="application/json")

    def _ledger_text(self) -> Iterator[str]:
        ledger, scenario = self._desk.ledger, self._desk.scenario
        for key, documents in (
            ('{"requests"', (_request(one) for one in ledger.requests())),
            (',"quick"', (_quick(one) for one in ledger.quick_messages())),
            (',"lists"', (_list(draft, confirmation) for draft, confirmation in ledger.list_mailings())),
        ):
            yield f"{key}:["
            for number, document in enumerate(documents):
                yield f"{',' if number else ''}{written(document)}"
            yield "]"
        yield f',"balance":"{scenario.balance - ledger.spent():.5f}","times":{written(ledger.times_accepted())}}}'


def _request(request: Request) -> dict[str, object]:
    return {"uuid": request.uuid, "at": iso(request.at), "messages": [_accepted(mailing) for mailing in request.mailings]}


def _quick(quick: Quick) -> dict[str, object]:
    return {"message_id": quick.message_id, "at": iso(quick.at), "phone": quick.phone, "forward_after": quick.forward_after}


def _list(draft: Draft, confirmation: Confirmation | None) -> dict[str, object]:
    return {
        "message_id": draft.message_id,
        "at": iso(draft.at),
        "name": draft.name,
        "list_id": draft.list_id,
        "phones": draft.phones,
        "confirmed_at": None if confirmation is None else iso(confirmation.at),
    }


def _accepted(mailing: Mailing) -> dict[str, object]:
    document: dict[str, object] = {"name": mailing.name, "phones": mailing.phones}
    return document | {"errors": mailing.errors} if mailing.errors else document


def _read(request: Incoming) -> Call | Refusal:
    """The call, or why there is none: a malformed one is counted for faults like any other."""
    try:
        return read_call(request)
    except Refusal as refusal:
        return refusal


def _not_allowed(allowed: str) -> Response:
    return answer({"error": "Method not allowed"}, 405, {"Allow": allowed})
