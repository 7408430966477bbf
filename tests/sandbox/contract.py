"""Holds raw HTTP against `schemas/sms-by-viber.openapi.json`: requests that somebody sends, answers that somebody gives.

Written from the document alone; neither the sandbox nor the client has a part in it.

    assert request_problems("POST", path, query, content_type, body) == []
    assert answer_problems(path, status, content_type, body) == []
"""

from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator
from werkzeug.formparser import parse_form_data

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "schemas" / "sms-by-viber.openapi.json").read_text("utf-8"))
_SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"

_WHOLE = re.compile(r"-?[0-9]+")
_FILE = "a file"


def request_problems(method: str, path: str, query: str, content_type: str, body: bytes) -> list[str]:
    """What the document does not allow in a request; nothing where it is one that it describes.

    Args:
        method: The HTTP method.
        path: The path alone, as sent.
        query: What stood behind the question mark.
        content_type: The header's value, with its parameters; empty where there was none.
        body: The body as sent.
    """
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return [f"{method} {path} is not in the document"]
    pairs = parse_qsl(query, keep_blank_values=True)
    problems = _query_problems(operation.get("parameters", []), pairs)
    kind = content_type.partition(";")[0].strip().lower()
    expected = operation.get("requestBody")
    if expected is None:
        return problems + ([f"a body of {len(body)} bytes where there is none"] if body else [])
    if not body and (kind in {"", FORM}) and not expected["required"]:
        return problems
    if kind not in expected["content"]:
        return [*problems, f"the content type is {content_type!r}, not one of {', '.join(expected['content'])}"]
    schema = expected["content"][kind]["schema"]
    try:
        if kind == JSON:
            return problems + _bulk_problems(schema, json.loads(body), dict(pairs))
        fields, repeated = _fields(kind, content_type, body, schema)
    except ValueError as error:
        return [*problems, f"the body is no {kind}: {error}"]
    return problems + repeated + _misfits(schema, fields)


def answer_problems(path: str, status: int, content_type: str, body: bytes) -> list[str]:
    """What the document does not allow in an answer."""
    answers = DOCUMENT["paths"][path]["post"]["responses"]
    if str(status) not in answers:
        return [f"the status {status} is not in the document"]
    kind = content_type.partition(";")[0].strip().lower()
    content = answers[str(status)]["content"]
    if kind not in content:
        return [f"the content type is {content_type!r}, not one of {', '.join(content)}"]
    return _misfits(content[kind]["schema"], json.loads(body) if kind == JSON else body.decode())


def _bulk_problems(schema: dict[str, Any], document: Any, query: dict[str, str]) -> list[str]:
    problems = _misfits(schema, document)
    # No schema can say it: the sample has the token in the body, the table in the query.
    if not problems and ("token" in document) == ("token" in query):
        problems.append("the token must stand in the body or in the query, and once")
    return problems


def _query_problems(parameters: list[dict[str, Any]], pairs: list[tuple[str, str]]) -> list[str]:
    known = {parameter["name"]: parameter for parameter in parameters}
    given = dict(pairs)
    problems = [f"{name} in the query is not in the document" for name in given if name not in known]
    problems += [f"{name} stands more than once in the query" for name in given if [n for n, _ in pairs].count(name) > 1]
    for name, parameter in known.items():
        if name in given:
            problems += [f"{name} in the query: {text}" for text in _misfits(parameter["schema"], _typed(given[name], parameter["schema"]))]
        elif parameter["required"]:
            problems.append(f"{name} is missing in the query")
    return problems


def _fields(kind: str, content_type: str, body: bytes, schema: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A form as a document: whole numbers where the schema has them, and a word in place of each file."""
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    _, form, files = parse_form_data(environ, silent=False)
    properties = _properties(schema)
    fields: dict[str, Any] = {name: _typed(value, properties.get(name, {})) for name, value in form.items()}
    problems = [f"{name} stands more than once" for name in form if len(form.getlist(name)) > 1 or name in files]
    problems += [f"{name} must be a file" for name in form if _is_file(properties.get(name, {}))]
    for name, file in files.items():
        with file.stream:
            content = file.stream.read()
        fields[name] = _FILE
        if not _is_file(properties.get(name, {})):
            problems.append(f"{name} must not be a file")
        if not content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
            problems.append(f"{name} is neither PNG nor JPEG")
        if not file.filename or file.mimetype not in {"image/png", "image/jpeg"}:
            problems.append(f"{name} has no name, or the type {file.mimetype!r}")
    assert kind != FORM or not files
    return fields, problems


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    schema = _resolved(schema)
    found: dict[str, Any] = {}
    for variant in schema.get("anyOf", []):
        found |= _properties(variant)
    found |= schema.get("properties", {})
    return found


def _typed(text: str, schema: dict[str, Any]) -> Any:
    return int(text) if _resolved(schema).get("type") == "integer" and _WHOLE.fullmatch(text) and len(text) <= 18 else text


def _is_file(schema: dict[str, Any]) -> bool:
    return _resolved(schema).get("format") == "binary"


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    return _SCHEMAS[str(schema["$ref"]).rpartition("/")[2]]


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"components": DOCUMENT["components"]} | json.loads(schema))


def _misfits(schema: dict[str, Any], value: Any) -> list[str]:
    errors = _validator(json.dumps(schema)).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path)) or 'the whole'}: {error.message}" for error in errors]
