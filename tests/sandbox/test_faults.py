"""Every fault does to the client what its name says, and the ledger tells whether it was accepted."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from typing import Any

import pytest

from campaignkit.sandbox.breakage import _AFTER, _BEFORE
from campaignkit.sandbox.scenario_reading import OPTIONS, read_scenario
from campaignkit.sandbox.server import EmbeddedServer
from tests.canary import TOKEN

from .asking import SEND, STATUS, Got, ask, bulk, request, send


def broken(kind: str, **options: Any) -> EmbeddedServer:
    return EmbeddedServer(scenario=read_scenario({"faults": [{"method": "sendBulkViber", "fault": kind} | options]}))


def answer(kind: str, *, accepted: bool, **options: Any) -> Got:
    with broken(kind, **options) as server:
        got = ask(server.url, SEND, request())
        assert server.ledger.counts().requests == accepted
    return got


def test_refusals_accept_nothing() -> None:
    got = answer("throttle", accepted=False, retry_after=7)
    assert (got.status, got.headers["Retry-After"], set(got.document)) == (429, "7", {"error"})
    assert answer("throttle", accepted=False).headers["Retry-After"] is None
    for kind in ("http_400", "http_403", "http_404"):
        assert answer(kind, accepted=False).status == int(kind[-3:])
    got = answer("http_403", accepted=False, error="limit excided")
    assert (got.status, got.document) == (403, {"error": "limit excided"})
    got = answer("error_in_200", accepted=False)
    assert (got.status, set(got.document)) == (200, {"error"})
    got = answer("http_400", accepted=False, error="wrong", shape="message")
    assert (got.status, got.document) == (400, {"status": "error", "message": "wrong"})
    assert answer("throttle", accepted=False, retry_after=1, shape="message").headers["Retry-After"] == "1"


@pytest.mark.parametrize(("kind", "accepted"), [("http_500_before", False), ("http_500_after", True)])
def test_a_server_error_is_html_unless_a_text_is_given(kind: str, accepted: bool) -> None:
    got = answer(kind, accepted=accepted)
    assert (got.status, got.body[:9]) == (500, b"<!DOCTYPE")
    got = answer(kind, accepted=accepted, status=502, error="billing")
    assert (got.status, got.document) == (502, {"error": "billing"})


@pytest.mark.parametrize(("kind", "accepted"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection_answers_nothing(kind: str, accepted: bool) -> None:
    with broken(kind) as server:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(server.url, SEND, request())
        assert server.ledger.counts().requests == accepted
    with broken(kind, reset=True) as server:
        with pytest.raises(ConnectionResetError) as caught:
            ask(server.url, SEND, request())
        assert not isinstance(caught.value, http.client.RemoteDisconnected)
        assert server.ledger.counts().requests == accepted


def test_slow_accepts_before_it_sleeps_and_slow_before_afterwards() -> None:
    for kind, accepted in (("slow", 1), ("slow_before", 0)):
        with broken(kind, seconds=30) as server:
            with pytest.raises(TimeoutError):
                ask(server.url, SEND, request(), timeout=0.2)
            assert server.ledger.counts().requests == accepted
        got = answer(kind, accepted=True, seconds=0.05)
        assert got.document["success"] == "OK"


def test_trickle_takes_its_time_and_arrives_whole() -> None:
    started = time.monotonic()
    assert answer("trickle", accepted=True, seconds=0.2).document["success"] == "OK"
    assert time.monotonic() - started >= 0.2


def test_answers_that_tell_nothing_were_accepted() -> None:
    got = answer("garbage", accepted=True)
    assert (got.status, got.body[:9]) == (200, b"<!DOCTYPE")
    assert answer("no_uuid", accepted=True).document == {"success": "OK"}
    assert answer("empty_list", accepted=True).document == []
    got = answer("redirect", accepted=True)
    assert (got.status, got.headers["Location"]) == (303, "/login")
    got = answer("flood", accepted=True, megabytes=2)
    assert len(got.body) > 2 << 20
    assert got.document["success"] == "OK"
    with broken("truncated") as server:
        with pytest.raises(http.client.IncompleteRead):
            ask(server.url, SEND, request())
        assert server.ledger.counts().requests == 1


def test_a_bad_request_stays_refused_where_a_fault_would_follow_acceptance() -> None:
    with broken("http_500_after") as server:
        assert ask(server.url, SEND, request("no object")).status == 400
        assert ask(server.url, SEND, b"{").status == 400
        assert server.ledger.counts().requests == 0


def test_faults_of_the_status_look_at_the_mailings_of_its_uuid() -> None:
    fault = {"method": "statusBulkViber", "match": "late", "times": 1, "fault": "http_404"}
    with EmbeddedServer(scenario=read_scenario({"faults": [fault]})) as server:
        early, late = send(server.url, bulk("early")), send(server.url, bulk("late"))
        got = [ask(server.url, STATUS, {"token": TOKEN, "uuid": uuid}).status for uuid in (early, late, late)]
        assert got == [200, 404, 200]
        assert ask(server.url, STATUS, {"token": TOKEN}).status == 400


def test_a_match_sees_the_names_in_a_request() -> None:
    with broken("throttle", match="sale") as server:
        assert ask(server.url, SEND, request(bulk("winter"))).status == 200
        assert ask(server.url, SEND, request(bulk("winter"), bulk("spring sale"))).status == 429
        assert ask(server.url, SEND, b"{").status == 400


def test_every_kind_is_made_and_tried_here() -> None:
    assert _BEFORE.keys() | _AFTER.keys() == OPTIONS.keys()
    source = Path(__file__).read_text("utf-8")
    assert [kind for kind in OPTIONS if f'"{kind}"' not in source] == []
