"""A provider whose log is the truth: its own process, raw sockets, and nothing of the program it judges.

Usage: python provider.py FOLDER. It prints its port, then accepts everything. Each case names itself by its token; whatever
came of a request goes to `FOLDER/<token>.log`, a line each, before anything is answered.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import uuid
from pathlib import Path

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_TOKEN = re.compile(rb'"token":"([a-z0-9-]+)"')
PATIENCE = 10.0
"""Seconds that it waits for a peer that says nothing."""


def serve(folder: Path) -> None:
    """One connection after the other, in the order they came: who gets an answer knows that all before are logged."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(PATIENCE)
                data, body = _read(connection)
                token = _TOKEN.search(data)
                if token is not None:
                    name = str(uuid.uuid4()) if body is not None else ""
                    _log(folder / f"{token[1].decode()}.log", len(data), body, name)
                    _answer(connection, {"uuid": name, "success": "OK"} if name else {})
                else:
                    _answer(connection, {})


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


def _log(path: Path, count: int, body: bytes | None, name: str) -> None:
    line: dict[str, object] = {"bytes": count, "uuid": name, "names": [], "phones": []}
    if body is not None:
        messages = json.loads(body)["messages"]
        line["names"] = [message["name"] for message in messages]
        line["phones"] = [int(phone) for message in messages for phone in message["delivery_list"]]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, json.dumps(line).encode() + b"\n")
    os.close(descriptor)


def _answer(connection: socket.socket, answer: dict[str, str]) -> None:
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        connection.sendall(head.encode() + body)
    except OSError:
        return  # who asked is dead: what was accepted stays accepted


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
