"""The provider's own records: paged to the end, and linked to what the state knows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from campaignkit.engine.pace import Pace
from campaignkit.model.replies import DeliveryLine, Link, RecordLine
from campaignkit.provider.port import Reader
from campaignkit.wire.records import DeliveryRow, MailingRecord
from campaignkit.wire.vocabulary import status_class

ROWS = 100
_MOST_PAGES = 100_000


@dataclass(slots=True, kw_only=True)
class Listed:
    """What paging brought; `complete` says that the end was reached, `notes` what was odd."""

    records: list[MailingRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = True


def list_all(reader: Reader, *, pace: Pace, tell: Callable[[int], None], stopped: Callable[[], bool] = lambda: False) -> Listed:
    """Every mailing of the account, each once, in the provider's order.

    Args:
        reader: The provider.
        pace: Requests a second.
        tell: Hears of how many mailings there are so far.
        stopped: Whether the operator has had enough.

    Raises:
        ProviderError: A page could not be had.
    """
    found = Listed()
    seen: set[object] = set()
    offset = 0
    for _ in range(_MOST_PAGES):
        if stopped():
            found.complete = False
            break
        pace.wait()
        page = reader.mailings(offset=offset, rows=ROWS)
        found.notes += [f"rows {offset + 1} to {offset + page.entries}: {note}" for note in page.notes]
        before = len(found.records)
        for record in page:
            name = record.message_id.lstrip("0") or record
            if name not in seen:
                seen.add(name)
                found.records.append(record)
        tell(len(found.records))
        if page.entries < ROWS:
            break
        if len(found.records) == before:
            found.complete = False
            where = f"rows {offset + 1} to {offset + page.entries}"
            found.notes.append(f"{where} repeat earlier ones: the provider's list does not end, and may not be whole here")
            break
        offset += page.entries
    else:
        found.complete = False
        found.notes.append(f"the provider's list has more than {_MOST_PAGES * ROWS:,} rows; the rest was not asked for")
    return found


def record_lines(records: Iterable[MailingRecord], known: Mapping[str, Link], *, unknown_only: bool = False) -> Iterator[RecordLine]:
    """Records with what of ours they are; `unknown_only` leaves out what is ours."""
    for record in records:
        link = known.get(record.message_id.lstrip("0")) if record.message_id else None
        if link is None or not unknown_only:
            yield record_line(record, link)


def record_line(record: MailingRecord, link: Link | None) -> RecordLine:
    """One record with what of ours it is."""
    return RecordLine(
        message_id=record.message_id,
        message_type=record.message_type,
        message=record.message,
        button_caption=record.button_caption,
        button_link=record.button_link,
        image_file=record.image_file,
        status=record.status,
        status_class=status_class(record.status),
        created=record.created,
        schedule=record.schedule,
        cost=record.cost,
        link=link,
    )


def delivery_lines(rows: Iterable[DeliveryRow]) -> Iterator[DeliveryLine]:
    """People of a mailing, each with the class of its status."""
    for row in rows:
        yield DeliveryLine(
            delivery_id=row.delivery_id, phone=row.phone, status=row.status, status_class=status_class(row.status),
            error_code=row.error_code,
        )  # fmt: skip
