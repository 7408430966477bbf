"""A provider that does as it is told, counts who calls, and a project before it: for what must never be called, or answers badly."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.acceptance.places import Ran, Workplace
from tests.canary import TOKEN

SEND, STATUS = "/api/v1/sendBulkViber", "/api/v1/statusBulkViber"


@dataclass(frozen=True)
class Reply:
    """One answer; `promised` overrides its Content-Length, `gone` closes without any."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    promised: int | None = None


@dataclass
class Call:
    """One request that arrived."""

    path: str
    body: Any

    @property
    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["messages"]
        return found

    @property
    def phones(self) -> list[str]:
        people = [one for message in self.messages for one in message["delivery_list"]]
        return [one if isinstance(one, str) else one["phone"] for one in people]


@dataclass
class Tap:
    """Every call is written down; sends are answered from `sends` (None accepts), then accepted; statuses from `statuses`."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    sends: list[Reply | None] = field(default_factory=list)
    statuses: Callable[[list[dict[str, Any]]], Reply] | None = None
    hold: threading.Event | None = None
    accepted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def reset(self) -> None:
        self.calls.clear()
        self.sends.clear()
        self.statuses, self.hold = None, None

    @property
    def sent(self) -> list[Call]:
        return [call for call in self.calls if call.path == SEND]

    def answer(self, path: str, query: str, raw: bytes) -> Reply:
        body: Any = json.loads(raw) if raw.startswith(b"{") else raw.decode()
        self.calls.append(Call(path, body))
        if self.hold is not None:
            self.hold.wait(20)
        if path == SEND:
            scripted = self.sends.pop(0) if self.sends else None
            if scripted is not None:
                return scripted
            ref = str(uuid.uuid4())
            self.accepted[ref] = body["messages"]
            return Reply(body=json.dumps({"uuid": ref, "success": "OK"}))
        ref = next(part.removeprefix("uuid=") for part in (query or body).split("&") if part.startswith("uuid="))
        assert self.statuses is not None
        return self.statuses(self.accepted[ref])


def reported(messages: list[dict[str, Any]], word: str = "DELIVERED") -> Reply:
    """A status answer in which everybody has one word."""
    call = Call(SEND, {"messages": messages})
    people = [
        {"delivery_id": number, "phone": phone, "status": word, "status_time": "2026-01-01 10:00:00"}
        for number, phone in enumerate(call.phones, 1)
    ]
    return Reply(body=json.dumps([{"message_id": 1, "name": messages[0]["name"], "alphaname_id": 444, "success": people}]))


@contextmanager
def tapped() -> Iterator[Tap]:
    """The provider on loopback, in a thread of the test."""
    tap = Tap()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path, _, query = self.path.partition("?")
            reply = tap.answer(path, query, raw)
            body = reply.body.encode()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if reply.promised is None else reply.promised))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        tap.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield tap
        server.shutdown()
        thread.join()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PROJECT = """\
version: 1
default_environment: sandbox
timezone: Europe/Minsk
suppress: [stoplist.csv]
price: 0.049 EUR
senders:
  shop: {{alphaname_id: 444}}
defaults: {{batch_size: 2, first_batch: 1}}
environments:
  sandbox: {{base_url: sandbox, state: state/sandbox.db}}
  live: {{base_url: "{url}", state: state/live.db, rate: 10000/s}}
  other: {{base_url: "{url}", state: state/other.db, rate: 10000/s}}
"""

CAMPAIGN = """\
campaign: spring
sender: shop
variables: {shop_url: "https://shop.example.by"}
mailings:
  - name: invitation
    message_type: personal
    audience: {file: people.csv}
    content: {type: text, text: "Hello {{ first_name }} at {{ shop_url }}"}
"""

PEOPLE = """\
phone,first_name
375291000001,Zinaida
375291000002,Boleslav
375291000003,Valeryja
375291000009,Suppressed
"""


@dataclass
class Bench(Workplace):
    """A sound project before a `Tap`, with a state of `live` and a token."""

    def apply(self, *words: str) -> Ran:
        return self.run("apply", "--auto-approve", *words)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text("utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    def state(self, name: str = "live") -> list[str]:
        """Everything a state holds, but for the mark that it is in use."""
        with closing(sqlite3.connect(f"file:{self.root / 'state' / name}.db?mode=ro", uri=True)) as sql:
            return [line for line in sql.iterdump() if not line.startswith('INSERT INTO "meta"')]


def built(root: Path, url: str) -> Bench:
    """Make the project, and the state of `live` once."""
    root.mkdir()
    bench = Bench(root, {"CAMPAIGNKIT_TOKEN_LIVE": TOKEN, "CAMPAIGNKIT_ENV": "live"})
    bench.write("campaignkit.yaml", PROJECT.format(url=url))
    bench.write("campaigns/spring.yaml", CAMPAIGN)
    bench.write("campaigns/people.csv", PEOPLE)
    bench.write("stoplist.csv", "phone\n375291000009\n")
    bench.ok("state", "init")
    return bench


def copied(bench: Bench, root: Path) -> Bench:
    """The same again for one test."""
    shutil.copytree(bench.root, root)
    return Bench(root, dict(bench.env))


def is_command(line: str) -> bool:
    """Whether a line can be run as it stands."""
    return line.startswith(("campaignkit ", "git checkout -- ")) and not line.endswith((".", ":"))
