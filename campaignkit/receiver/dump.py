r"""What a webhook elsewhere wrote down: one JSON object a line, read within bounds, every bad line with its number.

    {"url": "https://hooks.example.by/ck/<43 characters>", "body": "{\"uuid\": \"…\", \"success\": \"OK\"}"}

`path` does as well as `url`, with or without a query; `body` is the text that was posted, or its JSON as it is. Other keys
are left alone, so that a log of requests can be used as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from campaignkit.wire.callbacks import DEEPEST, BadCallbackError, read_callback, secret_of
from campaignkit.wire.strict_json import BadJSONError, parse

LARGEST_LINE = 512 << 10
"""Bytes: a body of 64 KiB in which every byte is escaped fits."""
LARGEST_FILE = 1 << 30


@dataclass(frozen=True, slots=True)
class DumpLine:
    """One line: a secret (empty where its address has none) and a body, or what is wrong with it."""

    number: int
    secret: str = ""
    body: bytes = b""
    problem: str = ""


def read_dump(stream: IO[bytes]) -> Iterator[DumpLine]:
    """Every line that is not blank; a file above 1 GiB ends in a problem."""
    number = size = 0
    while line := stream.readline(LARGEST_LINE + 1):
        number += 1
        size += len(line)
        too_long = len(line) > LARGEST_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = stream.readline(LARGEST_LINE)
            size += len(line)
        if size > LARGEST_FILE:
            yield DumpLine(number, problem=f"the file is larger than {LARGEST_FILE >> 30} GiB; the rest was not read")
            return
        if too_long:
            yield DumpLine(number, problem=f"it is longer than {LARGEST_LINE >> 10} KiB")
        elif line.strip():
            yield _read(number, line)


def _read(number: int, line: bytes) -> DumpLine:
    try:
        value = parse(line, limit=LARGEST_LINE, deepest=DEEPEST + 1)
    except BadJSONError as error:
        return DumpLine(number, problem=str(error))
    if not isinstance(value, dict):
        return DumpLine(number, problem="it is no JSON object")
    address = value.get("url", value.get("path"))
    if not isinstance(address, str):
        return DumpLine(number, problem='it has no "url" and no "path"')
    if "body" not in value:
        return DumpLine(number, problem='it has no "body"')
    try:
        body = _body(value["body"])
        read_callback(body)
    except (BadCallbackError, UnicodeEncodeError) as error:
        words = str(error) if isinstance(error, BadCallbackError) else "it is no Unicode text"
        return DumpLine(number, problem=f"its body can't be used, {words}")
    return DumpLine(number, secret_of(address), body)


def _body(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")
