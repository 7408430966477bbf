"""The other three calls that send, each against real sockets that misbehave: quick messages, drafts and confirmations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.secret import Secret
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.send import BulkSender
from campaignkit.wire.forms import Form, encode_form
from tests import canary
from tests.canary import assert_hidden, shown

from .peers import Peer, Script, answer, closed_port, drips, listens, resets_after, says, stalls

Serve = Callable[..., Peer]
Intent = Callable[[], bool]
TOKEN = Secret(canary.TOKEN)
IN_URL = quote(TOKEN, safe="").encode()
A, R, T, N, U = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT, Outcome.UNKNOWN
ERROR = b'{"error":"no such number"}'
STATED = b'{"status":"error","message":"no such number"}'
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100


@dataclass(frozen=True)
class Method:
    """One call, what its documented answer is, and what is known then."""

    name: str
    path: str
    accepted: bytes
    uuid: str
    count: int | None

    def send(self, url: str, *, intent: Intent = lambda: True, image: bytes = b"", **given: Any) -> SendResult:
        given = {"connect_timeout": 5, "deadline": 5, "policy": ProviderBehaviour(), **given}
        sender = BulkSender(url, TOKEN, **given)
        if self.name == "confirm":
            return sender.confirm("4905", intent=intent)
        call = sender.send_quick if self.name == "quick" else sender.create_draft
        return call(form(image), intent=intent)


def form(image: bytes = b"") -> Form:
    return encode_form({"vibername_id": "12", "message": "Вітаем + &"}, token=TOKEN, image=image, image_name="hello.png")


METHODS = [
    Method("quick", "sendQuickViberMessage", b'{"status":"OK","result":{"message_id":8484}}', "8484", None),
    Method("draft", "sendViberMessageList", b'{"status":"OK","result":{"message_id":"4905","count_subscribers":4}}', "4905", 4),
    Method("confirm", "confirmViberMessage", b'{"status":"OK"}', "", None),
]
each = pytest.mark.parametrize("method", METHODS, ids=[method.name for method in METHODS])


class Asked(list[str]):
    """An intent that notes that it was asked."""

    def __call__(self) -> bool:
        self.append("asked")
        return True


def request_of(peer: Peer) -> tuple[list[str], bytes]:
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


@each
def test_an_accepted_call_is_one_plain_post(serve: Serve, method: Method) -> None:
    peer = serve(says(answer(method.accepted)))
    result = method.send(peer.url)
    assert (result.outcome, result.uuid, result.count, result.http_status) == (A, method.uuid, method.count, 200)
    assert (result.phase, result.halt, result.answer) == (Phase.DONE, False, method.accepted)
    lines, body = request_of(peer)
    assert lines[0].startswith(f"POST /api/v2/{method.path}")
    assert {"Connection: close", f"Content-Length: {len(body)}", "Content-Type: application/x-www-form-urlencoded"} < set(lines)
    assert result.bytes_written == len(peer.requests[0])
    assert peer.connections == 1


def test_the_token_of_a_form_stands_in_it_and_that_of_a_confirmation_in_the_query(serve: Serve) -> None:
    for method in METHODS[:2]:
        peer = serve(says(answer(method.accepted)))
        method.send(peer.url, token_in="body")
        lines, body = request_of(peer)
        assert lines[0] == f"POST /api/v2/{method.path} HTTP/1.1"
        assert body == form().body
    confirm = METHODS[2]
    peer = serve(says(answer(confirm.accepted)))
    confirm.send(peer.url)
    lines, body = request_of(peer)
    assert lines[0].encode() == b"POST /api/v2/confirmViberMessage?token=%b HTTP/1.1" % IN_URL
    assert body == b"message_id=4905"


def test_the_setting_moves_the_token_of_a_confirmation_into_its_form(serve: Serve) -> None:
    peer = serve(says(answer(METHODS[2].accepted)))
    METHODS[2].send(peer.url, token_in="body")
    lines, body = request_of(peer)
    assert lines[0] == "POST /api/v2/confirmViberMessage HTTP/1.1"
    assert body == b"token=%b&message_id=4905" % IN_URL


def test_without_a_token_none_is_sent(serve: Serve) -> None:
    peer = serve(says(answer(METHODS[2].accepted)))
    sender = BulkSender(f"{peer.url}/base/", "", connect_timeout=1, deadline=1, policy=ProviderBehaviour())
    assert sender.confirm("7", intent=lambda: True).outcome is A
    lines, body = request_of(peer)
    assert (lines[0], body) == ("POST /base/api/v2/confirmViberMessage HTTP/1.1", b"message_id=7")


@pytest.mark.parametrize("method", METHODS[:2], ids=["quick", "draft"])
def test_an_image_goes_along_as_multipart(serve: Serve, method: Method) -> None:
    peer = serve(says(answer(method.accepted)))
    assert method.send(peer.url, image=IMAGE).outcome is A
    lines, body = request_of(peer)
    assert f"Content-Type: {form(IMAGE).content_type}" in lines
    assert IMAGE in body
    assert body == form(IMAGE).body


def status(line: str, body: bytes = b"", headers: bytes = b"") -> Script:
    return says(answer(body, status=line, headers=headers))


HALTING = {"401 Who", "403 No", "404 Not Found", "301 Moved", "303 See Other", "307 Temporary"}
ENDS = [
    *[("200 OK", body, R) for body in (ERROR, STATED)],
    *[(line, body, R) for line in ("400 Bad", "401 Who", "403 No", "404 Not Found", "422 Odd") for body in (b"", ERROR, STATED, b"<html>")],
    ("429 Slow", b"", T),
    ("429 Slow", ERROR, T),
    ("403 Slow", b'{"error":"limit excided"}', T),
    *[("200 OK", body, U) for body in (b"", b"<html>", b"{}", b"[]", b'{"status":"SENT"}', b'["OK"]')],
    *[(line, body, U) for line in ("500 Oh", "502 Bad", "503 Busy", "504 Late") for body in (b"", ERROR, STATED, b"<html>")],
    *[(line, b"", U) for line in ("301 Moved", "303 See Other", "307 Temporary", "204 No Content", "206 Part")],
]


@each
@pytest.mark.parametrize(("line", "body", "outcome"), ENDS, ids=lambda value: value if isinstance(value, str) else "")
def test_whole_answers(serve: Serve, method: Method, line: str, body: bytes, outcome: Outcome) -> None:
    other = serve(says(answer(method.accepted)))
    peer = serve(status(line, body, f"Location: {other.url}/\r\nRetry-After: 7\r\n".encode()))
    result = method.send(peer.url)
    assert (result.outcome, result.uuid, result.count) == (outcome, "", None)
    assert result.halt == (line in HALTING)
    assert result.retry_after == (7.0 if outcome is T else None)
    assert (peer.connections, other.connections) == (1, 0)


@each
def test_an_answer_that_contradicts_itself_is_unknown(serve: Serve, method: Method) -> None:
    for line in ("400 Bad", "500 Oh", "307 Temporary"):
        assert method.send(serve(status(line, method.accepted)).url).outcome is U


CUT = [
    (resets_after(), Phase.WAITING),
    (says(b""), Phase.WAITING),
    (stalls(b""), Phase.WAITING),
    (resets_after(b"HTTP/1.1 200"), Phase.ANSWERING),
    (stalls(b"HTTP/1.1 200 OK\r\nContent-Le"), Phase.ANSWERING),
    (drips(b"HTTP/1.1 200 OK\r\nX: ", b"y"), Phase.ANSWERING),
    (says(b"garbage\r\n\r\n"), Phase.ANSWERING),
]


@each
@pytest.mark.parametrize(("script", "phase"), CUT)
def test_what_ends_before_a_whole_head_is_unknown(serve: Serve, method: Method, script: Script, phase: Phase) -> None:
    peer = serve(script)
    result = method.send(peer.url, deadline=0.3)
    assert (result.outcome, result.phase, result.uuid) == (U, phase, "")
    assert result.bytes_written == len(peer.requests[0])
    assert peer.connections == 1


@each
def test_a_truncated_answer_is_unknown_whatever_it_holds(serve: Serve, method: Method) -> None:
    for body in (method.accepted, method.accepted[:-1], ERROR):
        for cut in (says(answer(body, length=999)), stalls(answer(body, length=999)), resets_after(answer(body, length=999))):
            result = method.send(serve(cut).url, deadline=0.3)
            assert (result.outcome, result.phase, result.uuid, result.count) == (U, Phase.ANSWERING, "", None)


@each
def test_a_reset_while_the_request_is_written_is_unknown(serve: Serve, method: Method) -> None:
    result = method.send(serve(resets_after(read=False)).url, image=IMAGE * 400)
    assert result.outcome is U
    assert result.bytes_written > 0


@each
def test_what_never_connects_is_not_sent_and_not_asked_for(method: Method) -> None:
    asked = Asked()
    result = method.send(f"http://127.0.0.1:{closed_port()}", intent=asked)
    assert (result.outcome, result.phase, result.bytes_written) == (N, Phase.CONNECTING, 0)
    assert asked == []


@each
def test_an_intent_that_is_denied_sends_nothing(serve: Serve, method: Method) -> None:
    got: list[bytes] = []
    peer = serve(listens(got))
    result = method.send(peer.url, intent=lambda: False)
    assert (result.outcome, result.phase, result.bytes_written) == (N, Phase.CONNECTED, 0)
    peer.wait_for_one()
    assert got == [b""]


@each
def test_an_intent_that_breaks_passes_through_and_sends_nothing(serve: Serve, method: Method) -> None:
    def intent() -> bool:
        raise LookupError

    got: list[bytes] = []
    peer = serve(listens(got))
    with pytest.raises(LookupError) as caught:
        method.send(peer.url, intent=intent)
    peer.wait_for_one()
    assert got == [b""]
    assert_hidden(shown(caught.value))


@each
def test_a_machine_that_slept_after_the_intent_does_not_send(serve: Serve, method: Method) -> None:
    got: list[bytes] = []
    peer = serve(listens(got))
    ticks = iter([0.0, 31.0])
    assert method.send(peer.url, clock=lambda: next(ticks)).outcome is N
    peer.wait_for_one()
    assert got == [b""]


@each
def test_an_echoed_token_is_nowhere_in_the_result(serve: Serve, method: Method) -> None:
    for line in ("200 OK", "400 Bad", "500 Oh"):
        for body in (b'{"error":"bad token %b"}', b'{"status":"error","message":"%b"}', b"<p>/?token=%b"):
            result = method.send(serve(status(line, body % TOKEN.encode())).url)
            assert_hidden(repr(result), result.answer)
            assert "[token]" in repr(result)


@each
def test_the_settings_for_odd_answers_hold_for_all(serve: Serve, method: Method) -> None:
    policy = ProviderBehaviour(throttled_is="unknown", error_in_200_is="unknown")
    for line, body in (("429 Slow", b""), ("200 OK", ERROR), ("200 OK", STATED)):
        assert method.send(serve(status(line, body)).url, policy=policy).outcome is U


@pytest.mark.parametrize("message_id", ["", "x", "4905&x=1", "4905\r\nX: y", "0", "1" * 19, "١"])
def test_only_digits_are_confirmed(serve: Serve, message_id: str) -> None:
    sender = BulkSender(f"http://127.0.0.1:{closed_port()}", TOKEN, connect_timeout=1, deadline=1, policy=ProviderBehaviour())
    asked = Asked()
    with pytest.raises(ValueError, match="digits") as caught:
        sender.confirm(message_id, intent=asked)
    assert asked == []
    assert_hidden(shown(caught.value))
