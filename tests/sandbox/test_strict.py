"""The strict mode refuses what the documentation doesn't allow; the lenient one takes the same, and the strict one what is documented."""

from __future__ import annotations

import io
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from campaignkit.sandbox.parameters import TABLES
from campaignkit.sandbox.routes import ROUTES
from campaignkit.sandbox.scenario_reading import read_scenario
from campaignkit.sandbox.server import EmbeddedServer, serve
from tests.canary import TOKEN

from .asking import (
    CONFIRM,
    DELIVERIES,
    FORM,
    INCOMING,
    JSON,
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
    bulk,
    mailing,
    multipart,
    quick,
    request,
    v2,
)
from .pictures import PNG

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Raw:
    """One request, apart from the server it goes to."""

    path: str
    body: bytes | str | None = None
    headers: dict[str, str] | None = None

    def ask(self, server: EmbeddedServer) -> Got:
        return ask(server.url, self.path, self.body, headers=self.headers)


def form(path: str, **fields: object) -> Raw:
    return Raw(path, urlencode({"token": TOKEN} | fields), FORM)


def as_json(path: str, document: Any) -> Raw:
    return Raw(path, json.dumps(document), JSON)


def uploaded(path: str, fields: dict[str, object], image: bytes = PNG, name: str = "image") -> Raw:
    body, headers = multipart({key: str(value) for key, value in ({"token": TOKEN} | fields).items()}, {name: image})
    return Raw(path, body, headers)


QUERY = urlencode({"token": TOKEN})
IMAGE = quick(type_message="IMAGE")
BUTTON = quick(type_message="BUTTON", button="Open", button_link="https://a.by/" + "x" * 137)
LINK_151 = "https://a.by/" + "x" * 138

DOCUMENTED = [
    as_json(SEND, request()),
    as_json(f"{SEND}?{QUERY}", {"messages": [bulk()]}),
    Raw(f"{SEND}?{QUERY}&" + urlencode({"messages": json.dumps([bulk()])})),
    form(QUICK, **quick()),
    form(QUICK, **quick(type_message="TEXT", forwarding_message=1, forwarding_time=5, alphaname_id=7)),
    form(QUICK, **quick(forwarding_message=0, forwarding_time=60)),
    form(QUICK, **quick(type_message="IMAGE", image_url="https://a.by/i.png")),
    uploaded(QUICK, IMAGE),
    form(QUICK, **BUTTON),
    uploaded(QUICK, BUTTON),
    uploaded(LIST, mailing(type_message="IMAGE")),
    form(LIST, **mailing(name="news", d_schedule="2094-01-01 10:00")),
    Raw(f"{CONFIRM}?{QUERY}", "message_id=2", FORM),
    Raw(f"{MAILINGS}?{QUERY}", "", FORM),
    Raw(f"{MAILINGS}?{QUERY}", "limit_offset=0&limit_rows=100", FORM),
    Raw(f"{MAILING}?{QUERY}", "message_id=2", FORM),
    form(QUICK_DATA, message_id=1),
    form(DELIVERIES, message_id=2),
    form(INCOMING, message_id=2),
    form(MARK, incoming_messages="1,2,3"),
]

