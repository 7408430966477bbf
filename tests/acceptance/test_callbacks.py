"""Callbacks from end to end, with real processes: a receiver, a provider that loses its answers, and people who lie."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.states.spills import Spilled, SpillFile
from tests.acceptance.places import Provider, Workplace, phones, wait_until
from tests.canary import TOKEN
from tests.schemas.documents import problems

Live = Callable[..., Provider]


def losing(*numbers: int, fault: str = "drop_after", **options: Any) -> dict[str, Any]:
    return {"callbacks": True, "faults": [{"method": "sendBulkViber", "fault": fault, "nth": list(numbers)} | options]}


@dataclass
class Receiver:
    """`campaignkit callbacks serve` in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        try:
            out, err = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, out + err


def point_to(place: Workplace, url: str) -> None:
    """Give the environment a callback_url."""
    text = (place.root / "campaignkit.yaml").read_text("utf-8")
    place.write("campaignkit.yaml", text.replace("rate: 10000/s", f'rate: 10000/s, callback_url: "{url}"'))


@pytest.fixture
def receive(place: Workplace) -> Iterator[Callable[[], Receiver]]:
    running: list[Receiver] = []

    def start() -> Receiver:
        process = place.start("callbacks", "serve", "--port", "0")
        assert process.stdout is not None
        match = re.fullmatch(r"callbacks of live: (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
        assert match
        running.append(Receiver(match[1], process))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.stop()


@dataclass
class Hook:
    """A webhook of the operator's own, elsewhere: it writes down what it got, and tells campaignkit nothing."""

    url: str = ""
    got: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.got.append({"path": self.path, "body": body})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/ck?site=1"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def post(url: str, path: str, body: bytes = b"", *, method: str = "POST", **fields: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, fields)
        return connection.getresponse().status
    finally:
        connection.close()


def hints(place: Workplace) -> list[dict[str, Any]]:
    document = place.ok("resolve", "--format", "json").json
    assert problems("resolve", document) == []
    return [hint for request in document["requests"] for hint in request["hints"]]


def test_a_lost_answer_is_settled_by_refresh_and_nobody_is_sent_twice(
    place: Workplace, live: Live, receive: Callable[[], Receiver]
) -> None:
    provider = live(people=25, scenario=losing(1))
    receiver = receive()
    point_to(place, f"{receiver.url}/ck?site=1")
    assert place.run("apply", "--auto-approve").code == 7
    wait_until(lambda: len(hints(place)) == 1)
    listing = place.ok("resolve").out
    assert "hint: a callback of" in listing
    assert "campaignkit refresh --env live" in listing
    refreshed = place.run("refresh", "--format", "json")
    assert refreshed.code == 0, refreshed.err
    assert problems("refresh", refreshed.json) == []
    [settled] = refreshed.json["settled"]
    assert (settled["request"], settled["recipients"]) == ("r1", 10)
    assert settled["uuid"] == provider.ledger()["requests"][0]["uuid"]
    assert "r1: accepted after all, 10 people" in refreshed.err
    done = place.run("apply", "--auto-approve", "--format", "json")
    assert (done.code, done.summary["accepted"]) == (0, 15)
    assert sorted(provider.accepted().elements()) == phones(25)
    wait_until(lambda: export(place, "callback") == 3)
    code, said = receiver.stop()
    assert code == 0
    assert not re.search("|".join([*phones(25), TOKEN, "[A-Za-z0-9_-]{43}"]), said)
    place.ok("state", "verify")
    assert [path.name for path in (place.root / "state").iterdir() if path.name.startswith("live.db")] == ["live.db"]


def export(place: Workplace, kind: str) -> int:
    return sum(record["type"] == kind for record in place.ok("state", "export").records)


def test_apply_settles_at_its_start(place: Workplace, live: Live, receive: Callable[[], Receiver]) -> None:
    provider = live(people=25, scenario=losing(1, fault="http_500_after"))
    receiver = receive()
    point_to(place, f"{receiver.url}/ck")
    assert place.run("apply", "--auto-approve").code == 7
    wait_until(lambda: len(hints(place)) == 1)
    done = place.run("apply", "--auto-approve", "--format", "json")
    assert done.code == 0, done.err
    assert [record["type"] for record in done.records] == ["settled", "plan", "request", "request", "summary"]
    assert [found for record in done.records for found in problems("apply-record", record)] == []
    assert sorted(provider.accepted().elements()) == phones(25)
    assert receiver.stop(signal.SIGINT)[0] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="finds threads in /proc, and chooses one by its id")
