"""Both methods of v1 over a real socket, as the documentation describes them."""

from __future__ import annotations

import http.client
import json
import re
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from campaignkit.sandbox.scenario import Scenario
from campaignkit.sandbox.server import EmbeddedServer
from tests.canary import TOKEN

from .asking import FORM, JSON, SEND, STATUS, ask, bulk, request, send, statuses
from .conftest import NOON, Clock


def test_the_sample_of_the_documentation_is_accepted_and_reported(server: EmbeddedServer, clock: Clock) -> None:
    body = (Path(__file__).parent / "sample.json").read_bytes()
    got = ask(server.url, SEND, body, headers=JSON)
    assert got.status == 200
    assert set(got.document) == {"uuid", "success"}
    assert got.document["success"] == "OK"
    assert uuid.UUID(got.document["uuid"]).version == 1

    document = statuses(server.url, got.document["uuid"])
    assert [entry["name"] for entry in document] == [f"mailing list {number}" for number in range(1, 6)]
    assert [entry["message_id"] for entry in document] == [1, 2, 3, 4, 5]
    for entry in document:
        assert list(entry) == ["message_id", "name", "alphaname_id", "success"]
        assert entry["alphaname_id"] == 444
        assert [delivery["phone"] for delivery in entry["success"]] == ["375291111111", "375292222222"]
        for delivery in entry["success"]:
            assert list(delivery) == ["delivery_id", "phone", "status", "status_time"]
            assert delivery["status"] == "NEW"
            assert delivery["status_time"] == "2024-10-30 12:00:00.000000"
    ids = [delivery["delivery_id"] for entry in document for delivery in entry["success"]]
    assert ids == list(range(1001, 1011))

    clock.now = NOON + 11 * 3600  # past the schedule_time of 22:56
    later = {row["status"] for entry in statuses(server.url, got.document["uuid"]) for row in entry["success"]}
    assert later <= {"DELIVERED", "READ"}


def test_statuses_advance_with_time_and_wait_for_the_schedule(server: EmbeddedServer, clock: Clock) -> None:
    now = send(server.url, bulk("now", "375291111111"))
    later = send(server.url, bulk("later", "375291111111", schedule_time="2024-10-30T13:00:00"))
    clock.now = NOON + 2.2
    (entry,) = statuses(server.url, now)
    assert entry["success"][0]["status"] in {"DELIVERED", "READ"}
    assert re.fullmatch(r"2024-10-30 12:00:0[0-2]\.\d{6}", entry["success"][0]["status_time"])
    clock.now = NOON + 3600
    assert statuses(server.url, later)[0]["success"][0]["status"] == "NEW"
    clock.now = NOON + 3605
    (entry,) = statuses(server.url, later)
    assert entry["success"][0]["status"] in {"DELIVERED", "READ"}
    assert entry["success"][0]["status_time"].startswith("2024-10-30 13:00:0")


def test_a_refused_mailing_shows_in_the_status_only(server: EmbeddedServer) -> None:
    picture = {"type": "image", "image_url": "https:/a"}
    big = {"type": "image", "image_url": "https://a.by/1200x600.jpg"}
    found = send(server.url, bulk("a"), bulk("b", content=picture), bulk("c", content=big), bulk("d", "12"))
    document = statuses(server.url, found)
    assert document[1:3] == [
        {"errors": ["b: Content url is not valid"]},
        {"errors": ["c: Optimal image size 800x800 px"]},
    ]
    assert document[3]["success"] == []
    assert list(server.ledger.accepted_phones()) == [("a", "375291111111"), ("a", "375292222222")]


def test_the_token_may_stand_anywhere_and_is_never_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    messages = json.dumps([bulk()])
    with EmbeddedServer(data) as server:
        query = urlencode({"token": TOKEN})
        assert ask(server.url, SEND, request()).status == 200
        form = urlencode({"token": TOKEN, "messages": messages, "callback_url": "http://a.by/?x=1"})
        assert ask(server.url, SEND, form, headers=FORM).status == 200
        assert ask(server.url, f"{SEND}?{query}", {"messages": [bulk()]}).status == 200
        assert ask(server.url, f"{SEND}?{urlencode({'token': TOKEN, 'messages': messages})}").status == 200
        found = list(server.ledger.requests())
        for path, body, headers in [
            (STATUS, urlencode({"token": TOKEN, "uuid": found[0].uuid}), FORM),
            (f"{STATUS}?{query}&uuid={found[0].uuid}", None, None),
            (f"{STATUS}?{query}", json.dumps({"uuid": found[0].uuid}), JSON),
        ]:
            assert ask(server.url, path, body, headers=headers).status == 200
    assert [one.token_place for one in found] == ["json", "form", "query", "query"]
    assert found[1].callback_url == "http://a.by/?x=1"
    assert b"s3cr3t" not in data.read_bytes()


@pytest.mark.parametrize("token", [None, "", " ", 5])
def test_without_a_token_nothing_is_accepted(server: EmbeddedServer, token: object) -> None:
    for path in (SEND, STATUS):
        got = ask(server.url, path, request(token=token))
        assert (got.status, got.document) == (403, {"error": "token is invalid"})
    assert server.ledger.counts().requests == 0


