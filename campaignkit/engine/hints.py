"""Hints about one request, from its callbacks and from the answer that was kept: read, and believed by nobody."""

from __future__ import annotations

from campaignkit.model.unknowns import HintLine
from campaignkit.states.records import Hints, RequestRow
from campaignkit.wire.callbacks import BadCallbackError, CallbackWords, read_callback
from campaignkit.wire.outcomes import uuid_seen

CALLBACK, ANSWER = "callback", "answer"


def words_of(body: bytes) -> CallbackWords:
    """What a kept callback says; nothing where it can't be read."""
    try:
        return read_callback(body)
    except BadCallbackError:
        return CallbackWords((), "")


def hint_lines(row: RequestRow, hints: Hints) -> tuple[HintLine, ...]:
    """Every hint about a request, each with what asking about it showed: the answer's first, then callbacks as they came."""
    found = {one.uuid: str(one.finding) for one in hints.verifications}
    lines: list[HintLine] = []
    if seen := uuid_seen(row.answer):
        lines.append(HintLine(source=ANSWER, at=row.done_at, uuid=seen, finding=found.get(seen, "")))
    for one in hints.callbacks:
        said = words_of(one.body)
        lines += [
            HintLine(source=CALLBACK, at=one.at, uuid=uuid, error=said.error, finding=found.get(uuid, "")) for uuid in said.uuids or ("",)
        ]
    return tuple(lines)
