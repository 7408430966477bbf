"""The simulated provider: nothing of the client it judges, and a log that is true before anybody hears an answer."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from tests.proofs.crash.behaviours import BEHAVIOURS, Ending
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.upstream import ROOT


def test_it_shares_no_code_with_the_client() -> None:
    code = "import sys, tests.proofs.crash.provider; print(sorted(name for name in sys.modules if name.startswith('campaignkit')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def ask(stage: Stage, history: str, body: bytes, *, cut: int = 0, method: str = "v1/sendBulkViber") -> bytes:
    """Send one request, or all but the last `cut` bytes of it; what comes back."""
    with socket.create_connection(("127.0.0.1", stage.upstream.port), timeout=2) as sock:
        head = f"POST /{history}/api/{method} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        answer = b""
        try:
            sock.sendall((head + body)[: len(head) + len(body) - cut])
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(4096):
                answer += piece
        except OSError:  # a reset is one of its answers
            return answer
        return answer


BODY = json.dumps({"messages": [{"name": "spring/invitation 1of1 ck-x", "delivery_list": ["375291111111"]}]}).encode()
QUICK_BODY = urlencode({"token": "t-3-1", "phone": "375291111111", "message": "spring/code 1"}).encode()
LIST_BODY = urlencode({"token": "t-3-1", "name": "spring/news 1of1 ck-x", "list_id": "77"}).encode()
LIST, CONFIRM = "v2/sendViberMessageList", "v2/confirmViberMessage?token=t-3-2"
CALLS = {
    "bulk": ("v1/sendBulkViber", BODY, "accepted"),
    "quick": ("v2/sendQuickViberMessage", QUICK_BODY, "accepted"),
    "list": (LIST, LIST_BODY, "drafted"),
    "confirm": (CONFIRM, b"message_id=4905001", "accepted"),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_it_accepts_stands_in_its_log_and_nothing_else_does(call: str, stage: Stage) -> None:
    method, body, taken = CALLS[call]
    for name, behaviour in BEHAVIOURS.items():
        if behaviour.ending is Ending.DRIP and call != "bulk":
            continue  # it takes seconds, and is the same for all
        stage.upstream.reset("probe")
        before = ["received", "drafted"] if call == "confirm" else []
        if before:
            ask(stage, "probe", LIST_BODY, method=LIST)
        stage.upstream.script("probe", [name])
        answer = ask(stage, "probe", body, method=method)
        events = [line["event"] for line in stage.upstream.log("probe")][len(before) :]
        assert (taken in events) == behaviour.accepts, name
        if behaviour.ending is Ending.WHOLE:
            assert answer.startswith(f"HTTP/1.1 {behaviour.status} ".encode()), name


def status(stage: Stage) -> str:
    body = ask(stage, "probe", b"message_id=4905001", method="v2/getViberMessageData?token=t").partition(b"\r\n\r\n")[2]
    return str(json.loads(body)["result"]["status"])


def test_a_draft_is_one_until_a_confirm_counts_and_each_confirm_counts(stage: Stage) -> None:
    stage.upstream.reset("probe")
    assert b"not found" in ask(stage, "probe", b"message_id=4905001", method="v2/getViberMessageData")
    assert b'"message_id":4905001,"count_subscribers":4' in ask(stage, "probe", LIST_BODY, method=LIST)
    assert status(stage) == "DRAFT"
    assert b'"result": []' in ask(stage, "probe", b"message_id=4905001", method="v2/getViberDeliveryList")
    stage.upstream.script("probe", ["refuse_400", "accept_close", "accept"])
    for _ in range(3):
        ask(stage, "probe", b"message_id=4905001", method=CONFIRM)
    assert status(stage) == "SENT"
    assert ask(stage, "probe", b"message_id=4905001", method="v2/getViberDeliveryList").count(b'"READ"') == 4
    lines = [line for line in stage.upstream.log("probe") if line["event"] != "received"]
    assert [(line["event"], line["name"], line["phones"], line["by"]) for line in lines] == [
        ("drafted", "spring/news 1of1 ck-x", ["0"], ["3", "1"]),
        ("refused", "spring/news 1of1 ck-x", ["0"], ["3", "2"]),
        ("accepted", "spring/news 1of1 ck-x", ["0"], ["3", "2"]),
        ("accepted", "spring/news 1of1 ck-x", ["0"], ["3", "2"]),
    ]


def test_a_record_lags_in_the_turn_of_its_confirm_only(stage: Stage) -> None:
    stage.upstream.reset("probe")
    ask(stage, "probe", LIST_BODY, method=LIST)
    stage.upstream.script("probe", [], ["lag", "odd", "plain"])
    ask(stage, "probe", b"message_id=4905001", method=CONFIRM)
    said = [status(stage) for _ in range(3)]
    assert said == ["DRAFT", "MODERATED", "SENT"]
    stage.upstream.script("probe", [], ["lag"])
    assert status(stage) == "SENT"


def test_a_quick_message_is_known_by_its_phone(stage: Stage) -> None:
    stage.upstream.reset("probe")
    assert b'"message_id":4905001' in ask(stage, "probe", QUICK_BODY, method="v2/sendQuickViberMessage")
    assert b'"375291111111"' in ask(stage, "probe", b"message_id=4905001", method="v2/getViberDeliveryData")
    [_, taken] = stage.upstream.log("probe")
    assert (taken["name"], taken["phones"], taken["by"]) == ("spring/code", ["375291111111"], ["3", "1"])


@pytest.mark.parametrize("how", ["error_500", "page", "not_found", "close", "cut"])
def test_an_answer_to_a_question_may_get_lost(how: str, stage: Stage) -> None:
    stage.upstream.reset("probe")
    ask(stage, "probe", LIST_BODY, method=LIST)
    stage.upstream.script("probe", [], [how])
    assert b'"DRAFT"' not in ask(stage, "probe", b"message_id=4905001", method="v2/getViberMessageData") or how == "cut"


def test_a_request_that_broke_off_is_not_accepted(stage: Stage) -> None:
    stage.upstream.reset("probe")
    ask(stage, "probe", BODY, cut=1)
    assert [line["event"] for line in stage.upstream.log("probe")] == ["received", "partial"]


def test_a_log_waits_for_what_is_under_way(stage: Stage) -> None:
    stage.upstream.reset("probe")
    stage.upstream.script("probe", ["accept_slow"])
    with socket.create_connection(("127.0.0.1", stage.upstream.port), timeout=2) as sock:
        sock.sendall(b"POST /probe/api/v1/sendBulkViber HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY))
    assert [line["event"] for line in stage.upstream.log("probe")] == ["received", "accepted"]
