"""Messages as people get them, taken from the same stream that apply sends from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from campaignkit.intake.talk import Front
from campaignkit.model.mailings import Mailing
from campaignkit.model.messages import Message
from campaignkit.protocol.messages import Chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages: of one mailing or all, of one phone or the first `limit`, or only the longest text."""

    mailing: str | None
    phone: int | None
    limit: int
    longest: bool


def rendered(front: Front, paths: Sequence[str], environment: str, wanted: Wanted) -> list[Message]:
    """The wanted messages, mailing by mailing. The whole audience is read, so that every problem is found."""
    found: list[Message] = []
    mailing: Mailing | None = None
    mine: list[Message] = []
    for word in front.run(paths, environment=environment, elements=True):
        if isinstance(word, Mailing):
            found += mine
            mailing, mine = word, []
        elif isinstance(word, Chunk) and mailing is not None and wanted.mailing in {None, mailing.key.mailing}:
            _take(mine, _messages(mailing, word), wanted)
    return found + mine


def _take(mine: list[Message], messages: Iterator[Message], wanted: Wanted) -> None:
    for message in messages:
        if wanted.phone is not None and message.phone != wanted.phone:
            continue
        if wanted.longest:
            if not mine or len(message.text) > len(mine[0].text):
                mine[:] = [message]
        elif len(mine) < wanted.limit:
            mine.append(message)
        else:
            return


def _messages(mailing: Mailing, chunk: Chunk) -> Iterator[Message]:
    at = 0
    content = mailing.content
    for phone, length in zip(chunk.phones, chunk.lengths, strict=True):
        raw = chunk.elements[at : at + length]
        at += length
        fields = json.loads(raw) if raw.startswith(b"{") else {}
        yield Message(
            campaign=mailing.key.campaign,
            mailing=mailing.key.mailing,
            phone=phone,
            type=mailing.content_type,
            text=fields.get("text", content.get("text", "")),
            image_url=content.get("image_url", mailing.image_name),
            caption=content.get("caption", ""),
            button_link=fields.get("button_link", content.get("button_link", "")),
            at=mailing.schedule_shown,
            list_id=mailing.list_id,
        )
