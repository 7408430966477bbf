"""A state as plain records: for backups that outlive this program, audits, and questions it has no command for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from campaignkit.states.packing import unpack_fingerprints, unpack_phones
from campaignkit.states.records import BatchRow, Hints, Listing, RequestRow
from campaignkit.states.store import StateReader
from campaignkit.states.times import to_text

FORMAT_VERSION = "1.0"


def export_records(reader: StateReader) -> Iterator[dict[str, object]]:
    """Everything a state knows, as JSON objects: one `state`, then each `mailing`, `request`, `reply`, `optout`, `test` and `event`.

    Behind a request stand each `callback` and `verification` of it.

    Holds whole phones: whoever writes it down does so where only the operator reads.

    Raises:
        StateError: The state cannot be read.
    """
    info = reader.info()
    yield {
        "type": "state",
        "format_version": FORMAT_VERSION,
        "lineage": info.lineage,
        "serial": info.serial,
        "environment": info.environment,
        "origin": info.origin,
        "releases": info.releases,
    }
    for mailing in reader.mailings():
        yield {
            "type": "mailing",
            "campaign": mailing.key.campaign,
            "revision": mailing.key.revision,
            "mailing": mailing.key.mailing,
            "path": mailing.path,
            "line": mailing.line,
            "claimed": mailing.claimed,
            "accepted": mailing.accepted,
        }
    words = reader.words()
    message_ids = reader.message_ids()
    for request in reader.requests():
        yield _request(request, words, message_ids.get(request.ref, ()))
        for hints in reader.hints(request.ref):
            yield from _hints(hints)
    yield from _asides(reader)
    for event in reader.events():
        yield {
            "type": "event",
            "id": event.id,
            "at": to_text(event.at),
            "kind": event.kind,
            "subject": event.subject,
            "detail": event.detail,
        }


def _asides(reader: StateReader) -> Iterator[dict[str, object]]:
    """Replies, opt-outs and test messages, in this order."""
    for reply in reader.replies():
        yield {
            "type": "reply",
            "id": reply.id,
            "provider_id": reply.provider_id,
            "message_id": reply.message_id,
            "request": reply.request or None,
            "phone": None if reply.phone is None else str(reply.phone),
            "text": reply.text,
            "received": reply.received,
            "pulled_at": to_text(reply.pulled_at),
            "acked_at": _moment(reply.acked_at),
        }
    for out in reader.optouts():
        yield {
            "type": "optout",
            "phone": str(out.phone),
            "at": to_text(out.at),
            "reason": out.reason,
            "by": out.by,
            "reply": out.reply,
        }
    for test in reader.tests():
        yield {
            "type": "test",
            "id": test.id,
            "campaign": test.campaign,
            "mailing": test.mailing,
            "phone": str(test.phone),
            "rendered_for": str(test.rendered_for),
            "state": test.state,
            "message_id": test.message_id,
            "at": to_text(test.at),
            "done_at": _moment(test.done_at),
            "http_status": test.http_status,
            "reason": test.reason,
            "answer": test.answer.decode("utf-8", "replace"),
        }


def _request(request: RequestRow, words: Mapping[int, str], message_ids: Sequence[str]) -> dict[str, object]:
    return {
        "type": "request",
        "request": request.ref,
        "state": str(request.state),
        "run": request.run_id,
        "method": request.method,
        "message_ids": list(message_ids),
        "step": str(request.step) or None,
        "uuid": request.uuid,
        "attempts": request.attempts,
        "planned_at": to_text(request.planned_at),
        "intent_at": _moment(request.intent_at),
        "done_at": _moment(request.done_at),
        "polled_at": _moment(request.polled_at),
        "final": request.final,
        "http_status": request.http_status,
        "phase": request.phase,
        "reason": request.reason,
        "bytes_written": request.bytes_written,
        "answer": request.answer.decode("utf-8", "replace"),
        "poll_answer": request.poll_answer.decode("utf-8", "replace"),
        "batches": [_batch(batch, words) for batch in request.batches],
        "list": _listing(request.listing, words) if request.listing else None,
    }


def _listing(listing: Listing, words: Mapping[int, str]) -> dict[str, object]:
    details = _details(listing.details, listing.listed)
    return {
        "subscribers": listing.subscribers,
        "cost": listing.cost,
        "recipients": [
            {
                "phone": str(phone),
                "status": words.get(status),
                "delivery_id": delivery_id,
                "status_time": status_time,
                "error_code": error_code,
            }
            for phone, status, (delivery_id, status_time, error_code) in zip(
                unpack_phones(listing.phones), listing.statuses, details, strict=True
            )
        ],
    }


def _hints(hints: Hints) -> Iterator[dict[str, object]]:
    for one in hints.callbacks:
        body = one.body.decode("utf-8", "replace")
        yield {"type": "callback", "request": hints.ref, "at": to_text(one.at), "body": body, "handled": one.handled}
    for asked in hints.verifications:
        yield {
            "type": "verification",
            "request": hints.ref,
            "uuid": asked.uuid,
            "finding": str(asked.finding),
            "tries": asked.tries,
            "at": to_text(asked.at),
        }


def _batch(batch: BatchRow, words: Mapping[int, str]) -> dict[str, object]:
    details = _details(batch.details, batch.count)
    people = zip(unpack_phones(batch.phones), batch.statuses, unpack_fingerprints(batch.fingerprints), details, strict=True)
    return {
        "campaign": batch.key.campaign,
        "revision": batch.key.revision,
        "mailing": batch.key.mailing,
        "path": batch.path,
        "line": batch.line,
        "tag": batch.tag,
        "name": batch.name,
        "schedule_utc": _moment(batch.schedule_utc),
        "claimed": batch.claimed,
        "refused": batch.refused,
        "errors": list(batch.errors),
        "error_first_at": _moment(batch.error_first_at),
        "recipients": [
            {
                "phone": str(phone),
                "status": words.get(status),
                "fingerprint": fingerprint.hex(),
                "delivery_id": delivery_id,
                "status_time": status_time,
                "error_code": error_code,
            }
            for phone, status, fingerprint, (delivery_id, status_time, error_code) in people
        ],
    }


def _details(packed: bytes, count: int) -> list[list[object]]:
    """Delivery id, status time and error code of each person; nulls before the first answer."""
    found: list[list[object]] = json.loads(zlib.decompress(packed)) if packed else []
    return [(one + [None] * 3)[:3] for one in found] + [[None] * 3] * (count - len(found))


def _moment(at: datetime | None) -> str | None:
    return None if at is None else to_text(at)
