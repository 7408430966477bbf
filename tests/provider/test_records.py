"""Reads by the v2 methods, and the marks, against real sockets: places of the token, refusals, odd answers, repeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from campaignkit.errors import ProviderError
from campaignkit.model.secret import Secret
from campaignkit.provider.port import NotVisibleError
from campaignkit.provider.records import MarkClient, RecordClient
from campaignkit.wire.records import DeliveryRow, IncomingMessage, MailingRecord, QuickStatus
from campaignkit.wire.text import clean
from tests import canary
from tests.canary import assert_hidden, shown

from .peers import Peer, Script, answer, closed_port, resets_after, says, stalls

Serve = Callable[..., Peer]
TOKEN = Secret(canary.TOKEN)
IN_URL = quote(TOKEN, safe="")
ERROR = b'{"error":"no such mailing"}'
STATED = b'{"status":"error","message":"no such mailing"}'
ROW = {"message_id": 4905, "message_type": "TEXT", "message": "Hi", "status": "SENT", "cost": "0.04900 EUR"}
RECORD = MailingRecord("4905", "TEXT", "Hi", "", "", "", "SENT", "", "", "0.04900 EUR")


def ok(result: Any) -> bytes:
    return json.dumps({"status": "OK", "result": result}).encode()


@dataclass(frozen=True)
class Read:
    """One call, and what stands in its request and its answer."""

    name: str
    path: str
    call: Callable[[Any], Any]
    fields: str
    in_query: bool
    result: Any
    expected: Any
    by_id: bool = True

    def ask(self, url: str, sleep: Callable[[float], None] = lambda _: None, **given: Any) -> Any:
        given = {"token_in": "documented", "connect_timeout": 5, "read_timeout": 5, **given}
        kind = MarkClient if self.name == "mark" else RecordClient
        with kind(url, TOKEN, sleep=sleep, **given) as client:
            return self.call(client)


READS = [
    Read(
        "quick",
        "getViberDeliveryData",
        lambda client: client.quick_status("4905"),
        "message_id=4905",
        False,
        {"phone": "375293332211", "status": "READ", "error_code": 0},
        QuickStatus(375293332211, "READ", ""),
    ),
    Read("mailing", "getViberMessageData", lambda client: client.mailing("4905"), "message_id=4905", True, ROW, RECORD),
    Read(
        "mailings",
        "getViberMessages",
        lambda client: client.mailings(offset=200, rows=100),
        "limit_offset=200&limit_rows=100",
        True,
        [ROW],
        (RECORD,),
        by_id=False,
    ),
    Read(
        "deliveries",
        "getViberDeliveryList",
        lambda client: client.deliveries("4905"),
        "message_id=4905",
        False,
        [{"delivery_id": 100, "phone": "375293332211", "status": "NEW", "error_code": 8}],
        (DeliveryRow(100, 375293332211, "NEW", "8"),),
    ),
    Read(
        "incoming",
        "getNewIncomingMessages",
        lambda client: client.incoming("4905"),
        "message_id=4905",
        False,
        [{"id": "1234", "phone": "375293332211", "message": "Yes", "d_receiver": "2022-09-01 10:39:45"}],
        (IncomingMessage("1234", 375293332211, "Yes", "2022-09-01 10:39:45"),),
    ),
    Read(
        "mark",
        "readResponseStatus",
        lambda client: client.mark_read(["1", "b-2"]),
        "incoming_messages=1%2Cb-2",
        False,
        "Number of flagged messages: 2",
        2,
        by_id=False,
    ),
]
each = pytest.mark.parametrize("read", READS, ids=[read.name for read in READS])


def target_and_body(peer: Peer) -> tuple[str, str]:
    head, _, body = peer.requests[-1].partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body.decode()


@each
def test_the_documented_request_and_answer(serve: Serve, read: Read) -> None:
    peer = serve(says(answer(ok(read.result).replace(b"/", b"\\/"))))
    assert read.ask(peer.url) == read.expected
    query = f"?token={IN_URL}" if read.in_query else ""
    in_form = "" if read.in_query else f"token={IN_URL}&"
    assert target_and_body(peer) == (f"POST /api/v2/{read.path}{query} HTTP/1.1", in_form + read.fields)


@each
def test_the_setting_moves_all_into_the_form(serve: Serve, read: Read) -> None:
    peer = serve(says(answer(ok(read.result))))
    assert read.ask(peer.url, token_in="body") == read.expected
    assert target_and_body(peer) == (f"POST /api/v2/{read.path} HTTP/1.1", f"token={IN_URL}&{read.fields}")


REFUSALS = [
    ("404 Not Found", b"<html>", True),
    ("404 Not Found", ERROR, True),
    ("200 OK", ERROR, True),
    ("200 OK", STATED, True),
    ("400 Bad", STATED, True),
    ("400 Bad", b"", False),
    ("401 Who", ERROR, False),
    ("403 No", b'{"error":"token %b is invalid \x1b"}' % TOKEN.encode(), False),
    ("302 Found", b"", False),
    ("204 No", b"", False),
    ("200 OK", b"", False),
    ("200 OK", b"<html>", False),
    ("200 OK", b'{"status":"OK"}', False),
    ("200 OK", b"[" * 10_000, False),
    ("200 OK", b'{"result":"%b' % TOKEN.encode(), False),
]


@each
@pytest.mark.parametrize(("line", "body", "unseen"), REFUSALS)
def test_what_is_no_record(serve: Serve, read: Read, line: str, body: bytes, unseen: bool) -> None:
    peer = serve(says(answer(body, status=line)))
    with pytest.raises(ProviderError) as caught:
        read.ask(peer.url)
    assert type(caught.value) is (NotVisibleError if unseen and read.by_id else ProviderError)
    assert peer.connections == 1
    assert clean(str(caught.value), 10_000) == str(caught.value)
    assert "?" not in str(caught.value)
    assert_hidden(shown(caught.value))


def reader(url: str) -> RecordClient:
    return RecordClient(url, TOKEN, token_in="documented", connect_timeout=5, read_timeout=5)


@pytest.mark.parametrize("read", READS[:-1], ids=[read.name for read in READS[:-1]])
def test_a_result_of_another_kind_is_no_record(serve: Serve, read: Read) -> None:
    with pytest.raises(ProviderError, match="of no use: the result is no"):
        read.ask(serve(says(answer(ok(7.5)))).url)


def busy(line: str, headers: bytes = b"") -> Script:
    return says(answer(b"", status=line, headers=headers + b"Connection: close\r\n"))


@each
@pytest.mark.parametrize(
    "trouble", [busy("500 Oh"), busy("503 Busy"), busy("429 Slow"), resets_after(), says(answer(b"[]", length=99)), stalls(b"")]
)
def test_it_is_repeated_at_most_twice(serve: Serve, read: Read, trouble: Script) -> None:
    waits: list[float] = []
    peer = serve(trouble, trouble, says(answer(ok(read.result))))
    assert read.ask(peer.url, waits.append, read_timeout=0.3) == read.expected
    assert waits == [1.0, 2.0]
    peer = serve(trouble)
    with pytest.raises(ProviderError, match="3 times in a row") as caught:
        read.ask(peer.url, read_timeout=0.1)
    assert peer.connections == 3
    assert_hidden(shown(caught.value))


@each
def test_nobody_there(read: Read) -> None:
    with pytest.raises(ProviderError, match="the connection broke") as caught:
        read.ask(f"http://127.0.0.1:{closed_port()}")
    assert type(caught.value) is ProviderError
    assert_hidden(shown(caught.value))


@each
def test_a_compressed_answer_and_one_too_large_are_refused(serve: Serve, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProviderError, match="compressed"):
        read.ask(serve(says(answer(b"x", headers=b"Content-Encoding: gzip\r\n"))).url)
    monkeypatch.setattr("campaignkit.provider.reads.LARGEST_ANSWER", 1 << 20)
    with pytest.raises(ProviderError, match="more than 1 MiB"):
        read.ask(serve(says(answer(b" " * (2 << 20)))).url)


def test_an_echoed_token_is_blotted_in_every_record(serve: Serve) -> None:
    token = str(TOKEN)
    rows = {**ROW, "message": token, "button_link": f"https://a.by/?t={quote(token, safe='')}"}
    assert_hidden(repr(READS[1].ask(serve(says(answer(ok(rows)))).url)))
    reply = READS[4].ask(serve(says(answer(ok([{"id": "1", "message": f"my key is {token}"}])))).url)
    assert reply[0].message == "my key is [token]"


def test_another_mailing_than_the_one_asked_about_is_no_answer(serve: Serve) -> None:
    for asked, given in (("4905", 4906), ("4905", "490")):
        peer = serve(says(answer(ok({**ROW, "message_id": given}))))
        with reader(peer.url) as client, pytest.raises(ProviderError, match="answered about"):
            client.mailing(asked)
    without = says(answer(ok({"viber_id": "04905", "status": "SENT"})))
    assert READS[1].ask(serve(without).url).status == "SENT"
    nameless = says(answer(ok({"status": "SENT"})))
    assert READS[1].ask(serve(nameless).url).message_id == ""


def test_an_empty_inbox_and_a_short_page(serve: Serve) -> None:
    assert READS[4].ask(serve(says(answer(ok([])))).url) == ()
    page = READS[2].ask(serve(says(answer(ok([ROW, None, 5])))).url)
    assert (len(page), page.entries, page.notes) == (1, 3, ("entry 2 is no object", "entry 3 is no object"))


@pytest.mark.parametrize("message_id", ["", "x", "1,2", "4905&token=x", "0", "1" * 19])
def test_only_digits_are_asked_about(message_id: str) -> None:
    with reader(f"http://127.0.0.1:{closed_port()}") as client:
        for call in (client.quick_status, client.mailing, client.deliveries, client.incoming):
            with pytest.raises(ValueError, match="digits"):
                call(message_id)


@pytest.mark.parametrize("ids", [[], ["1", ""], ["1,2"], ["1", "2 3"], ["1\n"]])
def test_only_ids_are_marked(ids: list[str]) -> None:
    client = MarkClient(f"http://127.0.0.1:{closed_port()}", TOKEN, token_in="body", connect_timeout=5, read_timeout=5)
    with client, pytest.raises(ValueError, match="replies"):
        client.mark_read(ids)


def test_nothing_that_reads_can_send_or_mark() -> None:
    assert not [name for name in dir(RecordClient) if "send" in name or "mark" in name or "confirm" in name]
    assert not hasattr(MarkClient, "send_bulk")