UNDOCUMENTED = {
    "token must be in the form or multipart, not in the query": [
        Raw(f"{QUICK}?{QUERY}", urlencode(quick()), FORM),
        Raw(f"{INCOMING}?{QUERY}", "message_id=2", FORM),
    ],
    "token must be in the form or multipart, not in the json": [as_json(QUICK, {"token": TOKEN} | quick())],
    "token must be in the query, not in the form": [
        form(CONFIRM, message_id=2),
        form(MAILINGS),
        form(MAILING, message_id=2),
        form(STATUS, uuid="x"),
    ],
    "token must be in the query, not in the json": [as_json(STATUS, {"token": TOKEN, "uuid": "x"})],
    "token must be in the json or query, not in the form": [form(SEND, messages=json.dumps([bulk()]))],
    "message_id must be in the form or multipart, not in the query": [Raw(f"{CONFIRM}?{QUERY}&message_id=2")],
    "unknown parameter odd": [form(QUICK, **quick(odd="x")), as_json(SEND, request(odd=1)), Raw(f"{MAILINGS}?{QUERY}&odd=1")],
    "unknown parameter picture": [uploaded(QUICK, quick(), name="picture")],
    "phone is given more than once": [Raw(QUICK, f"{QUERY}&{urlencode(quick())}&phone=375292222222", FORM)],
    "token is given more than once": [Raw(f"{CONFIRM}?{QUERY}", f"message_id=2&{QUERY}", FORM)],
    "forwarding_time must be from 5 to 60": [form(QUICK, **quick(forwarding_time=one)) for one in (4, 61)],
    "forwarding_message must be from 0 to 1": [form(QUICK, **quick(forwarding_message=2))],
    "alphaname_id must be an integer": [form(QUICK, **quick(alphaname_id=""))],
    "image and image_url exclude each other": [uploaded(QUICK, IMAGE | {"image_url": "https://a.by/i.png"})],
    "button_link must not exceed 150 characters": [form(QUICK, **BUTTON | {"button_link": LINK_151})],
    "type_message must be TEXT, IMAGE or BUTTON": [form(QUICK, **quick(type_message="text"))],
    "incorrect phone number": [form(QUICK, **quick(phone="+375291111111"))],
    "incoming_messages must be IDs with commas between them": [form(MARK, incoming_messages="1, 2")],
    "messages.0 has an unknown key colour": [as_json(SEND, request(bulk(colour="red")))],
    "messages.0.content has an unknown key button": [as_json(SEND, request(bulk(content={"type": "text", "text": "a", "button": "b"})))],
    "messages.0.delivery_list.0 has an unknown key name": [
        as_json(
            SEND,
            request(
                bulk(message_type="personal", content={"type": "text"}, delivery_list=[{"phone": "375291111111", "text": "a", "name": "b"}])
            ),
        )
    ],
}


@pytest.fixture
def strict() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(strict=True) as server:
        yield server


def prepared(server: EmbeddedServer) -> EmbeddedServer:
    """With a quick message of id 1 and a draft of id 2."""
    assert form(QUICK, **quick()).ask(server).status == 200
    assert form(LIST, **mailing()).ask(server).status == 200
    return server


@pytest.mark.parametrize("raw", DOCUMENTED)
def test_what_is_documented_is_taken(strict: EmbeddedServer, raw: Raw) -> None:
    got = raw.ask(prepared(strict))
    assert got.status == 200, got.body


@pytest.mark.parametrize(("words", "raw"), [(words, raw) for words, raws in UNDOCUMENTED.items() for raw in raws])
def test_what_is_not_documented_is_refused_by_the_strict_mode_alone(strict: EmbeddedServer, words: str, raw: Raw) -> None:
    got = raw.ask(prepared(strict))
    assert (got.status, got.document) == (400, {"error": words})
    assert strict.ledger.counts().phones == 1
    with EmbeddedServer() as lenient:
        got = raw.ask(prepared(lenient))
        assert got.status == (404 if STATUS in raw.path else 200), got.body


def test_a_required_parameter_is_missed(strict: EmbeddedServer) -> None:
    for path, method in ROUTES.items():
        for name, parameter in TABLES[method.name].items():
            if parameter.required and name != "token":
                place = "query" if TABLES[method.name]["token"].places == ("query",) else "form"
                raw = Raw(f"{path}?{QUERY}", "", FORM) if place == "query" or path == SEND else form(path)
                got = raw.ask(strict)
                assert got.status == 400, path
                assert got.document["error"].endswith(" is required")


def test_without_a_token_the_answer_is_the_usual_one(strict: EmbeddedServer) -> None:
    assert v2(strict.url, QUICK, token="").status == 403
    assert ask(strict.url, MAILINGS, "", headers=FORM).document == {"error": "token is invalid"}


def test_the_sample_of_the_documentation_is_taken(strict: EmbeddedServer) -> None:
    body = (Path(__file__).parent / "sample.json").read_bytes()
    assert ask(strict.url, SEND, body, headers=JSON).status == 200


def test_the_mode_comes_from_the_scenario_or_the_command(tmp_path: Path) -> None:
    odd = form(QUICK, **quick(odd="x"))
    with EmbeddedServer(scenario=read_scenario({"strict": True})) as server:
        assert odd.ask(server).status == 400
    stream, stop = io.StringIO(), threading.Event()
    thread = threading.Thread(target=serve, args=(0, None, None), kwargs={"strict": True, "stream": stream, "stop": stop})
    thread.start()
    while not stream.getvalue().endswith("\n"):
        time.sleep(0.01)
    assert ask(stream.getvalue().split()[-1], odd.path, odd.body, headers=odd.headers).status == 400
    stop.set()
    thread.join()


def test_every_method_has_its_table() -> None:
    assert {method.name for method in ROUTES.values()} == set(TABLES)
