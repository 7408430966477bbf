"""A mailing in the words of the model and in those of the child, one way and the other."""

from __future__ import annotations

from datetime import datetime

from campaignkit.model.mailings import Mailing, MailingKey
from campaignkit.protocol.messages import MailingMessage


def mailing_of(message: MailingMessage) -> Mailing:
    """What the child says of a mailing, in the words of the model; a local picture's bytes are not in it."""
    return Mailing(
        key=MailingKey(message.campaign, message.revision, message.mailing),
        schedule_utc=datetime.fromisoformat(message.schedule_utc) if message.schedule_utc else None,
        **{name: getattr(message, name) for name in _SAME},
    )


def message_of(mailing: Mailing) -> MailingMessage:
    """The way back of `mailing_of`."""
    fields = {name: getattr(mailing, name) for name in _SAME}
    return MailingMessage(
        campaign=mailing.key.campaign,
        revision=mailing.key.revision,
        mailing=mailing.key.mailing,
        schedule_utc=mailing.schedule_utc.isoformat() if mailing.schedule_utc else "",
        **fields,
    )


_SAME = (
    "path", "line", "message_type", "content_type", "alphaname_id", "schedule_wire", "schedule_shown", "content", "definition", "method",
    "vibername_id", "list_id", "expect_min", "expect_max", "sms_alphaname_id", "sms_after", "optouts_handled",
)  # fmt: skip
"""Fields that the model has as the message has them."""