def test_a_signal_that_another_thread_is_given_ends_the_receiver_too(place: Workplace, live: Live, receive: Callable[[], Receiver]) -> None:
    """Whichever thread happens to run may be given it, which is how one signal in hundreds was never heard."""
    live(people=1)
    receiver = receive()
    assert post(receiver.url, "/ck/none") == 404  # it is at its work, and the main thread at rest
    threads = {int(task.name) for task in Path(f"/proc/{receiver.process.pid}/task").iterdir()} - {receiver.process.pid}
    for thread in threads:
        os.kill(thread, signal.SIGTERM)
    out, err = receiver.process.communicate(timeout=30)
    assert (receiver.process.returncode, out) == (0, "")
    assert "Ending" in err


def test_a_killed_apply_is_settled_by_the_callback_that_came_meanwhile(
    place: Workplace, live: Live, receive: Callable[[], Receiver]
) -> None:
    """The callback is faster than the answer, and the process dies before either is recorded."""
    provider = live(people=25, scenario=losing(1, fault="slow", seconds=20))
    point_to(place, f"{receive().url}/ck")
    process = place.start("apply", "--auto-approve")
    wait_until(lambda: len(provider.accepted()) == 10)
    wait_until(lambda: export(place, "callback") == 1)
    process.kill()
    process.communicate()
    done = place.run("apply", "--auto-approve", "--format", "json")
    assert done.code == 0, done.err
    assert (done.records[0]["type"], done.summary["accepted"]) == ("settled", 15)
    assert set(provider.accepted().values()) == {1}
    assert len(provider.accepted()) == 25


def test_whatever_else_comes_changes_nothing(place: Workplace, live: Live, receive: Callable[[], Receiver], hook: Hook) -> None:
    """Forged, replayed, swapped, foreign, huge, deep, compressed, dripped, and merely looked at."""
    extra = ", stop_rules: {unknown_in_first: 0, unknowns: 0}"
    provider = live(people=30, scenario=losing(1, 2), extra=extra)
    point_to(place, hook.url)
    assert place.run("apply", "--auto-approve").code == 7
    wait_until(lambda: len(hook.got) == 3)
    one, two, three = (urlsplit(found["path"]).path for found in hook.got)
    true_one, true_two, true_three = (found["body"].encode() for found in hook.got)
    foreign = json.dumps({"uuid": "00000000-0000-11f1-8000-000000000000", "success": "OK"}).encode()
    url = receive().url
    assert [post(url, one, body) for body in (foreign, true_two, true_three, b'{"error": "refused"}')] == [200] * 4
    assert [post(url, two, true_one) for _ in range(20)] == [200] * 20
    assert [post(url, three, body) for body in (true_one, foreign)] == [200] * 2
    assert post(url, "/ck/" + "A" * 43, true_one) == 404
    assert post(url, one, b"", method="GET") == 404
    assert post(url, one, b"x" * 5_000_000) == 413
    assert post(url, one, b"[" * 50_000 + b"]" * 10_000) == 400
    assert post(url, one, gzip.compress(true_one), **{"Content-Encoding": "gzip"}) == 415
    before = place.ok("status", "--format", "json").json
    for _ in range(2):
        refreshed = place.run("refresh", "--format", "json")
        assert (refreshed.code, refreshed.json["settled"], refreshed.json["alarms"]) == (7, [], [])
    after = place.ok("status", "--format", "json").json
    assert states(after) == states(before) == ["unknown", "unknown", "accepted"]
    assert {hint["finding"] for hint in hints(place) if hint["uuid"]} == {"foreign", "not_shown"}
    assert [hint["error"] for hint in hints(place) if hint["error"]] == ["refused"]
    assert place.run("apply", "--auto-approve").code == 7
    assert sorted(provider.accepted().elements()) == phones(30)
    # And the true ones, however late, still settle.
    place.write("hook.jsonl", "".join(json.dumps(found) + "\n" for found in hook.got))
    taken = place.ok("callbacks", "ingest", "hook.jsonl", "--format", "json").json
    assert problems("callbacks-ingest", taken) == []
    assert (taken["lines"], taken["stored"]) == (3, 3)
    settled = place.run("refresh", "--format", "json")
    assert (settled.code, [found["request"] for found in settled.json["settled"]]) == (0, ["r1", "r2"])


def states(document: dict[str, Any]) -> list[str]:
    return [request["outcome"] for request in document["campaigns"][0]["mailings"][0]["requests"]]


