"""The simulated provider: a process of its own, raw sockets, and a log that is the truth.

`python -m tests.proofs.crash.provider FOLDER` prints its port and serves until its standard input ends. The first part of a
path names the history, so that one process serves many: each has its script (how to treat its next requests; after it,
everything is accepted) and its log, `FOLDER/<history>.log`, one JSON object a line, written before the answer.
Nothing here comes from campaignkit.
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
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.proofs.crash.behaviours import BEHAVIOURS, Behaviour, Ending

SEND = "api/v1/sendBulkViber"
STATUS = "api/v1/statusBulkViber"
DRIP_PAUSE = 0.02


class Provider:
    """One simulated provider.

    Args:
        folder: Where the logs go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scripts: dict[str, deque[str]] = defaultdict(deque)
        self._received: dict[str, int] = defaultdict(int)
        self._accepted: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
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
        if method == SEND:
            await self._send(reader, writer, history, target, length)
            return
        body = await reader.readexactly(length)
        if method == "script":
            self._scripts[history] = deque(json.loads(body))
            await _answer(writer, 200, b"{}")
        elif method == "reset":
            self._reset(history)
            await _answer(writer, 200, b"{}")
        elif method == "settled":
            await self._settled(writer)
        elif method == STATUS:
            await _answer(writer, *self._statuses(history, parse_qs(query or body.decode()).get("uuid", [""])[0]))
        else:
            await _answer(writer, 404, b'{"error":"no such method"}')

    def _reset(self, history: str) -> None:
        self._scripts.pop(history, None)
        self._received.pop(history, None)
        self._accepted.pop(history, None)

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

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, history: str, target: str, length: int) -> None:
        script = self._scripts[history]
        name = script.popleft() if script else "accept"
        behaviour = BEHAVIOURS[name]
        self._received[history] += 1
        number = self._received[history]
        self._log(history, event="received", n=number, behaviour=name)
        said = behaviour.body
        if not behaviour.early:
            try:
                messages = json.loads(await reader.readexactly(length))["messages"]
            except asyncio.IncompleteReadError:
                self._log(history, event="partial", n=number)
                return
            said = self._judge(history, number, behaviour, messages)
        await self._say(reader, writer, behaviour, said.encode(), target)

    def _judge(self, history: str, number: int, behaviour: Behaviour, messages: list[dict[str, Any]]) -> str:
        """Take the request or not, and write down which; returns the body of the answer."""
        own = str(uuid.uuid4())
        older = next(iter(self._accepted[history]), own)
        body = behaviour.body.replace("{uuid}", own).replace("{older}", older)
        event = "accepted" if behaviour.accepts else "refused"
        for message in messages:
            phones = [entry if isinstance(entry, str) else entry["phone"] for entry in message["delivery_list"]]
            self._log(history, event=event, n=number, name=message["name"], phones=phones, uuid=own, told=body, heard=behaviour.heard)
        if behaviour.accepts:
            self._accepted[history][own] = messages
        return body

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

    def _statuses(self, history: str, wanted: str) -> tuple[int, bytes]:
        messages = self._accepted[history].get(wanted)
        if messages is None:
            return 404, b'{"error":"uuid is not found"}'
        return 200, json.dumps([_entry(message) for message in messages]).encode()

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


def _entry(message: dict[str, Any]) -> dict[str, Any]:
    phones = [entry if isinstance(entry, str) else entry["phone"] for entry in message["delivery_list"]]
    rows = [{"delivery_id": 7, "phone": phone, "status": "DELIVERED", "status_time": "2026-11-23 12:00:00"} for phone in phones]
    return {"message_id": 1, "name": message["name"], "alphaname_id": 444, "success": rows}


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
