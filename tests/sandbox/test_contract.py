"""The sandbox and the OpenAPI document against each other, over real HTTP, with requests that are made from the document.

Two readers of the document judge every answer: schemathesis, and the one of these tests, which also judges every request.
The strict mode takes what the document allows and refuses what it doesn't; the lenient one never answers what is not in it.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from campaignkit.sandbox.routes import ROUTES
from campaignkit.sandbox.scenario_reading import read_scenario
from campaignkit.sandbox.server import EmbeddedServer
from tests.canary import TOKEN

from .asking import CONFIRM, FORM, INCOMING, LIST, MAILINGS, QUICK, SEND, STATUS, bulk, mailing, multipart, quick, request, result, send
from .contract import DOCUMENT, answer_problems, request_problems
from .pictures import PNG

with warnings.catch_warnings():
    # What its parts have to say of each other is not about us.
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {found.path: found for found in (one.ok() for one in SCHEMA.get_all_operations() if isinstance(one, Ok))}
MODES = {"good": schemathesis.GenerationMode.POSITIVE, "bad": schemathesis.GenerationMode.NEGATIVE}
# What is no fault of the request: who asks, for what, and with how much money.
FATES = {"token is invalid", "list_id is not found", "message_id is not found", "uuid is not found", "Not enough money"}
# The same requests in every run, and none made smaller: that takes minutes, and the first one says it as well.
SETTINGS = settings(deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
KNOWN: dict[str, Any] = {"message_id": [1, 2, 3], "list_id": [77, 78], "incoming_messages": ["100100", "100500,100600"]}

schemathesis.openapi.media_type("image/png", st.just(PNG))
schemathesis.openapi.media_type("image/jpeg", st.just(PNG))


@pytest.fixture(scope="module", params=[True, False], ids=["strict", "lenient"])
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """One that has a bulk mailing, a quick message and a draft, of the ids 1 to 3."""
    scenario = read_scenario({"strict": request.param, "listed": ["bulk", "quick", "list"], "repeat_confirm": "ok", "speed": 1000})
    with EmbeddedServer(scenario=scenario) as running:
        send(running.url, bulk("one", "375291111111"))
        result(running.url, QUICK, **quick())
        result(running.url, LIST, **mailing())
        yield running


def sent(answer: schemathesis.Response) -> list[str]:
    """What the document has against the request that was truly sent."""
    made = answer.request
    parts = urlsplit(str(made.url))
    body = made.body.encode() if isinstance(made.body, str) else made.body or b""
    return request_problems(str(made.method), parts.path, parts.query, str(made.headers.get("Content-Type", "")), body)


@pytest.mark.parametrize("path", OPERATIONS)
@pytest.mark.parametrize("mode", MODES)
def test_answers_are_those_of_the_document(server: EmbeddedServer, path: str, mode: str) -> None:
    strict = server._require().app._desk.scenario.strict
    seen = []

    @settings(SETTINGS, max_examples=3 if path == SEND else 10)
    @given(OPERATIONS[path].as_strategy(generation_mode=MODES[mode]), st.data())
    def law(case: schemathesis.Case[Any], data: st.DataObject) -> None:
        if mode == "good" and isinstance(case.body, dict):
            # Numbers out of the blue are nobody's.
            case.body |= {name: data.draw(st.sampled_from(values)) for name, values in KNOWN.items() if name in case.body}
        answer = case.call(base_url=server.url)
        case.validate_response(answer, checks=CHECKS)
        assert answer_problems(path, answer.status_code, answer.headers["content-type"][0], answer.content) == []
        problems = sent(answer)
        refusal = answer.json().get("error") if answer.status_code != 200 else None
        seen.append(answer.status_code)
        if strict and not problems:
            assert refusal is None or refusal in FATES, case.body
        if strict and problems and path != SEND:
            assert answer.status_code in {400, 403}, problems

    law()
    if mode == "good" and path != STATUS:
        assert 200 in seen


def test_the_helper_finds_nothing_in_what_is_documented() -> None:
    def problems(path: str, query: str, body: bytes, kind: str = FORM["Content-Type"]) -> list[str]:
        return request_problems("POST", path, query, kind, body)

    assert problems(SEND, "", json.dumps(request()).encode(), "application/json") == []
    assert problems(SEND, "token=t", json.dumps({"messages": [bulk()]}).encode(), "application/json; charset=utf-8") == []
    assert problems(STATUS, f"token={TOKEN}&uuid=u", b"", "") == []
    assert problems(QUICK, "", b"token=t&vibername_id=12&phone=375291111111&message=a%20b") == []
    body, headers = multipart({"token": "t", "vibername_id": "12", "phone": "375291111111", "type_message": "IMAGE"}, {"image": PNG})
    assert problems(QUICK, "", body, headers["Content-Type"]) == []
    assert problems(CONFIRM, "token=t", b"message_id=5") == []
    assert problems(MAILINGS, "token=t", b"") == []
    assert problems(MAILINGS, "token=t", b"limit_offset=0&limit_rows=100") == []
    assert problems(INCOMING, "", b"token=t&message_id=5") == []


@pytest.mark.parametrize(
    ("method", "path", "query", "kind", "body", "words"),
    [
        ("GET", MAILINGS, "token=t", "", b"", "is not in the document"),
        ("POST", "/api/v2/getBalance", "", "", b"", "is not in the document"),
        ("POST", STATUS, "uuid=u", "", b"", "token is missing in the query"),
        ("POST", STATUS, "token=t&uuid=u&x=1", "", b"", "x in the query is not in the document"),
        ("POST", STATUS, "token=t&token=t&uuid=u", "", b"", "token stands more than once in the query"),
        ("POST", STATUS, "token=&uuid=u", "", b"", "token in the query"),
        ("POST", STATUS, "", "application/x-www-form-urlencoded", b"token=t&uuid=u", "a body of 14 bytes where there is none"),
        ("POST", CONFIRM, "", "application/x-www-form-urlencoded", b"token=t&message_id=1", "token is missing in the query"),
        ("POST", CONFIRM, "token=t", "application/x-www-form-urlencoded", b"message_id=1&message_id=2", "message_id stands more than once"),
        ("POST", CONFIRM, "token=t", "application/x-www-form-urlencoded", b"message_id=x", "message_id: 'x' is not of type 'integer'"),
        ("POST", CONFIRM, "token=t", "application/json", b'{"message_id": 1}', "the content type is 'application/json'"),
        ("POST", CONFIRM, "token=t", "", b"", "the content type is ''"),
        (
            "POST",
            QUICK,
            "token=t",
            "application/x-www-form-urlencoded",
            b"vibername_id=1&phone=375291111111&message=a",
            "token in the query",
        ),
        ("POST", QUICK, "", "application/x-www-form-urlencoded", b"token=t&vibername_id=1&phone=375291111111", "not valid under any"),
        ("POST", SEND, "", "application/json", b"{", "the body is no application/json"),
        ("POST", SEND, "", "application/json", b'{"token": "t", "messages": []}', "messages: [] should be non-empty"),
    ],
)
def test_the_helper_finds_what_is_not(method: str, path: str, query: str, kind: str, body: bytes, words: str) -> None:
    assert any(words in problem for problem in request_problems(method, path, query, kind, body))


def test_the_helper_looks_at_tokens_and_files() -> None:
    both = json.dumps(request()).encode()
    assert request_problems("POST", SEND, "token=t", "application/json", both) == [
        "the token must stand in the body or in the query, and once"
    ]
    without = json.dumps({"messages": [bulk()]}).encode()
    assert len(request_problems("POST", SEND, "", "application/json", without)) == 1
    fields = {"token": "t", "vibername_id": "12", "phone": "375291111111", "type_message": "IMAGE"}
    for files, words in (({"image": b"GIF89a"}, "image is neither"), ({"message": PNG}, "message must not be a file")):
        body, headers = multipart(fields, files)
        assert any(words in one for one in request_problems("POST", QUICK, "", headers["Content-Type"], body))
    body, headers = multipart(fields | {"image": "a.png"}, {})
    assert "image must be a file" in request_problems("POST", QUICK, "", headers["Content-Type"], body)


def test_the_helper_looks_at_answers() -> None:
    assert answer_problems(CONFIRM, 200, "application/json", b'{"status":"OK"}') == []
    assert answer_problems(CONFIRM, 400, "application/json", b'{"status":"error","message":"no"}') == []
    assert answer_problems(CONFIRM, 500, "text/html; charset=UTF-8", b"<html>") == []
    assert answer_problems(CONFIRM, 200, "application/json", b'{"status":"OK","result":1}')
    assert answer_problems(CONFIRM, 201, "application/json", b"{}") == ["the status 201 is not in the document"]
    assert answer_problems(CONFIRM, 200, "text/html", b"<html>")


def test_every_method_is_tried() -> None:
    assert set(OPERATIONS) == set(ROUTES)
