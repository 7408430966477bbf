"""The simulated provider: a process of its own, raw sockets, and a log that is the truth.

`python -m tests.proofs.crash.provider FOLDER` prints its port and serves until its standard input ends. The first part of a
path names the history, so that one process serves many: each has its script (how to treat its next requests; after it,
everything is accepted; likewise for the next questions, which get the truth after it) and its log, `FOLDER/<history>.log`, one
JSON object a line, written before the answer. A draft reaches nobody; each confirm of it that counts messages the whole list, and a
second one does so again: whoever sends it twice has messaged twice. Nothing here comes from campaignkit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
import uuid
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.proofs.crash.behaviours import BEHAVIOURS, BULK, CONFIRM, LIST, QUICK, SHAPES, Behaviour, Ending

SENDS = {
    "api/v1/sendBulkViber": BULK,
    "api/v2/sendQuickViberMessage": QUICK,
    "api/v2/sendViberMessageList": LIST,
    "api/v2/confirmViberMessage": CONFIRM,
}
STATUS = "api/v1/statusBulkViber"
RECORDS = {"api/v2/getViberDeliveryData": QUICK, "api/v2/getViberMessageData": LIST, "api/v2/getViberDeliveryList": "people"}
FIRST_ID = 4_905_001
SUBSCRIBERS = (375_295_555_551, 375_295_555_552, 375_295_555_553, 375_295_555_554)
DRIP_PAUSE = 0.02


@dataclass
class Account:
    """What the provider knows of one history.

    Attributes:
        script: How it treats the next requests that send.
        reads: How it answers the next questions.
        turn: How often it was told so: a record lags only behind what was confirmed since the last time.
        received: Requests so far.
        bulk: Messages by uuid, of the bulk requests it took.
        quick: Phones by id, of the quick messages it took.
        drafts: List mailings by id.
    """

    script: deque[str] = field(default_factory=deque)
    reads: deque[str] = field(default_factory=deque)
    turn: int = 0
    received: int = 0
    bulk: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    quick: dict[str, str] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)


@dataclass
class Draft:
    """A list mailing: its name, when it was made, and in which turn it was confirmed first, if at all."""

    name: str
    made: str
    confirmed: int | None = None


@dataclass
class Request:
    """A request that sends: its number, the method, and the whole target."""

    n: int
    kind: str
    target: str


class Provider:
    """One simulated provider.

    Args:
        folder: Where the logs go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._accounts: dict[str, Account] = defaultdict(Account)
        self._open = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def serve(self) -> None:
        """Serve until standard input ends."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=100)
        print(server.sockets[0].getsockname()[1], flush=True)
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self._quiet.clear()
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
                await self._request(reader, writer)
        finally:
            self._open -= 1
            if not self._open:
                self._quiet.set()
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(1)
        if not first:
            return
        try:
            head = first + await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as partial:
            self._log_partial((first + partial.partial).decode("latin-1"))
            return
        lines = head.decode("latin-1").split("\r\n")
        _method, target, _version = lines[0].split(" ")
        history, _, method = target.lstrip("/").partition("/")
        method, _, query = method.partition("?")
        length = next((int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:")), 0)
        if method in SENDS:
            await self._send(reader, writer, history, SENDS[method], target, length)
            return
        body = await reader.readexactly(length)
        account = self._accounts[history]
        if method == "script":
            said = json.loads(body)
            account.script, account.reads = deque(said["sends"]), deque(said["reads"])
            account.turn += 1
            await _answer(writer, 200, b"{}")
        elif method == "reset":
            self._accounts.pop(history, None)
            await _answer(writer, 200, b"{}")
        elif method == "settled":
            await self._settled(writer)
        elif method == STATUS:
            await _answer(writer, *_statuses(account, _fields(query, body).get("uuid", "")))
        elif method in RECORDS:
            await _record(reader, writer, account, RECORDS[method], _fields(query, body).get("message_id", ""))
        else:
            await _answer(writer, 404, b'{"error":"no such method"}')

    async def _settled(self, writer: asyncio.StreamWriter) -> None:
        """Answer once no other connection is open: from then on the log is complete."""
        self._open -= 1
        if not self._open:
            self._quiet.set()
        try:
            await self._quiet.wait()
        finally:
            self._open += 1
        await _answer(writer, 200, b"{}")

    async def _send(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, history: str, kind: str, target: str, length: int
    ) -> None:
        account = self._accounts[history]
        name = account.script.popleft() if account.script else "accept"
        behaviour = BEHAVIOURS[name]
        account.received += 1
        request = Request(account.received, kind, target)
        self._log(history, event="received", n=request.n, method=kind, behaviour=name)
        said = behaviour.body
        if not behaviour.early:
            try:
                body = await reader.readexactly(length)
            except asyncio.IncompleteReadError:
                self._log(history, event="partial", n=request.n, method=kind)
                return
            said = self._judge(history, request, behaviour, body)
        await self._say(reader, writer, behaviour, said.encode(), target)

    def _judge(self, history: str, request: Request, behaviour: Behaviour, body: bytes) -> str:
        """Take the request or not, and write down which; returns the body of the answer."""
        account, kind = self._accounts[history], request.kind
        messages, token, own, other = _understood(account, kind, request.target.partition("?")[2], body)
        shape = SHAPES[kind].get(behaviour.body, behaviour.body)
        told = shape.replace("{id}", own).replace("{other}", other)
        taken = "drafted" if kind == LIST else "accepted"
        by = token.split("-")[-2:]
        for message in messages:
            self._log(
                history, event=taken if behaviour.accepts else "refused", n=request.n, method=kind, name=message["name"],
                phones=_phones(message), uuid=own, told=told, heard=behaviour.heard, by=by if all(map(str.isdigit, by)) else [],
            )  # fmt: skip
        if behaviour.accepts:
            _take(account, kind, own, messages)
        return told

    async def _say(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behaviour: Behaviour, body: bytes, target: str
    ) -> None:
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        if behaviour.ending is Ending.SILENT:
            await reader.read()
            return
        if behaviour.ending is Ending.CLOSE:
            return
        if behaviour.ending is Ending.RESET:
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        whole = _head(behaviour.status, len(body), behaviour.headers.replace("{path}", target)) + body
        if behaviour.ending is Ending.DRIP:
            await _drip(writer, whole)
            return
        cuts = {Ending.CUT: len(whole) - len(body) // 3, Ending.HEAD_CUT: 30}
        writer.write(whole[: cuts.get(behaviour.ending, len(whole))])
        await writer.drain()
        if behaviour.early:
            await reader.read()  # closing over unread bytes would reset the answer away

    def _log_partial(self, text: str) -> None:
        """A head that broke off; one too short to name its history concerns nobody."""
        parts = text.split(" ")
        if len(parts) > 2:
            self._log(parts[1].lstrip("/").partition("/")[0], event="partial", n=0)

    def _log(self, history: str, **entry: Any) -> None:
        line = json.dumps(entry).encode() + b"\n"
        file = os.open(self._folder / f"{history}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)


def _fields(query: str, body: bytes) -> dict[str, str]:
    return dict(parse_qsl(f"{query}&{body.decode()}"))


def _understood(account: Account, kind: str, query: str, body: bytes) -> tuple[list[dict[str, Any]], str, str, str]:
    """What a request asks to be sent to whom, its token, the id that it gets, and one that an earlier one got."""
    if kind == BULK:
        said = json.loads(body)
        own = str(uuid.uuid4())
        return said["messages"], said.get("token", ""), own, next(iter(account.bulk), own)
    fields = _fields(query, body)
    own = str(FIRST_ID + len(account.quick) + len(account.drafts))
    if kind == QUICK:
        # A quick message has no name: its text begins with that of its mailing.
        message = {"name": fields["message"].partition(" ")[0], "delivery_list": [fields["phone"]]}
        return [message], fields["token"], own, next(iter(account.quick), own)
    if kind == LIST:
        # Of those that the sender has heard of: another one's would be confirmed in its place, and nobody could know.
        known = next((message_id for message_id, draft in account.drafts.items() if draft.confirmed is not None), own)
        return [{"name": fields["name"], "delivery_list": ["0"]}], fields["token"], own, known
    own = fields["message_id"]
    draft = account.drafts.get(own, Draft("nobody", ""))
    return [{"name": draft.name, "delivery_list": ["0"]}], fields["token"], own, own


def _take(account: Account, kind: str, own: str, messages: list[dict[str, Any]]) -> None:
    if kind == BULK:
        account.bulk[own] = messages
    elif kind == QUICK:
        account.quick[own] = _phones(messages[0])[0]
    elif kind == LIST:
        account.drafts[own] = Draft(messages[0]["name"], f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}")
    elif own in account.drafts and account.drafts[own].confirmed is None:
        account.drafts[own].confirmed = account.turn


def _phones(message: dict[str, Any]) -> list[str]:
    return [entry if isinstance(entry, str) else entry["phone"] for entry in message["delivery_list"]]


def _statuses(account: Account, wanted: str) -> tuple[int, bytes]:
    messages = account.bulk.get(wanted)
    if messages is None:
        return 404, b'{"error":"uuid is not found"}'
    return 200, json.dumps([_entry(message) for message in messages]).encode()


def _entry(message: dict[str, Any]) -> dict[str, Any]:
    rows = [{"delivery_id": 7, "phone": phone, "status": "DELIVERED", "status_time": "2026-11-23 12:00:00"} for phone in _phones(message)]
    return {"message_id": 1, "name": message["name"], "alphaname_id": 444, "success": rows}


async def _record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, account: Account, kind: str, wanted: str) -> None:
    """Answer one question about a message, truly or as the script has it."""
    how = account.reads.popleft() if account.reads else "plain"
    result = _known(account, kind, wanted, how)
    body = json.dumps({"status": "OK", "result": result}).encode()
    if how == "silent":
        await reader.read()
    elif how == "error_500":
        await _answer(writer, 500, b'{"error":"Server unavailable"}')
    elif how == "page":
        await _answer(writer, 200, b"<html>Welcome</html>")
    elif how == "not_found" or result is None:
        await _answer(writer, 404, b'{"error":"message is not found"}')
    elif how == "cut":
        writer.write((_head(200, len(body)) + body)[:-9])
    elif how != "close":
        await _answer(writer, 200, body)


def _known(account: Account, kind: str, wanted: str, how: str) -> object:
    if kind == QUICK:
        phone = account.quick.get(wanted)
        return phone and {"message_id": int(wanted), "phone": phone, "status": _word("DELIVERED", how), "error_code": 0}
    draft = account.drafts.get(wanted)
    if draft is None:
        return None
    # What was confirmed in an earlier turn has long since shown: nothing else would be safe with any provider.
    fresh = draft.confirmed is None or draft.confirmed == account.turn
    confirmed = draft.confirmed is not None and not (how == "lag" and fresh)
    if kind == "people":
        return [{"delivery_id": at, "phone": phone, "status": "READ"} for at, phone in enumerate(SUBSCRIBERS, 1)] if confirmed else []
    status = _word("SENT" if confirmed else "DRAFT", how if fresh else "plain")
    return {"message_id": wanted, "message_type": "TEXT", "status": status, "d_create": draft.made, "cost": "0.19600"}


def _word(word: str, how: str) -> str:
    return {"odd": "MODERATED", "no_status": ""}.get(how, word)


def _head(status: int, length: int, headers: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode("latin-1")


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(_head(status, len(body)) + body)
    await writer.drain()


async def _drip(writer: asyncio.StreamWriter, whole: bytes) -> None:
    for at in range(len(whole)):
        writer.write(whole[at : at + 1])
        await writer.drain()
        await asyncio.sleep(DRIP_PAUSE)


if __name__ == "__main__":
    asyncio.run(Provider(Path(sys.argv[1])).serve())
