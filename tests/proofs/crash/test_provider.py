"""The simulated provider: nothing of the client it judges, and a log that is true before anybody hears an answer."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

from tests.proofs.crash.behaviours import BEHAVIOURS, Ending
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.upstream import ROOT


def test_it_shares_no_code_with_the_client() -> None:
    code = "import sys, tests.proofs.crash.provider; print(sorted(name for name in sys.modules if name.startswith('campaignkit')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def ask(stage: Stage, history: str, body: bytes, *, cut: int = 0) -> bytes:
    """Send one request, or all but the last `cut` bytes of it; what comes back."""
    with socket.create_connection(("127.0.0.1", stage.upstream.port), timeout=2) as sock:
        head = f"POST /{history}/api/v1/sendBulkViber HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
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


def test_what_it_accepts_stands_in_its_log_and_nothing_else_does(stage: Stage) -> None:
    for name, behaviour in BEHAVIOURS.items():
        stage.upstream.reset("probe")
        stage.upstream.script("probe", [name])
        answer = ask(stage, "probe", BODY)
        events = [line["event"] for line in stage.upstream.log("probe")]
        assert ("accepted" in events) == behaviour.accepts, name
        if behaviour.ending is Ending.WHOLE:
            assert answer.startswith(f"HTTP/1.1 {behaviour.status} ".encode()), name


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
