"""The server listens on loopback alone, remembers over a restart and ends cleanly."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import campaignkit.sandbox
from campaignkit.sandbox.ledger import Ledger
from campaignkit.sandbox.loopback import PortError
from campaignkit.sandbox.scenario import ScenarioError
from campaignkit.sandbox.server import EmbeddedServer, serve

from .asking import SEND, ask, bulk, request, send, statuses

PROGRAM = (
    "import sys; from pathlib import Path\n"
    "from campaignkit.sandbox.server import serve\n"
    "serve(0, Path(sys.argv[1]), None, stream=sys.stdout)\n"
)


def test_nothing_listens_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[object] = []
    bind = socket.socket.bind

    def spy(self: socket.socket, address: tuple[str, int]) -> None:
        bound.append(address)
        bind(self, address)

    monkeypatch.setattr(socket.socket, "bind", spy)
    with EmbeddedServer() as server:
        assert server.url.startswith("http://127.0.0.1:")
        send(server.url)
    assert bound == [("127.0.0.1", 0)]


def test_a_restarted_server_still_knows_older_requests(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "data", seed=1, clock=lambda: 1000.0) as server:
        found = send(server.url, bulk("a"))
        before = statuses(server.url, found)
    with EmbeddedServer(tmp_path / "data", seed=1, clock=lambda: 1000.0) as server:
        assert statuses(server.url, found) == before
        assert statuses(server.url, send(server.url, bulk("b")))[0]["message_id"] == 2


def test_two_servers_may_share_a_file(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "data") as one, EmbeddedServer(tmp_path / "data") as two:
        assert statuses(two.url, send(one.url, bulk("a")))[0]["name"] == "a"


def test_after_the_block_nothing_listens_and_no_thread_is_left() -> None:
    with EmbeddedServer() as server:
        port = int(server.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    assert [thread.name for thread in threading.enumerate() if thread.name == "sandbox"] == []
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url
    with server:
        send(server.url)


def test_a_silent_client_does_not_keep_the_server_from_stopping() -> None:
    with EmbeddedServer() as server:
        port = int(server.url.rpartition(":")[2])
        silent = socket.create_connection(("127.0.0.1", port), timeout=5)
        silent.sendall(b"POST /api/v1/sendBulkViber HTTP/1.1\r\n")
        started = time.monotonic()
    assert time.monotonic() - started < 3
    silent.close()


def test_many_clients_at_once_are_all_answered(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "data") as server:
        got: list[int] = []

        def work(number: int) -> None:
            for turn in range(10):
                message = bulk("many", str(375290000000 + number * 100 + turn))
                got.append(ask(server.url, SEND, request(message)).status)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [200] * 160
        assert set(server.ledger.times_accepted().values()) == {1}
        assert len(server.ledger.times_accepted()) == 160


def test_serve_prints_one_line_when_ready_and_stops_when_told(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps({"faults": [{"method": "sendBulkViber", "fault": "throttle", "nth": 1}]}))
    stream, stop = io.StringIO(), threading.Event()
    thread = threading.Thread(target=serve, args=(0, None, scenario), kwargs={"stream": stream, "stop": stop})
    thread.start()
    while not stream.getvalue().endswith("\n"):
        time.sleep(0.01)
    (url,) = re.findall(r"http://127\.0\.0\.1:\d+$", stream.getvalue().strip())
    assert stream.getvalue().count("\n") == 1
    assert [ask(url, SEND, request()).status for _ in range(2)] == [429, 200]
    stop.set()
    thread.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_command_and_the_data_stays(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[-1]
        found = send(url, bulk("a", "375291111111"))
        os.kill(process.pid, number)
        rest, errors = process.stdout.read(), process.stderr.read()
    assert (rest, errors) == ("", "")
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    with Ledger(tmp_path / "data") as ledger:
        assert ledger.find(found) is not None
        assert list(ledger.accepted_phones()) == [("a", "375291111111")]


@pytest.mark.skipif(sys.platform != "linux", reason="finds threads in /proc, and chooses one by its id")
def test_a_signal_that_another_thread_is_given_ends_the_command_too(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        # The id of a thread stands for the whole process here, but the system asks that thread first.
        [accepting] = {int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()} - {process.pid}
        os.kill(accepting, signal.SIGTERM)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_a_taken_port_and_a_bad_scenario_are_said_plainly(tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(PortError, match=rf"port {port}: "), EmbeddedServer(port=port):
            pass
    with pytest.raises(PortError, match="70000"), EmbeddedServer(port=70000):
        pass
    with pytest.raises(ScenarioError):
        serve(0, None, tmp_path / "none.json", stream=io.StringIO())


def test_the_sandbox_shares_no_code_with_the_rest() -> None:
    folder = Path(str(campaignkit.sandbox.__file__)).parent
    for path in folder.glob("*.py"):
        imported = re.findall(r"^\s*(?:from|import) (campaignkit[\w.]*)", path.read_text(), re.MULTILINE)
        assert all(name.startswith("campaignkit.sandbox") for name in imported), path.name
