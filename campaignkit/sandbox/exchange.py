"""What goes in and out of a method: the merged fields of a call, and a document or a refusal in answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug import Request as HttpRequest
from werkzeug import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import FileStorage

LARGEST_BODY = 64 * 1024 * 1024

_FORMS = {"application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart"}


class Refusal(Exception):  # noqa: N818 - it is an answer, no fault of the program
    """A request answered with an error document."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart body."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method.

    Attributes:
        fields: From JSON, form and query together; a file is an `Upload`.
        places: Where each stood: `query`, `form`, `multipart` or `json`.
        repeated: The names that came more than once.
    """

    fields: Mapping[str, Any]
    places: Mapping[str, str]
    repeated: frozenset[str] = frozenset()

    @property
    def token_place(self) -> str:
        """Where the token stood; empty where there was none."""
        return self.places.get("token", "")


class Incoming(HttpRequest):
    """A request with our limits."""

    max_content_length = LARGEST_BODY
    max_form_memory_size = LARGEST_BODY
    # Other names could be a foreign web page's, which must not read the phones in the ledger.
    trusted_hosts = ["127.0.0.1", "localhost"]  # noqa: RUF012 - the type is werkzeug's


def read_call(request: Incoming) -> Call:
    """The fields of a request; where a name comes twice, the body wins over the query, and the first in one place.

    Raises:
        Refusal: The body is not what its content type says.
    """
    fields: dict[str, Any] = {}
    places: dict[str, str] = {}
    repeated = set()
    place = _FORMS.get(request.mimetype, "json")
    parts: list[tuple[str, Any, str]] = [(name, value, "query") for name, value in request.args.items(multi=True)]
    if place == "json":
        parts += ((name, value, place) for name, value in _json_object(request.get_data(cache=False)).items())
    else:
        parts += ((name, value, place) for name, value in request.form.items(multi=True))
        parts += ((name, _uploaded(file), place) for name, file in request.files.items(multi=True))
    for name, value, where in parts:
        if places.get(name) == where:
            repeated.add(name)
            continue
        if name in places:
            repeated.add(name)
        fields[name], places[name] = value, where
    return Call(fields, places, frozenset(repeated))


def read_json(text: str | bytes) -> Any:
    """The document in a JSON text.

    Raises:
        Refusal: It isn't one.
    """
    try:
        return json.loads(text.decode() if isinstance(text, bytes) else text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "Request body is not valid JSON") from error


def answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; slashes are escaped as in the provider's samples."""
    return Response(written(document), status, headers, content_type="application/json")


def written(document: object) -> str:
    """A document as the provider writes JSON."""
    return json.dumps(document).replace("/", "\\/")


def error(status: int, text: str, *, message: bool = False) -> Response:
    """An answer that says what was wrong; with `message`, in the other shape that the provider's methods have for it."""
    return answer({"status": "error", "message": text} if message else {"error": text}, status)


def _uploaded(file: FileStorage) -> Upload:
    with file.stream:
        return Upload(file.stream.read())


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    document = read_json(body)
    if not isinstance(document, dict):
        raise Refusal(400, "Request body must be a JSON object")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
