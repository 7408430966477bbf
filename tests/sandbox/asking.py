"""A client of its own for these tests: plain http.client, nothing of the product."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.canary import TOKEN

SEND = "/api/v1/sendBulkViber"
STATUS = "/api/v1/statusBulkViber"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Got:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str,
    path: str,
    body: Any = None,
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    timeout: float = 5.0,
) -> Got:
    """One request on a fresh connection; documents go as JSON."""
    if isinstance(body, dict | list):
        body, headers = json.dumps(body).encode(), JSON | (headers or {})
    connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=timeout)
    try:
        connection.request(method, path, body, {"Connection": "close"} | (headers or {}))
        response = connection.getresponse()
        return Got(response.status, response.headers, response.read())
    finally:
        connection.close()


def bulk(name: str = "one", *phones: str, **changes: Any) -> dict[str, Any]:
    """A good bulk mailing of text."""
    return {
        "alphaname_id": "444",
        "name": name,
        "message_type": "bulk",
        "content": {"type": "text", "text": "hello"},
        "delivery_list": list(phones or ("375291111111", "375292222222")),
    } | changes


def request(*messages: Any, **changes: Any) -> dict[str, Any]:
    """A good request."""
    return {"token": TOKEN, "messages": list(messages or (bulk(),))} | changes


def send(url: str, *messages: Any) -> str:
    """Sends, and gives the uuid."""
    got = ask(url, SEND, request(*messages))
    assert got.status == 200, got.body
    return str(got.document["uuid"])


def statuses(url: str, uuid: str) -> Any:
    """The document statusBulkViber answers with."""
    got = ask(url, STATUS, {"token": TOKEN, "uuid": uuid})
    assert got.status == 200, got.body
    return got.document
