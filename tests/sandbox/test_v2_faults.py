"""Every fault can be aimed at every method, hits no other, and the ledger tells what was accepted all the same."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from campaignkit.sandbox.breakage import _AFTER, _BEFORE
from campaignkit.sandbox.routes import ROUTES
from campaignkit.sandbox.scenario_reading import OPTIONS, read_scenario
from campaignkit.sandbox.server import EmbeddedServer
from tests.canary import TOKEN

from .asking import (
    CONFIRM,
    DELIVERIES,
    INCOMING,
    LIST,
    MAILING,
    MAILINGS,
    MARK,
    QUICK,
    QUICK_DATA,
    SEND,
    STATUS,
    Got,
    ask,
    mailing,
    quick,
    request,
    result,
    send,
    v2,
)

PATHS = {method.name: path for path, method in ROUTES.items()}
IDS: dict[str, dict[str, object]] = {
    QUICK: quick(),
    QUICK_DATA: {"message_id": 3},
    LIST: mailing(name="news"),
    CONFIRM: {"message_id": 4},
    MAILINGS: {},
    MAILING: {"message_id": 4},
    DELIVERIES: {"message_id": 4},
    INCOMING: {"message_id": 3},
    MARK: {"incoming_messages": "1"},
}


class Scene:
    """A server with one bulk mailing, one quick message, one draft."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self.uuid = send(server.url)
        send(server.url)
        result(server.url, QUICK, **quick())
        result(server.url, LIST, **mailing(name="news"))

    def ask(self, path: str, timeout: float = 5.0) -> Got:
        if path == SEND:
            return ask(self.server.url, path, request(), timeout=timeout)
        if path == STATUS:
            return ask(self.server.url, path, {"token": TOKEN, "uuid": self.uuid}, timeout=timeout)
        return v2(self.server.url, path, **IDS[path])

    def accepted(self) -> tuple[int, ...]:
        """What grows with what is accepted."""
        counts = self.server.ledger.counts()
        return (counts.requests, counts.quick, counts.drafts + counts.confirmed, counts.confirmed)


WRITES = {SEND: 0, QUICK: 1, LIST: 2, CONFIRM: 3}
SMALL: dict[str, dict[str, Any]] = {kind: {"seconds": 0.02} for kind in ("slow", "slow_before", "trickle")} | {"flood": {"megabytes": 1}}
SILENT = {"drop_before", "drop_after", "truncated"}
STATUSES = {
    "throttle": 429,
    "http_400": 400,
    "http_403": 403,
    "http_404": 404,
    "http_500_before": 500,
    "http_500_after": 500,
    "redirect": 303,
}


@pytest.mark.parametrize("method", PATHS)
def test_a_fault_hits_its_method_once_and_accepts_what_it_says(method: str) -> None:
    path = PATHS[method]
    # The scene's own two sends and drafts are the first calls of their methods.
    own = {SEND: 2, QUICK: 1, LIST: 1}.get(path, 0)
    for kind in OPTIONS:
        rule = {"method": method, "fault": kind, "nth": own + 1} | SMALL.get(kind, {})
        with EmbeddedServer(scenario=read_scenario({"faults": [rule], "repeat_confirm": "ok"})) as server:
            scene = Scene(server)
            for other in PATHS.values():
                assert other == path or not kind.startswith("http") or scene.ask(other).status == 200, (kind, other)
            before = list(scene.accepted())
            try:
                got: Got | None = scene.ask(path)
            except (ConnectionError, http.client.HTTPException):
                got = None
            assert (got is None) == (kind in SILENT), kind
            assert got is None or got.status == STATUSES.get(kind, 200), kind
            after = list(scene.accepted())
            if path in WRITES and (kind in _AFTER or kind == "slow_before"):
                before[WRITES[path]] += 1
            assert after == before, kind
            assert scene.ask(path).status == 200, kind
    assert _BEFORE.keys() | _AFTER.keys() == set(OPTIONS)


@pytest.mark.parametrize("path", sorted(set(PATHS.values()) - {SEND, STATUS}))
def test_answers_without_an_id_or_a_result_have_the_shape_of_v2(path: str) -> None:
    method = path.rpartition("/")[2]
    faults = [{"method": method, "fault": "no_uuid", "nth": 2}, {"method": method, "fault": "empty_list", "nth": 3}]
    with EmbeddedServer(scenario=read_scenario({"faults": faults, "repeat_confirm": "ok"})) as server:
        scene = Scene(server)
        assert path in {QUICK, LIST} or scene.ask(path).status == 200
        assert scene.ask(path).document == {"status": "OK"}
        assert scene.ask(path).document == {"status": "OK", "result": []}


def test_a_match_sees_names_and_phones() -> None:
    faults = [
        {"method": "sendQuickViberMessage", "match": "2222", "fault": "throttle"},
        {"method": "sendViberMessageList", "match": "sale", "fault": "throttle"},
        {"method": "confirmViberMessage", "match": "news", "fault": "throttle"},
        {"method": "getViberDeliveryData", "match": "1111", "fault": "throttle"},
        {"method": "getNewIncomingMessages", "match": "one", "fault": "throttle"},
    ]
    with EmbeddedServer(scenario=read_scenario({"faults": faults})) as server:
        scene = Scene(server)
        assert v2(server.url, QUICK, **quick(phone="375292222222")).status == 429
        assert v2(server.url, LIST, **mailing(name="spring sale")).status == 429
        assert v2(server.url, CONFIRM, message_id=4).status == 429
        assert v2(server.url, QUICK_DATA, message_id=3).status == 429
        assert [v2(server.url, INCOMING, message_id=number).status for number in (1, 3, 99)] == [429, 200, 404]
        assert v2(server.url, CONFIRM, message_id="x").status == 400
        assert scene.accepted() == (2, 1, 1, 0)


def test_a_slow_confirmation_counts_before_its_answer() -> None:
    rule = {"method": "confirmViberMessage", "fault": "slow", "seconds": 30, "nth": 1}
    with EmbeddedServer(scenario=read_scenario({"faults": [rule]})) as server:
        Scene(server)
        with pytest.raises(TimeoutError):
            ask(server.url, CONFIRM, {"token": TOKEN, "message_id": 4}, timeout=0.2)
        assert result(server.url, MAILING, message_id=4)["status"] == "SENT"
        assert v2(server.url, CONFIRM, message_id=4).status == 400
        assert server.ledger.counts().confirmed == 1
