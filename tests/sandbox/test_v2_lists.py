"""List mailings over a real socket: a draft that is confirmed and paid once, and the provider's own list of what there is."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from campaignkit.sandbox.ledger import Counts
from campaignkit.sandbox.scenario_reading import read_scenario
from campaignkit.sandbox.server import EmbeddedServer

from .asking import CONFIRM, DELIVERIES, LIST, MAILING, MAILINGS, QUICK, ask, bulk, mailing, quick, refused, result, send, v2
from .conftest import FOUR, NOON, Clock, scripted


def test_a_list_mailing_is_a_draft_until_it_is_confirmed(server: EmbeddedServer, clock: Clock) -> None:
    answered = result(server.url, LIST, **mailing(name="news", d_schedule="2024-10-30 13:00"))
    assert answered == {"message_id": 1, "count_subscribers": 4}
    draft = {
        "message_id": 1,
        "message_type": "TEXT",
        "message": "hello",
        "button_caption": "",
        "button_link": "",
        "image_file": "",
        "status": "DRAFT",
        "d_create": "2024-10-30 12:00:00",
        "d_schedule": "2024-10-30 13:00:00",
        "cost": "0.00000 EUR",
    }
    clock.now += 7200
    found = result(server.url, MAILING, message_id=1)
    assert (found, list(found)) == (draft, list(draft))
    assert result(server.url, DELIVERIES, message_id=1) == []
    assert server.ledger.counts() == Counts(0, 0, 0, phones=0, drafts=1)
    assert server.ledger.times_accepted() == {}

    got = v2(server.url, CONFIRM, message_id=1)
    assert (got.status, got.document) == (200, {"status": "OK"})
    assert result(server.url, MAILING, message_id=1) == draft | {"status": "SENT", "cost": "0.19600 EUR"}
    rows = result(server.url, DELIVERIES, message_id=1)
    assert [list(row) for row in rows] == [["delivery_id", "phone", "status", "error_code"]] * 4
    assert [(row["delivery_id"], row["phone"], row["status"]) for row in rows] == [
        (1001 + number, phone, "NEW") for number, phone in enumerate(FOUR)
    ]
    clock.now += 10
    assert {row["status"] for row in result(server.url, DELIVERIES, message_id=1)} <= {"DELIVERED", "READ"}
    assert server.ledger.counts() == Counts(0, 0, 0, phones=4, confirmed=1)
    assert list(server.ledger.accepted_phones()) == [("news", phone) for phone in FOUR]


def test_a_confirmed_mailing_waits_for_its_schedule(server: EmbeddedServer, clock: Clock) -> None:
    result(server.url, LIST, **mailing(d_schedule="2024-10-30 13:00"))
    result(server.url, CONFIRM, message_id=1)
    clock.now = NOON + 3599
    assert {row["status"] for row in result(server.url, DELIVERIES, message_id=1)} == {"NEW"}
    clock.now = NOON + 3605
    assert {row["status"] for row in result(server.url, DELIVERIES, message_id=1)} <= {"DELIVERED", "READ"}


@pytest.mark.parametrize(("repeat", "status"), [(None, 400), ("error", 400), ("ok", 200)])
def test_a_repeated_confirmation_never_debits_again(clock: Clock, repeat: str | None, status: int) -> None:
    with scripted(clock, balance="0.2", **({} if repeat is None else {"repeat_confirm": repeat})) as server:
        result(server.url, LIST, **mailing())
        assert [v2(server.url, CONFIRM, message_id=1).status for _ in range(3)] == [200, status, status]
        assert str(server.ledger.spent()) == "0.196"
        assert set(server.ledger.times_accepted().values()) == {1}


def test_many_confirm_at_once_and_it_counts_once(tmp_path: Path) -> None:
    scenario = read_scenario({"repeat_confirm": "ok"})
    data = tmp_path / "data"
    with EmbeddedServer(data, scenario=scenario) as one, EmbeddedServer(data, scenario=scenario) as two:
        result(one.url, LIST, **mailing())
        got: list[int] = []

        def confirm(url: str) -> None:
            got.extend(v2(url, CONFIRM, message_id=1).status for _ in range(5))

        threads = [threading.Thread(target=confirm, args=(server.url,)) for server in (one, two) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [200] * 40
        assert str(two.ledger.spent()) == "0.196"
        assert two.ledger.times_accepted() == dict.fromkeys(FOUR, 1)


def test_too_small_a_balance_confirms_nothing(clock: Clock) -> None:
    with scripted(clock, balance="0.39", price="0.05") as server:
        for _ in range(2):
            result(server.url, LIST, **mailing())
        result(server.url, CONFIRM, message_id=1)
        assert refused(server.url, CONFIRM, message_id=2) == (400, "Not enough money")
        assert result(server.url, MAILING, message_id=2)["status"] == "DRAFT"
        assert ask(server.url, "/sandbox/ledger", method="GET").document["balance"] == "0.19000"
    with scripted(clock, balance="0.4", price="0.05") as server:
        for number in (1, 2):
            result(server.url, LIST, **mailing())
            result(server.url, CONFIRM, message_id=number)


def test_lists_are_known_by_their_number(server: EmbeddedServer, clock: Clock) -> None:
    assert result(server.url, LIST, **mailing(list_id=78))["count_subscribers"] == 0
    assert refused(server.url, LIST, **mailing(list_id=79)) == (404, "list_id is not found")
    assert result(server.url, CONFIRM, message_id=1) is None
    assert result(server.url, DELIVERIES, message_id=1) == []
    with scripted(clock, lists={"5": [FOUR[0]]}) as other:
        assert result(other.url, LIST, **mailing(list_id=5))["count_subscribers"] == 1
        assert refused(other.url, LIST, **mailing(list_id=77))[0] == 404


def test_mailings_come_in_pages(clock: Clock) -> None:
    with scripted(clock) as server:
        for number in range(105):
            result(server.url, LIST, **mailing(name=f"n{number}", message=f"m{number}"))
        pages = [[row["message"] for row in result(server.url, MAILINGS, limit_offset=start)] for start in (0, 100, 105)]
        assert [len(page) for page in pages] == [100, 5, 0]
        assert pages[0] + pages[1] == [f"m{number}" for number in range(105)]
        assert [row["message_id"] for row in result(server.url, MAILINGS, limit_offset=2, limit_rows=3)] == [3, 4, 5]
        assert result(server.url, MAILINGS) == result(server.url, MAILINGS, limit_offset=0, limit_rows=100)
        assert refused(server.url, MAILINGS, limit_rows=0) == (400, "limit_rows must be at least 1")
        assert refused(server.url, MAILINGS, limit_offset=-1) == (400, "limit_offset must be an integer")
    with scripted(clock, ignore_offset=True) as server:
        result(server.url, LIST, **mailing())
        assert result(server.url, MAILINGS, limit_offset=7) == result(server.url, MAILINGS)


def test_what_else_is_listed_is_a_matter_of_the_scenario(clock: Clock) -> None:
    with scripted(clock, listed=["list", "quick", "bulk"]) as server:
        picture = {"type": "button", "text": "t", "caption": "c", "button_link": "https://a.by/b", "image_url": "https://a.by/i.png"}
        send(server.url, bulk("a", FOUR[0]), bulk("bad", content={}), bulk("b", *FOUR[:2], content=picture))
        result(server.url, QUICK, **quick())
        result(server.url, LIST, **mailing())
        rows = result(server.url, MAILINGS)
        assert [(row["message_id"], row["status"], row["cost"]) for row in rows] == [
            (1, "SENT", "0.04900 EUR"),
            (2, "SENT", "0.09800 EUR"),
            (3, "SENT", "0.04900 EUR"),
            (4, "DRAFT", "0.00000 EUR"),
        ]
        assert result(server.url, MAILING, message_id=2) == rows[1]
        assert [rows[1][key] for key in ("message_type", "button_caption", "button_link", "image_file")] == [
            *("BUTTON", "c", "https://a.by/b", "https://a.by/i.png"),
        ]
        assert rb'"https:\/\/a.by\/b"' in v2(server.url, MAILINGS).body
        assert [row["phone"] for row in result(server.url, DELIVERIES, message_id=2)] == FOUR[:2]