MALFORMED = [
    b"{",
    b"[]",
    b"\xff",
    b"[" * 100000,
    b'{"token": NaN}',
    b'{"token": "t"}',
    b'{"token": ' + b"1" * 5000 + b"}",
    json.dumps(request("no object")).encode(),
    json.dumps(request(messages=json.dumps([bulk()]))).encode(),
]


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_request_is_refused_with_an_error(server: EmbeddedServer, body: bytes) -> None:
    got = ask(server.url, SEND, body, headers=JSON)
    assert got.status == 400
    assert got.document["error"]
    assert server.ledger.counts().requests == 0


def test_status_needs_a_uuid_that_was_given_out(server: EmbeddedServer) -> None:
    assert ask(server.url, STATUS, {"token": TOKEN}).status == 400
    got = ask(server.url, STATUS, {"token": TOKEN, "uuid": str(uuid.uuid1())})
    assert (got.status, set(got.document)) == (404, {"error"})


def test_other_methods_and_paths_are_refused_in_json(server: EmbeddedServer) -> None:
    got = ask(server.url, SEND, method="GET")
    assert (got.status, got.headers["Allow"], set(got.document)) == (405, "POST", {"error"})
    assert ask(server.url, "/sandbox/ledger").status == 405
    for path in ("/", "/api/v1/sendbulkviber", "/api/v2/sendquickvibermessage"):
        got = ask(server.url, path, request())
        assert (got.status, set(got.document)) == (404, {"error"})


def test_answers_escape_slashes_and_close_the_connection(server: EmbeddedServer) -> None:
    got = ask(server.url, STATUS, {"token": TOKEN, "uuid": send(server.url, bulk("a/b"))})
    assert rb'"a\/b"' in got.body
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Connection"] == "close"


def test_the_ledger_shows_what_was_accepted(server: EmbeddedServer) -> None:
    found = send(server.url, bulk("a/b", "375291111111"), bulk("bad", content={"type": "x"}))
    assert ask(server.url, "/sandbox/ledger", method="GET").document == {
        "requests": [
            {
                "uuid": found,
                "at": "2024-10-30T09:00:00+00:00",
                "messages": [
                    {"name": "a/b", "phones": ["375291111111"]},
                    {"name": "bad", "phones": [], "errors": ["Content type is not valid"]},
                ],
            }
        ],
        "quick": [],
        "lists": [],
        "balance": "100.00000",
        "times": {"375291111111": 1},
    }


def test_a_foreign_host_name_reads_nothing(server: EmbeddedServer) -> None:
    send(server.url)
    got = ask(server.url, "/sandbox/ledger", method="GET", headers={"Host": "evil.example"})
    assert (got.status, set(got.document)) == (400, {"error"})


def test_a_chunked_request_is_read_whole(server: EmbeddedServer) -> None:
    whole = json.dumps(request(bulk("chunked"))).encode()
    connection = http.client.HTTPConnection(str(urlsplit(server.url).netloc), timeout=5)
    try:
        pieces = (whole[at : at + 10] for at in range(0, len(whole), 10))
        connection.request("POST", SEND, pieces, JSON, encode_chunked=True)
        assert connection.getresponse().status == 200
    finally:
        connection.close()
    assert server.ledger.counts().phones == 2


def test_large_requests_are_read_and_too_large_ones_refused(server: EmbeddedServer) -> None:
    people = [{"phone": str(375290000000 + number), "text": "x" * 300} for number in range(10000)]
    large = bulk("large", message_type="personal", content={"type": "text"}, delivery_list=people)
    got = ask(server.url, SEND, urlencode({"token": TOKEN, "messages": json.dumps([large])}), headers=FORM)
    assert got.status == 200
    assert server.ledger.counts().phones == 10000
    connection = http.client.HTTPConnection(str(urlsplit(server.url).netloc), timeout=5)
    try:
        connection.request("POST", SEND, b"{", JSON | {"Content-Length": str(65 * 1024 * 1024)})
        response = connection.getresponse()
        assert (response.status, set(json.load(response))) == (413, {"error"})
    finally:
        connection.close()


def test_phones_follow_their_script_and_mailings_may_be_refused_on_demand(clock: Clock) -> None:
    phones = {"375291111111": ["NEW", "SENT", "UNDELIVERED"], "*22": []}
    scenario = Scenario(phones=phones, refusals={"poor": "Not enough money"})
    with EmbeddedServer(scenario=scenario, clock=clock) as server:
        found = send(server.url, bulk("a"), bulk("poor one"))
        clock.now += 10
        good, bad = statuses(server.url, found)
        assert [(row["phone"], row["status"]) for row in good["success"]] == [("375291111111", "UNDELIVERED")]
        assert bad == {"errors": ["poor one: Not enough money"]}


def test_a_failure_inside_is_answered_in_json(server: EmbeddedServer, caplog: pytest.LogCaptureFixture) -> None:
    server.ledger.close()
    got = ask(server.url, SEND, request())
    assert (got.status, got.document) == (500, {"error": "Server unavailable"})
    assert "data file is closed" in caplog.text


def test_a_thousand_requests_of_a_hundred_take_seconds(server: EmbeddedServer) -> None:
    phones = [str(375290000000 + number) for number in range(100)]
    body: dict[str, Any] = request(bulk("many", *phones))
    started = time.monotonic()
    for _ in range(1000):
        assert ask(server.url, SEND, body).status == 200
    assert server.ledger.counts().phones == 100000
    assert time.monotonic() - started < 20
