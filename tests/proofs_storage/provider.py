"""A provider whose log is the truth: its own process, raw sockets, and nothing of the program it judges.

Usage: python provider.py FOLDER. It prints its port, then accepts everything. Each case names itself by its token; whatever
came of a request that sends goes to `FOLDER/<token>.log`, a line each, before anything is answered. Of a list that was made the
person is -1, of one that was confirmed 0: whoever stands there twice was messaged twice, or made twice.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import uuid
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_TOKEN = re.compile(rb'(?:"token":"|[?&\n]token=)([a-z0-9-]+)')
BULK, QUICK, LIST, CONFIRM = "sendBulkViber", "sendQuickViberMessage", "sendViberMessageList", "confirmViberMessage"
RECORD = "getViberMessageData"
DRAFTED, CONFIRMED = -1, 0
PATIENCE = 10.0
"""Seconds that it waits for a peer that says nothing."""


class Books:
    """The drafts that were made, by id: their names, and which of them were confirmed."""

    def __init__(self) -> None:
        self._ids = count(4_905_001)
        self._names: dict[str, str] = {}
        self._confirmed: set[str] = set()

    def take(self, method: str, body: bytes) -> tuple[str, list[str], list[int]]:
        """Accept a request: its id, the names in it, and the people whom it reaches."""
        if method == BULK:
            messages = json.loads(body)["messages"]
            phones = [int(phone) for message in messages for phone in message["delivery_list"]]
            return str(uuid.uuid4()), [message["name"] for message in messages], phones
        fields = dict(parse_qsl(body.decode()))
        if method == QUICK:
            return str(next(self._ids)), [], [int(fields["phone"])]
        if method == LIST:
            name = str(next(self._ids))
            self._names[name] = fields["name"]
            return name, [fields["name"]], [DRAFTED]
        name = fields["message_id"]
        self._confirmed.add(name)
        return name, [self._names[name]], [CONFIRMED]

    def record(self, body: bytes) -> dict[str, object]:
        """What is known of a list mailing."""
        name = dict(parse_qsl(body.decode()))["message_id"]
        status = "SENT" if name in self._confirmed else "DRAFT"
        return {"status": "OK", "result": {"message_id": name, "message_type": "TEXT", "status": status}}


def serve(folder: Path) -> None:
    """One connection after the other, in the order they came: who gets an answer knows that all before are logged."""
    books = Books()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(PATIENCE)
                data, body = _read(connection)
                token = _TOKEN.search(data)
                _answer(connection, _judged(books, folder / f"{token[1].decode()}.log", data, body) if token is not None else {})


def _judged(books: Books, log: Path, data: bytes, body: bytes | None) -> dict[str, object]:
    """Write down what came, and say what is answered."""
    method = data.partition(b" HTTP/")[0].partition(b"?")[0].rpartition(b"/")[2].decode()
    if method == RECORD:
        return {} if body is None else books.record(body)
    if method not in {BULK, QUICK, LIST, CONFIRM}:
        return {"error": "nothing is known of it"}
    if body is None:
        _log(log, len(data), "", [], [])
        return {}
    name, names, phones = books.take(method, body)
    _log(log, len(data), name, names, phones)
    if method == BULK:
        return {"uuid": name, "success": "OK"}
    return {"status": "OK"} | ({} if method == CONFIRM else {"result": {"message_id": name, "count_subscribers": 4}})


def _read(connection: socket.socket) -> tuple[bytes, bytes | None]:
    """All bytes that came, and the body if it is whole."""
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if end else None
        if length is not None and len(body) >= int(length[1]):
            return data, body
        try:
            piece = connection.recv(1 << 16)
        except OSError:
            piece = b""
        if not piece:
            return data, None
        data += piece


def _log(path: Path, size: int, name: str, names: list[str], phones: list[int]) -> None:
    line = {"bytes": size, "uuid": name, "names": names, "phones": phones}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, json.dumps(line).encode() + b"\n")
    os.close(descriptor)


def _answer(connection: socket.socket, answer: dict[str, object]) -> None:
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        connection.sendall(head.encode() + body)
    except OSError:
        return  # who asked is dead: what was accepted stays accepted


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
