"""What the provider posts to `callback_url`: the address it is given for one request, and how its words are read.

The API says only that "the response on the method operation" will be sent there. So anything small is read, nothing is
believed: a callback names uuids worth asking about, or says that something was refused.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from campaignkit.wire.outcomes import error_text, is_uuid
from campaignkit.wire.strict_json import BadJSONError, parse

SECRET_BYTES = 32
"""Random bytes of the part of an address that nobody can guess; in base64url they are 43 characters."""

LARGEST_BODY = 64 << 10
"""Bytes of a callback; the documented answer to a send has 65."""

DEEPEST = 8
"""Levels of nesting of a callback."""

MOST_UUIDS = 3
"""Uuids of one callback that are looked at: the answer to a send has one."""

PLACEHOLDER_SECRET = "_" * 43
"""Stands for the unguessable part until apply makes one: as long, and never equal to one, whose last bits are zero."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_BEHIND = re.compile("[?#]")
_OPAQUE = re.compile(r"[A-Za-z0-9+/=_%-]{20,}")
_TAG = re.compile(r"ck-[a-z2-7]{26}")
_MOST_FIELDS = 100


class BadCallbackError(ValueError):
    """The body is nothing that is read: too large, too deep, neither JSON nor a form. The message holds none of it."""


@dataclass(frozen=True, slots=True)
class CallbackWords:
    """What a callback says: uuids worth asking about, and the provider's words where it says that it refused.

    The words have no run of characters as long as a token: whoever reads them may not hold the token that they could echo.
    """

    uuids: tuple[str, ...]
    error: str


def new_secret(random_bytes: bytes) -> str:
    """The unguessable part of one request's address, made of randomness that the caller brings.

    Args:
        random_bytes: Exactly `SECRET_BYTES` bytes of good randomness.

    Raises:
        ValueError: There are more or fewer bytes.
    """
    if len(random_bytes) != SECRET_BYTES:
        raise ValueError(f"the secret of a callback is made of {SECRET_BYTES} random bytes, not {len(random_bytes)}")
    return base64.urlsafe_b64encode(random_bytes).decode("ascii").rstrip("=")


def secret_hash(secret: str) -> bytes:
    """SHA-256 of an unguessable part: all that is kept of it, so that no reader of the state can post in its name."""
    return hashlib.sha256(secret.encode("ascii")).digest()


def callback_address(url: str, secret: str) -> str:
    """`callback_url` for one request: the secret is its last path segment; a query stays behind it."""
    path, behind = _split(url)
    return f"{path.rstrip('/')}/{secret}{behind}"


def secret_of(target: str) -> str:
    """The unguessable part of a URL, or of a path with or without a query; empty where the last segment is none."""
    segment = _split(target)[0].rpartition("/")[2]
    return segment if _SECRET.fullmatch(segment) else ""


def read_callback(body: bytes) -> CallbackWords:
    """What a body says, be it JSON or a form (`uuid=…&success=OK`), since the API documents neither.

    Raises:
        BadCallbackError: It is larger than 64 KiB, deeper than 8, or nothing of the two.
    """
    if len(body) > LARGEST_BODY:
        raise BadCallbackError(f"it has {len(body):,} bytes, more than {LARGEST_BODY:,}")
    try:
        value = parse(body, limit=LARGEST_BODY, deepest=DEEPEST)
    except BadJSONError as error:
        value = _form(body)
        if value is None:
            raise BadCallbackError(str(error)) from None
    uuids: dict[str, None] = {}
    _collect(value, uuids)
    said = value.get("error") or value.get("errors") if isinstance(value, dict) else None
    return CallbackWords(tuple(uuids)[:MOST_UUIDS], error_text(said, _masked))


def _split(url: str) -> tuple[str, str]:
    """What stands before the query or fragment, and those."""
    end = _BEHIND.search(url)
    return (url[: end.start()], url[end.start() :]) if end else (url, "")


def _collect(value: Any, uuids: dict[str, None]) -> None:
    if isinstance(value, list):
        for inner in value:
            _collect(inner, uuids)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key.lower() == "uuid" and isinstance(inner, str) and is_uuid(inner):
                uuids[inner] = None
            else:
                _collect(inner, uuids)


def _masked(text: str) -> str:
    return _OPAQUE.sub(lambda found: found[0] if _TAG.fullmatch(found[0]) else "•••", text)


def _form(body: bytes) -> dict[str, str] | None:
    """The fields of a form; None if it is none."""
    if body.lstrip()[:1] in {b"{", b"[", b'"'}:
        return None  # meant to be JSON
    try:
        return dict(parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=_MOST_FIELDS)) or None
    except ValueError:
        return None
