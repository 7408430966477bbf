"""What shall go wrong, from a JSON file.

    {"seed": 1, "speed": 1.0,
     "faults": [{"method": "sendBulkViber", "nth": 2, "fault": "http_500_after"},
                {"method": "sendBulkViber", "match": "sale", "times": 3, "fault": "throttle", "retry_after": 1}],
     "phones": {"375291111111": ["NEW", "SENT", "UNDELIVERED"], "*77": [], "*88": ["NEW", "FAILED:9"]},
     "refusals": {"last-day": "Not enough money"},
     "replies": [{"phone": "*1111", "text": "Is it open on Sunday?", "after": 5}],
     "lists": {"77": ["375291111111", "375292222222"]}, "balance": "1.50", "repeat_confirm": "ok"}

| key | means |
|---|---|
| `seed` | whole number, 1 if absent: who reads when, and who never does |
| `speed` | number above 0, 1.0 if absent: 2 makes statuses advance twice as fast |
| `callbacks` | true: what was accepted is also posted to its `callback_url`, if that is on loopback, whatever the fault |
| `faults` | list, tried in order for every call; the first that fits breaks it |
| `phones` | the statuses of a phone, or of all that end in what follows `*`; `[]`: never reported; `FAILED:8`: with error code 8 |
| `refusals` | a mailing whose name holds the key is refused with that text: a bulk one in statusBulkViber, a list mailing at once, \
a quick message by its phone |
| `strict` | true: what the documentation doesn't allow is refused with 400, also where a lenient server would take it |
| `lists` | the subscriber lists by id, instead of 77 with four people and 78 with none |
| `balance`, `price` | decimal numbers as text, `"100"` and `"0.049"` EUR if absent: a confirmation debits the price of each subscriber |
| `repeat_confirm` | `"error"` if absent, or `"ok"`: what a second confirmation is answered with; it never debits again |
| `replies` | list of `phone` (or `*` and an ending), `text`, `after` seconds (2 if absent), `match` (part of the mailing's name, a quick \
message's phone): who writes back; `[]`: nobody. If absent, `*1111` says thanks and `*2222` says стоп |
| `marks_at_most` | readResponseStatus marks only the first so many of a call |
| `listed` | which mailings getViberMessages and getViberMessageData know: `["list"]` if absent, also `"quick"` and `"bulk"` |
| `ignore_offset` | true: getViberMessages gives the first page whatever `limit_offset` says |
| `ids` | `"number"` if absent, or `"text"`: how message and delivery ids are written |
| `id_field` | `"message_id"` if absent, or `"viber_id"`: the name of the message id in answers of v2 |

| key of a fault | means |
|---|---|
| `method` | one of the eleven, as the documentation spells it |
| `fault` | one of the kinds below |
| `nth` | only these calls of the method, counted from 1: a number or a list |
| `match` | only calls about a mailing whose name holds this, or a quick message whose phone does |
| `times` | at most so often |

| kind | accepted? | answer | options |
|---|---|---|---|
| `throttle` | no | 429 | `retry_after` seconds (header), `error`, `shape` |
| `http_400`, `http_403`, `http_404` | no | that status and an error | `error`: its text; `shape` |
| `http_500_before` | no | 500 and a page of HTML | `status` 500 to 599; `error`: JSON with this instead; `shape` |
| `http_500_after` | yes | the same | the same |
| `error_in_200` | no | 200 and an error | `error`, `shape` |
| `drop_before` | no | none, connection closed | `reset`: true sends a reset |
| `drop_after` | yes | none, connection closed | `reset` |
| `slow_before` | yes, late | the usual one, late | `seconds`, 1 if absent, slept before accepting |
| `slow` | yes | the usual one, late | `seconds`, slept after accepting |
| `trickle` | yes | the usual one, byte by byte | `seconds` that it takes |
| `garbage` | yes | 200 and a page of HTML | |
| `truncated` | yes | 200, half of the body it promises | |
| `flood` | yes | 200, the usual one behind many blanks | `megabytes`, 16 if absent |
| `no_uuid` | yes | 200 `{"success":"OK"}`, in v2 `{"status":"OK"}` without a result | |
| `empty_list` | yes | 200 `[]`, in v2 as the result | |
| `redirect` | yes | 303 | |

`shape` is how an error is written: `"error"` if absent, as `{"error": TEXT}`, or `"message"`, as
`{"status": "error", "message": TEXT}`.

A call that the sandbox refuses anyway (400, 403, 404) keeps that answer where the kind says it would be accepted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from campaignkit.sandbox.replies import USUAL as USUAL_REPLIES
from campaignkit.sandbox.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

V1 = ("sendBulkViber", "statusBulkViber")
METHODS = (
    *V1,
    "sendQuickViberMessage",
    "getViberDeliveryData",
    "sendViberMessageList",
    "confirmViberMessage",
    "getViberMessages",
    "getViberMessageData",
    "getViberDeliveryList",
    "getNewIncomingMessages",
    "readResponseStatus",
)
USUAL_LISTS: Mapping[int, Sequence[str]] = MappingProxyType(
    {77: ("375291111111", "375292222222", "375293333333", "375294444444"), 78: ()},
)
"""The subscriber lists where a scenario says nothing of them: the documentation's phones, and nobody."""


class ScenarioError(ValueError):
    """A scenario file is wrong; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule: which calls it breaks, and how. `nth` empty means any call."""

    method: str
    kind: str
    nth: frozenset[int] = frozenset()
    match: str = ""
    times: int | None = None
    retry_after: int | None = None
    seconds: float = 1.0
    error: str = ""
    status: int = 500
    shape: str = "error"
    reset: bool = False
    megabytes: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that shall be other than usual."""

    seed: int = 1
    speed: float = 1.0
    callbacks: bool = False
    faults: tuple[Fault, ...] = ()
    phones: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    lists: Mapping[int, Sequence[str]] = field(default_factory=lambda: USUAL_LISTS)
    balance: Decimal = Decimal(100)
    price: Decimal = Decimal("0.049")
    repeat_confirm: str = "error"
    replies: Sequence[Reply] = USUAL_REPLIES
    marks_at_most: int | None = None
    listed: frozenset[str] = frozenset({"list"})
    ignore_offset: bool = False
    ids: str = "number"
    id_field: str = "message_id"

    def id(self, number: int) -> int | str:
        """An id as answers hold it."""
        return str(number) if self.ids == "text" else number

    def script(self, phone: str) -> Sequence[str] | None:
        """The statuses set for a phone, its own before those of an ending; nothing where it goes the usual way."""
        if not self.phones or phone in self.phones:
            return self.phones.get(phone)
        endings = (key for key in self.phones if key.startswith("*") and phone.endswith(key[1:]))
        longest = max(endings, key=len, default=None)
        return None if longest is None else self.phones[longest]

    def refusal(self, name: str) -> str | None:
        """The text with which a mailing of this name is refused."""
        return next((text for part, text in self.refusals.items() if part in name), None)


def load_scenario(path: Path) -> Scenario:
    """The scenario of a file.

    Raises:
        ScenarioError: It can't be read, is no JSON, or says something that has no meaning.
    """
    from campaignkit.sandbox.scenario_reading import read_scenario

    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"{path}: not valid JSON: {error}") from error
    try:
        return read_scenario(document)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from error