def test_a_released_request_that_was_accepted_is_an_alarm(place: Workplace, live: Live, hook: Hook) -> None:
    provider = live(people=5, scenario=losing(1), extra=", release_after: 0s")
    point_to(place, hook.url)
    assert place.run("apply", "--auto-approve").code == 7
    place.ok("resolve", "r1", "--not-sent", "--reason", "the cabinet shows nothing", "--expect-people", "5")
    place.ok("apply", "--auto-approve")
    assert set(provider.accepted().values()) == {2}
    wait_until(lambda: len(hook.got) == 2)
    place.write("hook.jsonl", json.dumps(hook.got[0]) + "\n")
    place.ok("callbacks", "ingest", "hook.jsonl")
    again = place.run("apply", "--auto-approve", "--format", "json")
    assert problems("apply-record", again.records[0]) == []
    assert (again.records[0]["type"], again.records[0]["recipients"]) == ("alarm", 5)
    assert "ALARM: r1 was released, yet accepted by the provider" in again.err
    assert "5 people may get it twice" in again.err
    assert place.ok("refresh", "--format", "json").json["alarms"] == []
    assert any(record.get("kind") == "alarm" for record in place.ok("state", "export").records)
    assert set(provider.accepted().values()) == {2}


def test_keeping_a_callback_decides_nothing_that_a_dead_run_left(place: Workplace, live: Live, hook: Hook) -> None:
    """An outcome that a full disk kept out of the state is taken in by a command that decides, never by the receiver."""
    live(people=5, scenario=losing(1))
    point_to(place, hook.url)
    assert place.run("apply", "--auto-approve").code == 7
    wait_until(lambda: len(hook.got) == 1)
    lineage = place.ok("state", "list", "--format", "json").json["lineage"]
    ended = SendResult(outcome=Outcome.REJECTED, phase=Phase.DONE, reason="as spilled")
    with SpillFile(place.root / "state" / "live.db", lineage=lineage, run="a", elsewhere=None) as file:
        path = file.keep(Spilled(ref="r1", attempt=1, result=ended, at=datetime.now(UTC)))
    assert path is not None
    place.write("hook.jsonl", json.dumps(hook.got[0]) + "\n")
    place.ok("callbacks", "ingest", "hook.jsonl")
    assert (path.exists(), states(place.ok("status", "--format", "json").json)) == (True, ["unknown"])
    place.run("refresh")
    assert not path.exists()


def test_a_file_is_taken_line_by_line_and_bad_ones_are_named(place: Workplace, live: Live, hook: Hook) -> None:
    live(people=5, scenario=losing(1))
    point_to(place, hook.url)
    assert place.run("apply", "--auto-approve").code == 7
    wait_until(lambda: len(hook.got) == 1)
    [got] = hook.got
    good = {"time": "10:00", "url": f"https://hooks.example.by{got['path']}", "body": json.loads(got["body"])}
    lines = [good, {"path": got["path"]}, {"body": "x"}, [], {"path": "/favicon.ico", "body": "[]"}, {"path": "/ck", "body": "[" * 99}]
    text = "".join(json.dumps(one) + "\n" for one in lines) + "\n{\n" + json.dumps(good)
    place.write("hook.jsonl", text)
    ran = place.run("callbacks", "ingest", "hook.jsonl", "--format", "json")
    assert ran.code == 3
    assert problems("callbacks-ingest", ran.json) == []
    counted = {key: ran.json[key] for key in ("lines", "stored", "repeated", "unknown", "bad")}
    assert counted == {"lines": 8, "stored": 1, "repeated": 1, "unknown": 1, "bad": 5}
    assert [problem["line"] for problem in ran.json["problems"]] == [2, 3, 4, 6, 8]
    assert 'hook.jsonl:2: it has no "body"' in ran.err
    assert ran.err.splitlines()[-1] == "campaignkit callbacks ingest hook.jsonl --env live"
    command = [sys.executable, "-m", "campaignkit", "callbacks", "ingest", "-"]
    piped = json.dumps(good).encode()
    ended = subprocess.run(command, cwd=place.root, env=place.environment(), input=piped, capture_output=True, timeout=60, check=True)
    assert b"1 line: 0 kept, 1 kept before" in ended.stderr
    assert place.run("refresh").code == 0


def test_a_receiver_says_when_it_cannot_serve(place: Workplace, live: Live, receive: Callable[[], Receiver]) -> None:
    live(people=1)
    taken = urlsplit(receive().url).port
    crowded = place.run("callbacks", "serve", "--port", str(taken))
    assert crowded.code == 5
    assert f"port {taken}" in crowded.err
    with place.start("callbacks", "serve", "--port", "0", "--host", "0.0.0.0") as process:
        assert process.stdout is not None
        assert "http://0.0.0.0:" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "0.0.0.0 is no loopback address" in err
    (place.root / "state" / "live.db").unlink()
    assert place.run("callbacks", "serve").code == 5
