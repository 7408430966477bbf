"""POST /api/v1/sendBulkViber: accepts at once; what is wrong with a mailing shows in its status."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from campaignkit.sandbox.documents import read_mailings, unknown_keys
from campaignkit.sandbox.exchange import Call, Refusal, read_json, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaignkit.sandbox.desk import Desk
    from campaignkit.sandbox.records import Mailing


def answer(call: Call, desk: Desk) -> object:
    """Accepts a request and names it.

    Raises:
        Refusal: It is malformed as a whole.
    """
    callback_url = call.fields.get("callback_url") or ""
    if not isinstance(callback_url, str):
        raise Refusal(400, "callback_url must be a string")
    messages = _messages(call)
    for text in unknown_keys(messages) if desk.scenario.strict else ():
        raise Refusal(400, text)
    mailings = (_judged(mailing, desk) for mailing in read_mailings(messages))
    request = desk.ledger.accept(at=desk.clock(), token_place=call.token_place, callback_url=callback_url, mailings=list(mailings))
    document = {"uuid": request.uuid, "success": "OK"}
    if desk.callbacks is not None and callback_url:
        desk.callbacks.post(callback_url, written(document))
    return document


def names(call: Call, _desk: Desk) -> Iterator[str]:
    """The names of the mailings in a call, as far as it has any."""
    messages = _messages(call)
    for entry in messages if isinstance(messages, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield entry["name"]


def _messages(call: Call) -> object:
    messages = call.fields.get("messages")
    # A form or a query can hold the array as text only; in a JSON body that would be a mistake.
    if isinstance(messages, str) and call.places["messages"] != "json":
        return read_json(messages)
    return messages


def _judged(mailing: Mailing, desk: Desk) -> Mailing:
    refusal = desk.scenario.refusal(mailing.name)
    return mailing if refusal is None else replace(mailing, recipients=(), errors=(*mailing.errors, refusal))
