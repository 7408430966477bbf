"""The documentation's tables of parameters: what the strict mode holds a call to, the place of each name included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any

from campaignkit.sandbox.exchange import Upload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from campaignkit.sandbox.exchange import Call

QUERY = ("query",)
FORM = ("form", "multipart")
# The table says query, the sample of the same page shows a JSON body.
SAMPLE = ("json", "query")
LARGEST = 10**18 - 1
_IDS = re.compile(r"\d{1,18}(,\d{1,18})*", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a table. `kind` is `text`, `whole`, `ids`, `file` or `array`; `least` and `most` bound a whole number."""

    places: tuple[str, ...]
    kind: str = "text"
    required: bool = False
    least: int = 1
    most: int | None = None


_QUERY_TOKEN = Parameter(QUERY, required=True)
_FORM_TOKEN = Parameter(FORM, required=True)
_NUMBER = Parameter(FORM, "whole", required=True)
_MESSAGE: Mapping[str, Parameter] = {
    "type_message": Parameter(FORM),
    "message": Parameter(FORM),
    "image_url": Parameter(FORM),
    "image": Parameter(("multipart",), "file"),
    "button": Parameter(FORM),
    "button_link": Parameter(FORM),
}

TABLES: Mapping[str, Mapping[str, Parameter]] = {
    "sendBulkViber": {
        "token": Parameter(SAMPLE, required=True),
        "callback_url": Parameter(SAMPLE),
        "messages": Parameter(SAMPLE, "array", required=True),
    },
    "statusBulkViber": {"token": _QUERY_TOKEN, "uuid": Parameter(QUERY, required=True)},
    "sendQuickViberMessage": {
        "token": _FORM_TOKEN,
        "vibername_id": _NUMBER,
        "phone": Parameter(FORM, required=True),
        **_MESSAGE,
        "forwarding_message": Parameter(FORM, "whole", least=0, most=1),
        "forwarding_time": Parameter(FORM, "whole", least=5, most=60),
        "alphaname_id": Parameter(FORM, "whole"),
    },
    "getViberDeliveryData": {"token": _FORM_TOKEN, "message_id": _NUMBER},
    "sendViberMessageList": {
        "token": _FORM_TOKEN,
        "name": Parameter(FORM),
        "vibername_id": _NUMBER,
        "list_id": _NUMBER,
        **_MESSAGE,
        "d_schedule": Parameter(FORM),
    },
    "confirmViberMessage": {"token": _QUERY_TOKEN, "message_id": _NUMBER},
    "getViberMessages": {
        "token": _QUERY_TOKEN,
        "limit_offset": Parameter(FORM, "whole", least=0),
        "limit_rows": Parameter(FORM, "whole"),
    },
    "getViberMessageData": {"token": _QUERY_TOKEN, "message_id": _NUMBER},
    "getViberDeliveryList": {"token": _FORM_TOKEN, "message_id": _NUMBER},
    "getNewIncomingMessages": {"token": _FORM_TOKEN, "message_id": _NUMBER},
    "readResponseStatus": {"token": _FORM_TOKEN, "incoming_messages": Parameter(FORM, "ids", required=True)},
}
"""Every method's parameters by name."""


def violations(method: str, call: Call) -> Iterator[str]:
    """What the documentation of a method doesn't allow in a call."""
    table = TABLES[method]
    for name, value in call.fields.items():
        parameter = table.get(name)
        if parameter is None:
            yield f"unknown parameter {name}"
            continue
        if name in call.repeated:
            yield f"{name} is given more than once"
        if call.places[name] not in parameter.places:
            yield f"{name} must be in the {' or '.join(parameter.places)}, not in the {call.places[name]}"
        yield from _misfits(name, value, parameter)
    for name, parameter in table.items():
        if parameter.required and name not in call.fields:
            yield f"{name} is required"


def _misfits(name: str, value: Any, parameter: Parameter) -> Iterator[str]:
    accepted, said = _KINDS[parameter.kind]
    if not isinstance(value, accepted):
        yield f"{name} must be {said}"
    elif parameter.kind == "ids" and not _IDS.fullmatch(str(value)):
        yield f"{name} must be IDs with commas between them"
    elif parameter.kind == "whole":
        yield from _number_misfits(name, str(value), parameter)


def _number_misfits(name: str, value: str, parameter: Parameter) -> Iterator[str]:
    most = LARGEST if parameter.most is None else parameter.most
    if not _WHOLE.fullmatch(value):
        yield f"{name} must be an integer"
    elif not parameter.least <= int(value) <= most:
        yield f"{name} must be from {parameter.least} to {most}"


_KINDS: Mapping[str, tuple[type | UnionType, str]] = {
    "text": (str, "a text"),
    "whole": (str, "an integer"),
    "ids": (str, "a text"),
    "file": (Upload, "a file"),
    "array": (list | str, "an array"),
}
