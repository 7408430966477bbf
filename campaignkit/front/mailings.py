"""What the child tells the operator of a mailing: all that is the same for everybody, and what its rows came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from campaignkit.compiler.definitions import MailingDefinition
from campaignkit.compiler.rows import RowLoop
from campaignkit.front.samples import outline
from campaignkit.model.mailings import BULK
from campaignkit.protocol.messages import MailingEnd, MailingMessage

MOST_HOSTS = 50
"""Hosts of links that are named."""


def mailing_begins(mailing: MailingDefinition) -> MailingMessage:
    """Before its rows."""
    when = mailing.schedule
    return MailingMessage(
        campaign=mailing.campaign,
        revision=mailing.revision,
        mailing=mailing.name,
        path=mailing.document.path,
        line=mailing.line,
        message_type=mailing.message_type,
        content_type=mailing.content_type,
        alphaname_id=mailing.sender if mailing.method == BULK else "",
        vibername_id=mailing.vibername,
        method=mailing.method,
        list_id=mailing.list_id,
        expect_min=mailing.expect[0],
        expect_max=mailing.expect[1],
        sms_alphaname_id=mailing.sms[0],
        sms_after=mailing.sms[1],
        optouts_handled=mailing.optouts_handled,
        image_path=mailing.image[0],
        image_sha256=mailing.image[1],
        schedule_wire=when.wire if when else "",
        schedule_utc=when.utc.isoformat() if when else "",
        schedule_shown=when.shown if when else "",
        content=mailing.once,
        definition=mailing.definition,
    )


def mailing_ends(loop: RowLoop, digest: str) -> MailingEnd:
    """After them; `digest` is the SHA-256 of its audience, empty where that is inline."""
    figures = asdict(loop.figures) | {"hosts": dict(Counter(loop.figures.hosts).most_common(MOST_HOSTS))}
    return MailingEnd(**figures, invalid=loop.problems.invalid, audience=digest, outline=outline(loop.mailing))
