"""Test messages: the real rendering, to the team, each with its own intent, counted, and never a delivery."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from campaignkit.engine.testing import LOCK_LOST, Sample, TestJob, sample
from campaignkit.errors import RefusedError, StateError
from campaignkit.model.mailings import FINGERPRINT_BYTES, Mailing
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.protocol.messages import Chunk
from tests.engine.conftest import FIRST, Bench, environment, list_mailing, mailing, quick_mailing
from tests.fakes.clock import FakeClock
from tests.fakes.front import PlayedFront, people
from tests.fakes.provider import FakeSender
from tests.fakes.provider import result as ended

TEAM = 375_299_999_999


def personal(*texts: str) -> Chunk:
    elements = [f'{{"phone":"{FIRST + at}","text":"{text}"}}'.encode() for at, text in enumerate(texts)]
    prints = bytes(FINGERPRINT_BYTES * len(texts))
    return Chunk(array("q", range(FIRST, FIRST + len(texts))), prints, array("I", map(len, elements)), b"".join(elements))


def front(*words: Any) -> PlayedFront:
    return PlayedFront(*words)


def found(one: Mailing, chunk: Chunk, phone: int | None = None) -> Sample | None:
    return sample(front(mailing("other"), people([1]), one, chunk).as_front(), "campaigns/spring.yaml", "live", one.key.mailing, phone)


def job(bench: Bench, sender: FakeSender, *, clock: FakeClock | None = None, **more: Any) -> TestJob:
    where = more.pop("environment", environment(test_limit=3, test_phones=(TEAM,)))
    return TestJob(store=bench.store, sender=sender, clock=clock or FakeClock(), environment=where, token="secret-token", **more)


def sent(bench: Bench, one: Mailing, chunk: Chunk, phone: int | None = None) -> dict[str, str]:
    sender = FakeSender()
    taken = found(one, chunk, phone)
    assert taken is not None
    job(bench, sender).run(taken, TEAM)
    [body] = sender.bodies
    return dict(parse_qsl(body.decode(), strict_parsing=True))


def test_the_first_recipients_message_goes_to_the_team(bench: Bench) -> None:
    fields = sent(bench, quick_mailing(sms_alphaname_id="7", sms_after=30), personal("Hi, Ann", "Hi, Bob"))
    # No SMS fallback: a test that is not delivered shows just that.
    assert fields == {
        "token": "secret-token", "vibername_id": "12", "phone": str(TEAM), "type_message": "TEXT", "message": "Hi, Ann",
    }  # fmt: skip
    [row] = bench.store.tests()
    assert (row.campaign, row.mailing, row.phone, row.rendered_for) == ("spring", "code", TEAM, FIRST)
    assert (row.state, row.message_id) == ("accepted", "8484")
    assert not bench.store.mailings()
    assert not list(bench.store.requests())


def test_another_recipients_message(bench: Bench) -> None:
    assert sent(bench, quick_mailing(), personal("Hi, Ann", "Hi, Bob"), FIRST + 1)["message"] == "Hi, Bob"
    assert found(quick_mailing(), personal("Hi, Ann"), FIRST + 9) is None


def test_a_bulk_mailing_goes_as_a_quick_message(bench: Bench) -> None:
    content = {
        "type": "button",
        "text": "Only today",
        "caption": "Open",
        "button_link": "https://example.by",
        "image_url": "https://e.by/i",
    }
    fields = sent(bench, replace(mailing(), content=content, vibername_id="12"), people([FIRST]))
    assert {key: fields[key] for key in ("type_message", "message", "image_url", "button", "button_link")} == {
        "type_message": "BUTTON", "message": "Only today", "image_url": "https://e.by/i", "button": "Open",
        "button_link": "https://example.by",
    }  # fmt: skip


def test_a_list_mailing_has_one_message_for_all(bench: Bench) -> None:
    chunk = Chunk(array("q", [0]), bytes(FINGERPRINT_BYTES), array("I", [6]), b'"list"')
    assert sent(bench, list_mailing(), chunk)["message"] == "Hi"
    assert [row.rendered_for for row in bench.store.tests()] == [0]


def test_without_a_viber_name_nothing_can_be_sent(bench: Bench) -> None:
    taken = found(mailing(), people([FIRST]))
    assert taken is not None
    sender = FakeSender()
    with pytest.raises(RefusedError, match="spring/invitation has no vibername_id"):
        job(bench, sender).run(taken, TEAM)
    assert (sender.bodies, bench.store.tests()) == ([], [])


def test_what_breaks_the_documentation_is_refused_before_anything_is_connected(bench: Bench) -> None:
    taken = found(quick_mailing(content={"type": "image"}), personal("Hi"))
    assert taken is not None
    with pytest.raises(RefusedError, match="an IMAGE message needs image or image_url"):
        job(bench, FakeSender()).run(taken, TEAM)
    assert not bench.store.tests()


def test_a_child_that_names_somebody_else_is_not_believed(bench: Bench) -> None:
    chunk = personal("Hi")
    lying = Chunk(chunk.phones, chunk.fingerprints, chunk.lengths, chunk.elements.replace(str(FIRST).encode(), str(FIRST + 1).encode()))
    taken = found(quick_mailing(), lying)
    assert taken is not None
    with pytest.raises(RefusedError, match="not exactly the claimed phones"):
        job(bench, FakeSender()).run(taken, TEAM)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.THROTTLED, Outcome.NOT_SENT, Outcome.UNKNOWN])
def test_every_end_is_recorded_and_only_what_may_have_gone_out_counts(bench: Bench, outcome: Outcome) -> None:
    taken = found(quick_mailing(), personal("Hi"))
    assert taken is not None
    line = job(bench, FakeSender(ended(outcome))).run(taken, TEAM)
    assert (line.outcome, line.used, line.limit) == (outcome, int(outcome is Outcome.UNKNOWN), 3)
    assert [(row.state, row.reason) for row in bench.store.tests()] == [(outcome, "scripted")]


def test_what_never_connected_leaves_no_trace(bench: Bench) -> None:
    taken = found(quick_mailing(), personal("Hi"))
    assert taken is not None
    down = SendResult(outcome=Outcome.NOT_SENT, phase=Phase.CONNECTING, reason="refused")
    line = job(bench, FakeSender(down)).run(taken, TEAM)
    assert (line.outcome, line.reason, line.id, bench.store.tests()) == ("not_sent", "refused", 0, [])


def test_a_lock_that_is_gone_stops_it_before_its_intent(bench: Bench) -> None:
    taken = found(quick_mailing(), personal("Hi"))
    assert taken is not None
    sender = FakeSender()
    line = job(bench, sender, still_ours=lambda: False).run(taken, TEAM)
    assert (line.outcome, line.reason, sender.bodies, bench.store.tests()) == ("not_sent", LOCK_LOST, [], [])


def test_the_intent_stands_before_the_first_byte(bench: Bench) -> None:
    taken = found(quick_mailing(), personal("Hi"))
    assert taken is not None

    class Dying(FakeSender):
        def send_quick(self, form: Any, *, intent: Any) -> SendResult:
            assert intent()
            other = bench.reopen()
            assert [row.state for row in other.tests()] == ["intent"]
            other.close()
            raise StateError("the process dies here")

    with pytest.raises(StateError):
        job(bench, Dying()).run(taken, TEAM)
    assert bench.store.recover_tests(FakeClock().now()) == 1
    assert [row.state for row in bench.store.tests()] == ["unknown"]


def test_so_many_a_day_and_no_more(bench: Bench) -> None:
    taken = found(quick_mailing(), personal("Hi"))
    assert taken is not None
    clock = FakeClock()
    one = job(bench, FakeSender(None, ended(Outcome.UNKNOWN), ended(Outcome.REJECTED), None), clock=clock)
    for used in (1, 2, 2, 3):
        one.demand_room()
        assert one.run(taken, TEAM).used == used
    with pytest.raises(RefusedError, match="3 test messages went out within the last 24 hours"):
        one.demand_room()
    clock.forward(timedelta(days=1).total_seconds())
    one.demand_room()


def test_a_limit_of_none_lets_nothing_out(bench: Bench) -> None:
    with pytest.raises(RefusedError):
        job(bench, FakeSender(), environment=environment(test_limit=0)).demand_room()
