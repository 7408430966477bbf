"""What is posted for a request, method by method: the bytes that were rendered for the plan, in the provider's form."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from campaignkit.engine.packing import PackedBatch
from campaignkit.engine.sending import Call, Ready
from campaignkit.engine.spool import Spool
from campaignkit.model.mailings import BULK, QUICK
from campaignkit.model.outcomes import SendResult
from campaignkit.provider.port import Sender
from campaignkit.states.records import Step
from campaignkit.wire.bulk import encode_batch, encode_request
from campaignkit.wire.callbacks import callback_address
from campaignkit.wire.forms import encode_form, list_fields, quick_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Puts requests together, and knows which call of the provider takes each.

    Args:
        sender: The provider.
        spool: The rendered bytes.
        token: Goes into bodies, where the API's samples have it.
        callback_url: Of the environment, if it has one; only the bulk method takes it.
    """

    sender: Sender
    spool: Spool
    token: str = field(repr=False)
    callback_url: str | None

    def of(self, ready: Ready) -> Call:
        """The one post of this request, ready to be tried."""
        if ready.step is Step.CONFIRM:
            return partial(_posted, self.sender.confirm, ready.message_id)
        mailing = ready.batches[0].mailing
        if mailing.method == BULK:
            return partial(_posted, self.sender.send_bulk, self._body(ready))
        fields = form_fields(ready.batches[0], ready.names[0], self.spool)
        form = encode_form(fields, token=self.token, image=mailing.image, image_name=mailing.image_name)
        return partial(_posted, self.sender.send_quick if mailing.method == QUICK else self.sender.create_draft, form)

    def _body(self, ready: Ready) -> bytes:
        return encode_request(
            [encoded(batch, name, self.spool) for batch, name in zip(ready.batches, ready.names, strict=True)],
            token=self.token,
            callback_url=callback_address(self.callback_url, ready.callback_secret) if self.callback_url else None,
        )


def _posted(post: Callable[..., SendResult], what: object, intent: Callable[[], bool]) -> SendResult:
    return post(what, intent=intent)


def encoded(batch: PackedBatch, name: str, spool: Spool) -> bytes:
    """A packed batch as one element of `messages[]`."""
    mailing = batch.mailing
    return encode_batch(
        alphaname_id=mailing.alphaname_id,
        name=name,
        message_type=mailing.message_type,
        schedule_time=mailing.schedule_wire,
        content=mailing.content,
        elements=spool.read(batch.elements),
    )


def form_fields(batch: PackedBatch, name: str, spool: Spool) -> dict[str, str]:
    """The fields of a quick message, or of a mailing to a list, without token and image file."""
    mailing = batch.mailing
    if mailing.method == QUICK:
        person = json.loads(spool.read(batch.elements))
        return quick_fields(
            vibername_id=mailing.vibername_id,
            phone=int(person["phone"]),
            content=mailing.content,
            text=person.get("text", ""),
            button_link=person.get("button_link", ""),
            sms_alphaname_id=mailing.sms_alphaname_id,
            sms_after=mailing.sms_after,
        )
    return list_fields(
        name=name,
        vibername_id=mailing.vibername_id,
        list_id=mailing.list_id,
        content=mailing.content,
        schedule_time=mailing.schedule_wire,
    )
