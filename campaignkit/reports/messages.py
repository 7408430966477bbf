"""Rendered messages for eyes and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campaignkit.model.messages import Message
from campaignkit.model.phones import quoted, shown
from campaignkit.reports.safe import line

FORMAT_VERSION = "1.0"


def message_text(message: Message, *, reveal: bool) -> str:
    """One message as a small block."""
    to = f"list {line(message.list_id, 40)}" if message.list_id else shown(message.phone, reveal=reveal)
    head = f"{message.campaign}/{message.mailing} to {to}"
    lines = [head + (f" at {message.at}" if message.at else "")]
    text, link = (_quoted(part, message, reveal=reveal) for part in (message.text, message.button_link))
    lines += [f"  | {line(part, 2000)}" for part in text.split("\n")] if text else []
    if message.image_url:
        lines.append(f"  image   {line(message.image_url)}")
    if message.caption:
        lines.append(f"  button  [{line(message.caption)}] → {line(link)}")
    lines.append(f"  ({len(message.text)} characters{f', link {len(message.button_link)}' if message.button_link else ''})")
    return "\n".join(lines) + "\n\n"


def _quoted(part: str, message: Message, *, reveal: bool) -> str:
    return part if message.list_id else quoted(part, message.phone, reveal=reveal)


def messages_document(messages: Sequence[Message], *, reveal: bool, sandbox: bool) -> dict[str, Any]:
    """The document of `schemas/render.schema.json`."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "messages": [
            {
                "campaign": one.campaign,
                "mailing": one.mailing,
                "phone": None if one.list_id else shown(one.phone, reveal=reveal),
                "list_id": one.list_id or None,
                "type": one.type,
                "text": _quoted(one.text, one, reveal=reveal) or None,
                "image_url": one.image_url or None,
                "caption": one.caption or None,
                "button_link": _quoted(one.button_link, one, reveal=reveal) or None,
            }
            for one in messages
        ],
    }
    return document | ({"sandbox": True} if sandbox else {})
