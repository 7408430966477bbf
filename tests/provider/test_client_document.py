"""Every request that our client builds, as it went over the wire, against the OpenAPI document of the API."""

from __future__ import annotations

import email.message
import email.parser
from collections.abc import Callable
from typing import Any

import pytest

from campaignkit.provider.client import BulkMessage, Personal, ViberClient
from tests.sandbox.contract import request_problems

from .peers import Peer
from .test_client import CALLS, TEXT, client, the_provider

Serve = Callable[..., Peer]
BUTTON = {"type": "button", "text": "Вітаем", "caption": "Адкрыць", "button_link": "https://a.by/?a=1&b=ў"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
PERSONAL = BulkMessage(
    alphaname_id="444",
    name="n",
    content={"type": "button", "image_url": "https://a.by/i.jpg", "caption": "C"},
    recipients=[Personal(phone=375291111111, text="Hi & =", button_link="https://a.by/1")],
    schedule_time="2094-12-01T10:00:00",
)
FULL: list[tuple[str, Callable[[ViberClient], Any]]] = [
    ("a personal bulk message", lambda api: api.send_bulk_viber([PERSONAL])),
    (
        "a quick button with an SMS",
        lambda api: api.send_quick_viber_message(vibername_id="12", phone=375291111111, content=BUTTON, sms_alphaname_id="7", sms_after=60),
    ),
    (
        "a quick picture",
        lambda api: api.send_quick_viber_message(
            vibername_id="12", phone=375291111111, content={"type": "image"}, image=PNG, image_name="a.png"
        ),
    ),
    (
        "a scheduled list",
        lambda api: api.send_viber_message_list(
            vibername_id="12", list_id="77", content=TEXT, name="news", schedule_time="2094-12-01 10:00"
        ),
    ),
    (
        "a list with a picture",
        lambda api: api.send_viber_message_list(vibername_id="12", list_id="77", content=BUTTON, image=PNG, image_name="a.png"),
    ),
    ("a later page", lambda api: api.get_viber_messages(limit_offset=100, limit_rows=50)),
    ("several replies", lambda api: api.read_response_status(["1", "2", "3"])),
]
EVERY = [(path.rpartition("/")[2], call) for path, call in CALLS] + FULL


def headers_of(lines: bytes) -> email.message.Message:
    return email.parser.BytesParser().parsebytes(lines)


@pytest.mark.parametrize("call", [call for _, call in EVERY], ids=[name for name, _ in EVERY])
def test_a_request_is_one_that_the_document_describes(serve: Serve, call: Callable[[ViberClient], Any]) -> None:
    peer = serve(the_provider)
    with client(peer.url) as api:
        call(api)
    [request] = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    first, _, lines = head.partition(b"\r\n")
    method, target, _ = first.decode("ascii").split(" ")
    path, _, query = target.partition("?")
    assert request_problems(method, path, query, headers_of(lines).get("Content-Type", ""), body) == []
