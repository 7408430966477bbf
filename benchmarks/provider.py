"""A provider that answers at once: it costs as little as possible, so that what is measured is its client.

Usage: python provider.py PORT [SECONDS]. Sends get a fresh uuid; statuses say that everybody of that request has it delivered. With
SECONDS each answer takes so long, and several are given at a time.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
import uuid

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_UUID = re.compile(rb"uuid[\"=: ]+([0-9a-f-]{36})")


def serve(port: int, seconds: float) -> None:
    """One connection, one request, one answer, for ever; at a time where answers take their time."""
    sent: dict[bytes, bytes] = {}
    with socket.create_server(("127.0.0.1", port), backlog=64) as listening:
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            if seconds:
                threading.Thread(target=_answer, args=(connection, sent, seconds), daemon=True).start()
            else:
                _answer(connection, sent, seconds)


def _answer(connection: socket.socket, sent: dict[bytes, bytes], seconds: float) -> None:
    with connection:
        head, body = _request(connection)
        time.sleep(seconds)
        if head.startswith(b"POST /api/v1/sendBulkViber"):
            name = str(uuid.uuid4()).encode()
            sent[name] = body
            answer = b'{"uuid": "%b", "success": "OK"}' % name
        else:
            asked = _UUID.search(head) or _UUID.search(body)
            answer = _statuses(sent[asked[1]]) if asked else b"[]"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        connection.sendall(head % len(answer) + answer)


def _request(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(1 << 18)
        if not piece:
            return data, b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    stated = _LENGTH.search(head)
    length = int(stated[1]) if stated else 0
    while len(body) < length:
        piece = connection.recv(1 << 18)
        if not piece:
            break
        body += piece
    return head, body


def _statuses(body: bytes) -> bytes:
    answer = [
        {
            "message_id": number,
            "name": message["name"],
            "alphaname_id": int(message["alphaname_id"]),
            "success": [
                {"delivery_id": at, "phone": person["phone"], "status": "DELIVERED", "status_time": "2024-10-16 22:52:42.497994"}
                for at, person in enumerate(message["delivery_list"])
            ],
        }
        for number, message in enumerate(json.loads(body)["messages"])
    ]
    return json.dumps(answer).encode()


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
