"""What the state knows of everyone: text, JSON, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from campaignkit.model.mailings import BULK
from campaignkit.model.phones import shown
from campaignkit.model.status import ErrorLine, MailingStatus, PersonLine, StatusReport
from campaignkit.reports.safe import cell, hidden, line, people

FORMAT_VERSION = "1.0"


def status_text(report: StatusReport, *, verbose: bool = False) -> str:
    """Per mailing: counts by status, the provider's errors with their place, unknowns."""
    lines: list[str] = []
    for campaign in report.campaigns:
        lines.append(campaign.campaign)
        for mailing in campaign.mailings:
            lines += _mailing(mailing, verbose=verbose)
    return "\n".join(lines or ["Nothing was sent yet."]) + "\n"


def _mailing(mailing: MailingStatus, *, verbose: bool) -> Iterator[str]:
    revision = f" (revision {mailing.revision})" if mailing.revision != 1 else ""
    parts = [f"{number:,} {line(word, 40)}" for word, number in sorted(mailing.statuses.items())]
    parts += [f"{getattr(mailing, name):,} {name}" for name in ("rejected", "unknown", "unreported") if getattr(mailing, name)]
    cost = f", cost {line(mailing.cost, 40)}" if mailing.cost else ""
    yield f"  {mailing.mailing}{revision}: {people(mailing.recipients)} = {' + '.join(parts) or '0'}{cost}"
    for error in mailing.errors:
        sure = "refused" if error.confirmed else "reported, not yet confirmed by a second poll"
        yield f"    {line(error.path)}:{error.line}: {hidden(line(error.message))} ({people(error.recipients)}, {sure})"
    for request in mailing.requests:
        if request.outcome == "draft":
            size = people(request.recipients)
            yield f"    {request.request} is the draft {line(request.uuid, 40)} for {size}, not confirmed: nobody got it"
        elif verbose or request.outcome in {"unknown", "in_flight"}:
            sent = f" at {request.sent_at:%Y-%m-%d %H:%M:%S} UTC" if request.sent_at else ""
            reason = f": {hidden(line(request.reason))}" if request.reason and request.outcome != "accepted" else ""
            yield f"    {request.request} {request.outcome}, {people(request.recipients)}{sent}, tag {request.tag}{reason}"


def status_document(report: StatusReport) -> dict[str, Any]:
    """The document of `schemas/status.schema.json`."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "environment": report.environment,
        "campaigns": [
            {
                "campaign": campaign.campaign,
                "revision": campaign.revision,
                "mailings": [mailing_document(mailing) for mailing in campaign.mailings],
            }
            for campaign in report.campaigns
        ],
    }
    return document | ({"sandbox": True} if report.sandbox else {})


def mailing_document(mailing: MailingStatus) -> dict[str, Any]:
    """One mailing of the document."""
    return {
        "mailing": mailing.mailing,
        "revision": mailing.revision,
        "recipients": mailing.recipients,
        "statuses": dict(sorted(mailing.statuses.items())),
        "classes": mailing.classes,
        **({"cost": mailing.cost} if mailing.cost else {}),
        "rejected": mailing.rejected,
        "unknown": mailing.unknown,
        "unreported": mailing.unreported,
        "errors": [error_document(one) for one in mailing.errors],
        "requests": [
            {
                "request": one.request,
                "tag": one.tag,
                **({} if one.method == BULK else {"method": one.method, "step": one.step or None, "message_id": one.uuid or None}),
                "outcome": one.outcome,
                "uuid": one.uuid or None,
                "recipients": one.recipients,
                "sent_at": _time(one.sent_at),
            }
            for one in mailing.requests
        ],
    }


def error_document(error: ErrorLine) -> dict[str, Any]:
    """One error of the provider; phones that its words quote are masked."""
    return {"message": hidden(error.message), "path": error.path, "line": error.line, "recipients": error.recipients}


def people_text(found: Iterable[PersonLine], *, reveal: bool) -> Iterator[str]:
    """One delivery a line."""
    for one in found:
        when = f" since {line(one.status_time, 40)}" if one.status_time else ""
        when += f" (error code {line(one.error_code, 40)})" if one.error_code else ""
        sent = f", sent {one.sent_at:%Y-%m-%d %H:%M:%S} UTC" if one.sent_at else ""
        person = shown(one.phone, reveal=reveal)
        yield f"{person}  {one.campaign}/{one.mailing}  {line(one.status, 64)}{when}{sent}, {one.request}, {one.tag}\n"


def people_documents(found: Iterable[PersonLine], *, reveal: bool) -> list[dict[str, Any]]:
    """Deliveries for machines."""
    return [dict(zip(_COLUMNS, _row(one, reveal=reveal), strict=True)) for one in found]


_COLUMNS = (
    "campaign",
    "revision",
    "mailing",
    "phone",
    "status",
    "class",
    "status_time",
    "error_code",
    "method",
    "outcome",
    "request",
    "tag",
    "uuid",
    "sent_at",
)


def _row(one: PersonLine, *, reveal: bool) -> tuple[Any, ...]:
    phone = shown(one.phone, reveal=reveal)
    return (
        one.campaign,
        one.revision,
        one.mailing,
        phone,
        one.status,
        one.status_class,
        one.status_time,
        one.error_code,
        one.method,
        one.outcome,
        one.request,
        one.tag,
        one.uuid,
        _time(one.sent_at),
    )


def people_csv(found: Iterable[PersonLine], *, reveal: bool) -> Iterator[str]:
    """Deliveries as CSV that no spreadsheet takes for formulas."""
    yield _csv(_COLUMNS)
    for one in found:
        yield _csv(_row(one, reveal=reveal))


def _csv(values: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([cell(str("" if value is None else value)) for value in values])
    return buffer.getvalue()


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
