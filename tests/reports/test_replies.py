"""Replies, records and opt-outs in every output: whatever somebody wrote stays words, and phones stay masked."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from campaignkit.model.mailings import MailingKey
from campaignkit.model.replies import DeliveryLine, Link, OptoutLine, RecordLine, ReplyLine, TestLine
from campaignkit.reports import inbox, mailings, testing
from campaignkit.reports.safe import json_text
from tests.reports.test_harmless import COMMAND, TEXTS, active
from tests.schemas.documents import problems

PHONE = 375_291_111_111
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINK = Link(key=MailingKey("spring-sale", 1, "news"), request="r3", method="list")


def reply(
    text: str, *, received: str = "2022-09-01 10:39:45", phone: int | None = PHONE, link: Link | None = LINK, wish: str = ""
) -> ReplyLine:
    return ReplyLine(
        id=1, provider_id="1234", message_id="4905", phone=phone, text=text, received=received, pulled_at=AT, acked_at=None, link=link,
        wish=wish,
    )  # fmt: skip


def record(text: str, link: Link | None = LINK) -> RecordLine:
    return RecordLine(
        message_id="4905", message_type=text, message=text, button_caption=text, button_link=text, image_file=text, status=text,
        status_class="unknown", created=text, schedule=text, cost=text, link=link,
    )  # fmt: skip


def optout(reason: str) -> OptoutLine:
    return OptoutLine(phone=PHONE, at=AT, reason=reason, by="anna@desk", reply=None)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@given(TEXTS)
def test_text_is_one_line_each_without_escapes_and_commands(text: str) -> None:
    for shown in (
        *inbox.replies_text([reply(text, received=text)], reveal=True),
        *inbox.optouts_text([optout(text)], reveal=True),
        *mailings.records_text([record(text)]),
        *mailings.deliveries_text(
            [DeliveryLine(delivery_id=1, phone=PHONE, status=text, status_class="unknown", error_code=text)], reveal=True
        ),
        *mailings.record_text(record(text)).splitlines(keepends=True),
    ):
        assert shown.endswith("\n")
        assert active(shown[:-1]) == []
        assert not COMMAND.search(shown)


@given(TEXTS)
def test_csv_is_one_row_each_of_words(text: str) -> None:
    for table in (
        "".join(inbox.replies_csv([reply(text, received=text)], reveal=True)),
        "".join(inbox.optouts_csv([optout(text)], reveal=True)),
        "".join(mailings.records_csv([record(text)])),
        "".join(
            mailings.deliveries_csv(
                [DeliveryLine(delivery_id=1, phone=None, status=text, status_class="unknown", error_code=text)], reveal=True
            )
        ),
    ):
        head, values = rows(table)
        assert len(head) == len(values)
        for value in values:
            assert active(value) == []
            assert not value.startswith(("=", "+", "-", "@"))


@given(TEXTS)
def test_json_holds_what_was_written_and_shows_nothing_active(text: str) -> None:
    document = inbox.replies_document([reply(text)], environment="live", reveal=True, sandbox=False)
    shown = json_text(document, indent=2)
    assert active(shown.replace("\n", "")) == []
    assert json.loads(shown)["replies"][0]["text"] == text


def documents(*, reveal: bool) -> dict[str, dict[str, Any]]:
    said = f"call {PHONE} or +375 29 111-11-11"
    delivery = DeliveryLine(delivery_id=None, phone=PHONE, status="SENT", status_class="sent", error_code="")
    test = TestLine(
        id=1, key=MailingKey("spring-sale", 1, "news"), phone=PHONE, rendered_for=PHONE, outcome="unknown", message_id="", reason=said,
        used=1, limit=20,
    )  # fmt: skip
    return {
        "inbox-list": inbox.replies_document(
            [reply(said), reply(said, phone=None, link=None)], environment="live", reveal=reveal, sandbox=True
        ),
        "optouts-list": inbox.optouts_document([optout(said)], environment="live", reveal=reveal, sandbox=False),
        "mailings-list": mailings.records_document(
            [record("SENT"), record("NEW", None)], environment="live", linked=True, complete=True, notes=[], sandbox=False
        ),
        "mailings-deliveries": mailings.deliveries_document(
            [delivery], message_id="1", environment="live", notes=["x"], reveal=reveal, sandbox=False
        ),
        "send-test": testing.test_document(test, environment="live", reveal=reveal, sandbox=False),
    }


@pytest.mark.parametrize("name", documents(reveal=False))
def test_documents_fit_their_schemas_and_hide_phones(name: str) -> None:
    hidden, shown = documents(reveal=False)[name], documents(reveal=True)[name]
    assert problems(name, hidden) == problems(name, shown) == []
    text = json.dumps(hidden, ensure_ascii=False)
    assert str(PHONE) not in text
    assert "111-11-11" not in text
    if name != "mailings-list":
        assert str(PHONE) in json.dumps(shown)


def test_text_and_csv_hide_phones() -> None:
    said = f"call {PHONE}"
    delivery = DeliveryLine(delivery_id=1, phone=PHONE, status="SENT", status_class="sent", error_code="")
    for reveal in (False, True):
        every = [
            *inbox.replies_text([reply(said)], reveal=reveal), *inbox.replies_csv([reply(said)], reveal=reveal),
            *inbox.optouts_text([optout(said)], reveal=reveal), *inbox.optouts_csv([optout("x")], reveal=reveal),
            *mailings.deliveries_text([delivery], reveal=reveal), *mailings.deliveries_csv([delivery], reveal=reveal),
        ]  # fmt: skip
        whole = [text for text in every if str(PHONE) in text]
        assert len(whole) == (6 if reveal else 0)


def test_a_long_reply_is_whole_in_csv() -> None:
    text = "a" * 4000
    assert rows("".join(inbox.replies_csv([reply(text)], reveal=True)))[1][4] == text


def test_what_a_line_says() -> None:
    [first] = inbox.replies_text([reply("Yes", wish="perhaps")], reveal=False)
    assert first == "1  2022-09-01 10:39:45  37529•••1111  spring-sale/news (list r3)  unread, may want to opt out: Yes\n"
    [second] = inbox.replies_text([reply("Yes", phone=None, link=None, received="")], reveal=False)
    assert second == "1  no time  no phone  not of this state  unread: Yes\n"
    *_, sums = mailings.deliveries_text(
        [DeliveryLine(delivery_id=1, phone=PHONE, status="x", status_class=name, error_code="8") for name in ("read", "failed", "read")],
        reveal=False,
    )
    assert sums == "3 people: 1 failed, 2 read\n"
