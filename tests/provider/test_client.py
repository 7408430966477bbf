"""The client as other programs use it: every method over the wire, and the example of its page as it stands there."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from campaignkit.errors import RefusedError
from campaignkit.model.outcomes import Outcome
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.client import BulkMessage, Personal, ViberClient, granted
from campaignkit.wire.records import QuickStatus
from tests.canary import TOKEN, assert_hidden, shown

from .peers import Peer, Script, answer, closed_port, listens, says

Serve = Callable[..., Peer]
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "client.md").read_text("utf-8")
UUID = "cc9c8043-8caf-11ef-b035-9e8f47954dec"
TEXT = {"type": "text", "text": "Вітаем"}
MAILING = {"message_id": 4905, "message_type": "TEXT", "status": "SENT", "button_link": "https://a.by"}
ANSWERS: dict[str, Any] = {
    "/api/v1/sendBulkViber": {"uuid": UUID, "success": "OK"},
    "/api/v1/statusBulkViber": [{"name": "n", "success": [{"phone": "375291111111", "status": "NEW"}]}],
    "/api/v2/sendQuickViberMessage": {"status": "OK", "result": {"message_id": 8484}},
    "/api/v2/getViberDeliveryData": {"status": "OK", "result": {"phone": "375293332211", "status": "READ", "error_code": 0}},
    "/api/v2/sendViberMessageList": {"status": "OK", "result": {"message_id": 4905, "count_subscribers": 4}},
    "/api/v2/confirmViberMessage": {"status": "OK"},
    "/api/v2/getViberMessages": {"status": "OK", "result": [MAILING, MAILING]},
    "/api/v2/getViberMessageData": {"status": "OK", "result": MAILING},
    "/api/v2/getViberDeliveryList": {
        "status": "OK",
        "result": [
            {"delivery_id": 100, "phone": "375293332211", "status": "DELIVERED", "error_code": 0},
            {"delivery_id": 101, "phone": "375293332212", "status": "UNDELIVERED", "error_code": 8},
        ],
    },
    "/api/v2/getNewIncomingMessages": {"status": "OK", "result": [{"id": "1234", "phone": "375293332211", "message": "Yes"}]},
    "/api/v2/readResponseStatus": {"status": "OK", "result": "Number of flagged messages: 1"},
}


def the_provider(conn: socket.socket, peer: Peer) -> None:
    """Answers every method as the documentation does, by its path."""
    target = peer.read_request(conn).split(b" ")[1].decode()
    conn.sendall(answer(json.dumps(ANSWERS[target.partition("?")[0]]).replace("/", "\\/").encode(), headers=b"Connection: close\r\n"))


def client(url: str, **given: Any) -> ViberClient:
    return ViberClient(url, TOKEN, connect_timeout=5, deadline=5, **given)


MESSAGE = BulkMessage(alphaname_id="444", name="n", content=TEXT, recipients=[375291111111, 375292222222])
CALLS: list[tuple[str, Callable[[ViberClient], Any]]] = [
    ("/api/v1/sendBulkViber", lambda api: api.send_bulk_viber([MESSAGE], callback_url="https://a.by/c")),
    ("/api/v1/statusBulkViber", lambda api: api.status_bulk_viber(UUID)),
    ("/api/v2/sendQuickViberMessage", lambda api: api.send_quick_viber_message(vibername_id="12", phone=375291111111, content=TEXT)),
    ("/api/v2/getViberDeliveryData", lambda api: api.get_viber_delivery_data("8484")),
    ("/api/v2/sendViberMessageList", lambda api: api.send_viber_message_list(vibername_id="12", list_id="77", content=TEXT)),
    ("/api/v2/confirmViberMessage", lambda api: api.confirm_viber_message("4905")),
    ("/api/v2/getViberMessages", lambda api: api.get_viber_messages()),
    ("/api/v2/getViberMessageData", lambda api: api.get_viber_message_data("4905")),
    ("/api/v2/getViberDeliveryList", lambda api: api.get_viber_delivery_list("4905")),
    ("/api/v2/getNewIncomingMessages", lambda api: api.get_new_incoming_messages("4905")),
    ("/api/v2/readResponseStatus", lambda api: api.read_response_status(["1234"])),
]
SENDING = [CALLS[at] for at in (0, 2, 4, 5)]
IN_QUERY = {"statusBulkViber", "confirmViberMessage", "getViberMessages", "getViberMessageData"}
each = pytest.mark.parametrize(("path", "call"), CALLS, ids=[path.rpartition("/")[2] for path, _ in CALLS])


def test_there_is_one_method_for_each_that_is_documented() -> None:
    named = {re.sub("_(.)", lambda found: found[1].upper(), name) for name in dir(ViberClient) if not name.startswith("_")}
    assert named - {"close"} == {path.rpartition("/")[2] for path in ANSWERS}
    assert all(f"`{name}`" in PAGE for name in named - {"close"})


@each
def test_every_method_asks_at_its_path_with_the_token_in_its_place(serve: Serve, path: str, call: Callable[[ViberClient], Any]) -> None:
    peer = serve(the_provider)
    with client(peer.url) as api:
        call(api)
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    target = head.split(b" ")[1].decode()
    assert target.partition("?")[0] == path
    in_query = path.rpartition("/")[2] in IN_QUERY
    assert (f"token={quote(TOKEN, safe='')}" in target) == in_query
    assert (TOKEN.encode() in body or quote(TOKEN, safe="").encode() in body) != in_query


@each
def test_the_setting_keeps_the_token_out_of_every_address(serve: Serve, path: str, call: Callable[[ViberClient], Any]) -> None:
    peer = serve(the_provider)
    with client(peer.url, token_in="body") as api:
        call(api)
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    assert head.split(b" ")[1].decode() == path
    assert TOKEN.encode() in body or quote(TOKEN, safe="").encode() in body


@each
def test_no_result_and_no_exception_holds_the_token(serve: Serve, path: str, call: Callable[[ViberClient], Any]) -> None:
    echo = json.dumps({"error": f"bad token {TOKEN}"}).encode()
    for script in (says(answer(echo, status="400 Bad", headers=b"Connection: close\r\n")), says(answer(echo)), the_provider):
        with client(serve(script).url) as api:
            try:
                seen = repr(call(api))
            except Exception as error:  # noqa: BLE001 - any of them
                seen = shown(error)
            assert_hidden(seen, repr(api), repr(vars(api)))


def test_what_the_documented_answers_give(serve: Serve) -> None:
    with client(serve(the_provider).url) as api:
        got = [call(api) for _, call in CALLS]
    bulk, statuses, quick, delivery, draft, confirmed, page, mailing, people, replies, marked = got
    assert [result.outcome for result in (bulk, quick, draft, confirmed)] == [Outcome.ACCEPTED] * 4
    assert [(result.uuid, result.count) for result in (bulk, quick, draft, confirmed)] == [
        (UUID, None),
        ("8484", None),
        ("4905", 4),
        ("", None),
    ]
    assert statuses.entries[0].rows[0].phone == 375291111111
    assert delivery == QuickStatus(375293332211, "READ", "")
    assert (len(page), page.entries, mailing.message_id, mailing.button_link) == (2, 2, "4905", "https://a.by")
    assert [person.error_code for person in people] == ["", "8"]
    assert (replies[0].message, marked) == ("Yes", 1)


@pytest.mark.parametrize(("path", "call"), SENDING)
def test_a_send_asks_its_intent(serve: Serve, path: str, call: Callable[[ViberClient], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(api: ViberClient, method: str) -> Any:
        original = getattr(api, method)
        return lambda *args, **kwargs: original(*args, **kwargs, intent=lambda: False)

    got: list[bytes] = []
    peer = serve(listens(got))
    with client(peer.url) as api:
        for name in ("send_bulk_viber", "send_quick_viber_message", "send_viber_message_list", "confirm_viber_message"):
            monkeypatch.setattr(api, name, refused(api, name))
        assert call(api).outcome is Outcome.NOT_SENT
    peer.wait_for_one()
    assert got == [b""]
    assert granted()


def sent(peer: Peer) -> Any:
    return json.loads(peer.requests[0].partition(b"\r\n\r\n")[2])


def test_a_bulk_request_has_the_documented_shape(serve: Serve) -> None:
    personal = BulkMessage(
        alphaname_id="444",
        name="p",
        content={"type": "button", "caption": "Push", "image_url": "https://a.by/i.jpg"},
        recipients=[Personal(phone=375291111111, text="Ў\n", button_link="https://a.by/1"), Personal(phone=375292222222, text="b")],
        schedule_time="2094-10-30T22:56:00",
    )
    peer = serve(the_provider)
    with client(peer.url) as api:
        api.send_bulk_viber([MESSAGE, personal])
    assert sent(peer) == {
        "token": TOKEN,
        "messages": [
            {
                "alphaname_id": "444",
                "name": "n",
                "message_type": "bulk",
                "content": TEXT,
                "delivery_list": ["375291111111", "375292222222"],
            },
            {
                "alphaname_id": "444",
                "name": "p",
                "message_type": "personal",
                "schedule_time": "2094-10-30T22:56:00",
                "content": {"type": "button", "image_url": "https://a.by/i.jpg", "caption": "Push"},
                "delivery_list": [
                    {"phone": "375291111111", "text": "Ў\n", "button_link": "https://a.by/1"},
                    {"phone": "375292222222", "text": "b"},
                ],
            },
        ],
    }


def bulk(recipients: Any, content: dict[str, str] | None = None) -> Callable[[ViberClient], Any]:
    message = BulkMessage(alphaname_id="444", name="n", content=content or TEXT, recipients=recipients)
    return lambda api: api.send_bulk_viber([message])


def quick(content: dict[str, str], **given: Any) -> Callable[[ViberClient], Any]:
    return lambda api: api.send_quick_viber_message(**{"vibername_id": "12", "phone": 375291111111, "content": content, **given})


def listed(content: dict[str, str], **given: Any) -> Callable[[ViberClient], Any]:
    return lambda api: api.send_viber_message_list(**{"vibername_id": "12", "list_id": "77", "content": content, **given})


IMAGE = b"\x89PNG"
BAD: list[tuple[str, Callable[[ViberClient], Any]]] = [
    ("recipients", bulk([])),
    ("recipients", bulk([375291111111, Personal(phone=375292222222, text="x")])),
    ("recipients", bulk([0])),
    ("recipients", bulk([10**15])),
    ("delivery element", bulk([Personal(phone=1)], {"type": "text"})),
    ("image", bulk([Personal(phone=1, text="x")], {"type": "image", "image_url": "u"})),
    ("150", bulk([Personal(phone=1, text="x", button_link="x" * 151)], {"type": "button", "caption": "c"})),
    ("surrogates", bulk([Personal(phone=1, text="\ud800")], {"type": "text"})),
    ("150", bulk([1], {"type": "button", "caption": "c", "button_link": "x" * 151})),
    ("colour", bulk([1], {"type": "text", "colour": "red"})),
    ("needs a text", quick({"type": "text"})),
    ("type of content", quick({"type": "video"})),
    ("image_url", quick({"type": "image"})),
    ("not both", quick({"type": "image", "image_url": "u"}, image=IMAGE)),
    ("button_link", quick({"type": "button", "caption": "c"})),
    ("5 to 60", quick(TEXT, sms_after=4)),
    ("5 to 60", quick(TEXT, sms_after=61)),
    ("phone", quick(TEXT, phone=-1)),
    ("vibername_id", quick(TEXT, vibername_id="")),
    ("surrogates", quick({"type": "text", "text": "\ud800"})),
    ("needs a text", listed({"type": "text"})),
    ("list_id", listed(TEXT, list_id="all")),
    ("no image", listed(TEXT, image=IMAGE)),
    ("schedule_time", listed(TEXT, schedule_time="2094-12-01T10:00:00")),
    ("digits", lambda api: api.confirm_viber_message("x")),
    ("digits", lambda api: api.get_viber_delivery_data("x")),
    ("replies", lambda api: api.read_response_status([])),
]


@pytest.mark.parametrize(("words", "call"), BAD)
def test_what_breaks_the_documentation_is_never_sent(serve: Serve, words: str, call: Callable[[ViberClient], Any]) -> None:
    peer = serve(the_provider)
    with client(peer.url) as api, pytest.raises(ValueError, match=words) as caught:
        call(api)
    assert peer.connections == 0
    assert_hidden(shown(caught.value))


def test_an_image_and_the_sms_go_along(serve: Serve) -> None:
    peer = serve(the_provider)
    content = {"type": "button", "text": "t", "caption": "c", "button_link": "https://a.by"}
    with client(peer.url) as api:
        quick(content, image=IMAGE, image_name="a.png", sms_alphaname_id="7", sms_after=5)(api)
        listed({"type": "text", "text": "t"}, name="n", schedule_time="2094-12-01 10:00")(api)
    assert b'filename="a.png"' in peer.requests[0]
    assert b'name="forwarding_time"\r\n\r\n5\r\n' in peer.requests[0]
    fields = parse_qsl(peer.requests[1].partition(b"\r\n\r\n")[2].decode())
    assert [name for name, _ in fields] == ["token", "name", "vibername_id", "list_id", "type_message", "message", "d_schedule"]


def test_the_policy_and_the_timeouts_are_the_callers(serve: Serve) -> None:
    slow = says(answer(b"", status="429 Slow"))
    with client(serve(slow).url, policy=ProviderBehaviour(throttled_is="unknown")) as api:
        assert api.confirm_viber_message("1").outcome is Outcome.UNKNOWN
    with client(serve(slow).url) as api:
        assert api.confirm_viber_message("1").outcome is Outcome.THROTTLED
    with client(f"http://127.0.0.1:{closed_port()}") as api:
        assert api.confirm_viber_message("1").outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("url", ["http://app.sms.by", "https://user:secret@app.sms.by", "sandbox"])
def test_what_cannot_be_sent_to_safely_is_refused(url: str) -> None:
    with pytest.raises(RefusedError) as caught:
        client(url)
    assert_hidden(shown(caught.value))


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(code: str, url: str) -> dict[str, Any]:
    known: dict[str, Any] = {}
    exec(compile(code.replace("https://app.sms.by", url), "docs/client.md", "exec"), known)
    return known


def test_the_example_of_the_page_prints_what_the_page_says(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMSBY_TOKEN", TOKEN)
    peer = serve(the_provider)
    example, _ = fenced("python")
    run(example, peer.url)
    out = capsys.readouterr().out
    assert out == fenced("text")[0]
    assert len(peer.requests) == 5


def test_the_messages_of_the_page_can_be_sent(serve: Serve) -> None:
    peer = serve(the_provider)
    known = run(fenced("python")[1], peer.url)
    with client(peer.url) as api:
        assert api.send_bulk_viber([known["news"]]).outcome is Outcome.ACCEPTED
    assert [person["text"] for person in sent(peer)["messages"][0]["delivery_list"]] == ["Hello, Anna", "Hello, Ivan"]


def test_the_example_also_ends_well_where_nothing_works(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSBY_TOKEN", TOKEN)
    refusing: Script = says(answer(b'{"error":"token is invalid"}', status="403 No"))
    run(fenced("python")[0], serve(refusing).url)
