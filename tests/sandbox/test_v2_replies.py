"""Replies over a real socket: they arrive when the scenario says, and come again until they are marked."""

from __future__ import annotations

import pytest

from campaignkit.sandbox.server import EmbeddedServer

from .asking import CONFIRM, INCOMING, LIST, MARK, QUICK, bulk, mailing, quick, refused, result, send
from .conftest import FOUR, Clock, scripted


def test_replies_arrive_and_come_again_until_they_are_marked(server: EmbeddedServer, clock: Clock) -> None:
    result(server.url, LIST, **mailing(name="news"))
    clock.now += 60
    assert result(server.url, INCOMING, message_id=1) == [], "nobody answers a draft"
    result(server.url, CONFIRM, message_id=1)
    result(server.url, QUICK, **quick())
    send(server.url, bulk("a", FOUR[1]))
    assert [result(server.url, INCOMING, message_id=number) for number in (1, 2, 3)] == [[], [], []]
    clock.now += 2.5
    assert [len(result(server.url, INCOMING, message_id=number)) for number in (1, 2, 3)] == [1, 1, 0]
    clock.now += 60
    first, second = found = result(server.url, INCOMING, message_id=1)
    assert first == {"id": first["id"], "phone": FOUR[0], "message": "Thank you!", "d_receiver": "2024-10-30 12:01:02"}
    assert (second["phone"], second["message"], second["d_receiver"]) == (FOUR[1], "стоп", "2024-10-30 12:01:03")
    assert result(server.url, INCOMING, message_id=1) == found
    (third,) = result(server.url, INCOMING, message_id=2)
    (fourth,) = result(server.url, INCOMING, message_id=3)
    ids = [one["id"] for one in (first, second, third, fourth)]
    assert len(set(ids)) == 4
    assert all(isinstance(one, str) and one.isdigit() for one in ids)

    marked = f"{ids[0]},{ids[2]},999999,5,{ids[0]}"
    assert result(server.url, MARK, incoming_messages=marked) == "Number of flagged messages: 2"
    assert result(server.url, MARK, incoming_messages=marked) == "Number of flagged messages: 0"
    assert [result(server.url, INCOMING, message_id=number) for number in (1, 2, 3)] == [[second], [], [fourth]]


def test_a_reply_that_has_not_come_yet_is_not_marked(server: EmbeddedServer, clock: Clock) -> None:
    result(server.url, QUICK, **quick())
    assert result(server.url, MARK, incoming_messages="100100") == "Number of flagged messages: 0"
    clock.now += 60
    assert [one["id"] for one in result(server.url, INCOMING, message_id=1)] == ["100100"]
    assert result(server.url, MARK, incoming_messages="100100") == "Number of flagged messages: 1"


def test_replies_follow_the_scenario(clock: Clock) -> None:
    replies = [
        {"phone": "*", "text": "late", "after": 9, "match": "news"},
        {"phone": FOUR[0], "text": "early", "after": 1},
    ]
    with scripted(clock, replies=replies, speed=2.0, marks_at_most=2) as server:
        for name in ("news", "offer"):
            result(server.url, LIST, **mailing(name=name))
        for number in (1, 2):
            result(server.url, CONFIRM, message_id=number)
        clock.now += 4
        assert [one["message"] for one in result(server.url, INCOMING, message_id=1)] == ["early"]
        clock.now += 1
        found = result(server.url, INCOMING, message_id=1)
        assert [one["message"] for one in found] == ["early", *["late"] * 4]
        assert [one["message"] for one in result(server.url, INCOMING, message_id=2)] == ["early"]
        marked = ",".join(one["id"] for one in found)
        assert result(server.url, MARK, incoming_messages=marked) == "Number of flagged messages: 2"
        assert result(server.url, INCOMING, message_id=1) == found[2:]
    with scripted(clock, replies=[]) as server:
        result(server.url, QUICK, **quick())
        clock.now += 600
        assert result(server.url, INCOMING, message_id=1) == []


@pytest.mark.parametrize("ids", ["", " , ", "a", "1;2", "1,-2"])
def test_ids_to_mark_have_to_be_ids(server: EmbeddedServer, ids: str) -> None:
    assert refused(server.url, MARK, incoming_messages=ids)[0] == 400
