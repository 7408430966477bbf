"""A client of its own for these tests: plain http.client, nothing of the product."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.canary import TOKEN

SEND = "/api/v1/sendBulkViber"
STATUS = "/api/v1/statusBulkViber"
JSON = {"Content-Type": "application/json"}
QUICK = "/api/v2/sendQuickViberMessage"
QUICK_DATA = "/api/v2/getViberDeliveryData"
LIST = "/api/v2/sendViberMessageList"
CONFIRM = "/api/v2/confirmViberMessage"
MAILINGS = "/api/v2/getViberMessages"
MAILING = "/api/v2/getViberMessageData"
DELIVERIES = "/api/v2/getViberDeliveryList"
INCOMING = "/api/v2/getNewIncomingMessages"
MARK = "/api/v2/readResponseStatus"
TOKEN_IN_QUERY = {CONFIRM, MAILINGS, MAILING}
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


def v2(url: str, path: str, **fields: object) -> Got:
    """Calls a method of v2 with its token where the documentation has it."""
    if path in TOKEN_IN_QUERY:
        path += "?" + urlencode({"token": TOKEN})
    else:
        fields = {"token": TOKEN} | fields
    return ask(url, path, urlencode(fields), headers=FORM)


def result(url: str, path: str, **fields: object) -> Any:
    """What a method of v2 answers when all is well."""
    got = v2(url, path, **fields)
    assert (got.status, got.document["status"]) == (200, "OK"), got.body
    return got.document.get("result")


def refused(url: str, path: str, **fields: object) -> tuple[int, str]:
    """The status and words of a refusal."""
    got = v2(url, path, **fields)
    assert set(got.document) == {"error"}, got.body
    return got.status, got.document["error"]


def quick(**changes: object) -> dict[str, object]:
    """A good quick message of text."""
    return {"vibername_id": 12, "phone": "375291111111", "message": "hello"} | changes


def mailing(**changes: object) -> dict[str, object]:
    """A good list mailing of text."""
    return {"vibername_id": 12, "list_id": 77, "message": "hello"} | changes


def multipart(fields: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """A body with files, and its header."""
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    for name, content in files.items():
        head = f'--cut\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + b"--cut--\r\n", {"Content-Type": "multipart/form-data; boundary=cut"}
