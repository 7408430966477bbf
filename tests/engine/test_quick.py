"""Quick mailings: one call for each person, each with its own intent, outcome and status."""

from __future__ import annotations

from array import array
from urllib.parse import parse_qsl

import pytest

from campaignkit.engine.overview import overview, people
from campaignkit.engine.packing import PackedBatch, Packer, requests
from campaignkit.engine.refresher import RefreshJob
from campaignkit.engine.resolver import Desk, Resolution
from campaignkit.errors import RefusedError
from campaignkit.model.mailings import FINGERPRINT_BYTES, Mailing
from campaignkit.model.outcomes import Outcome
from campaignkit.protocol.messages import Chunk
from campaignkit.states.records import RequestState
from campaignkit.wire.records import QuickStatus
from tests.canary import TOKEN
from tests.engine.conftest import FIRST, Bench, environment, mailing, quick_mailing
from tests.engine.test_applier import apply
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader, FakeSender, result


def chunk(phones: list[int]) -> Chunk:
    elements = [f'{{"phone":"{phone}","text":"Hi {phone % 10}"}}'.encode() for phone in phones]
    prints = b"".join(phone.to_bytes(FINGERPRINT_BYTES, "little") for phone in phones)
    return Chunk(array("q", phones), prints, array("I", map(len, elements)), b"".join(elements))


def batches(bench: Bench, one: Mailing, count: int = 3) -> list[PackedBatch]:
    packer = Packer(mailing=one, spool=bench.spool, batch_size=100, first=10, canary=True)
    packer.add(chunk(list(range(FIRST, FIRST + count))), None)
    return packer.finish()


def test_each_person_is_one_call_with_the_documented_fields(bench: Bench) -> None:
    one = quick_mailing(sms_alphaname_id="7", sms_after=30)
    sender = FakeSender()
    done = apply(bench, batches(bench, one), sender, one)
    assert (done.accepted, done.requests) == (3, 3)
    assert [dict(parse_qsl(body.decode())) for body in sender.bodies] == [
        {
            "token": TOKEN, "vibername_id": "12", "phone": str(FIRST + at), "type_message": "TEXT", "message": f"Hi {(FIRST + at) % 10}",
            "forwarding_message": "1", "forwarding_time": "30", "alphaname_id": "7",
        }
        for at in range(3)
    ]  # fmt: skip
    rows = list(bench.store.requests())
    assert [(row.method, row.uuid, row.recipients) for row in rows] == [("quick", str(8484 + at), 1) for at in range(3)]


def test_they_never_share_a_request_with_others(bench: Bench) -> None:
    bulk = bench.batches(mailing("bulk"), 20, canary=False)
    quick = batches(bench, quick_mailing(), 2)
    groups = list(requests([*bulk, *quick, *bulk], 8))
    assert [len(group) for group in groups] == [2, 1, 1, 2]


def test_a_refused_first_person_leaves_the_rest_unsent(bench: Bench) -> None:
    one = quick_mailing()
    done = apply(bench, batches(bench, one), FakeSender(result(Outcome.REJECTED)), one)
    assert (done.rejected, done.not_sent) == (1, 2)


def test_a_lost_answer_holds_back_one_person(bench: Bench) -> None:
    one = quick_mailing()
    sender = FakeSender(None, None, None, result(Outcome.UNKNOWN))
    done = apply(bench, batches(bench, one, 5), sender, one)
    assert (done.accepted, done.unknown) == (4, 1)


def refresh(bench: Bench, answers: dict[str, object]) -> tuple[FakeReader, int]:
    reader = FakeReader(answers)
    job = RefreshJob(store=bench.store, reader=reader, clock=FakeClock(), environment=environment(), campaigns=["spring"])
    return reader, job.once().pending


def test_statuses_and_error_codes_are_kept_and_shown(bench: Bench) -> None:
    one = quick_mailing()
    apply(bench, batches(bench, one), FakeSender(), one)
    reader, pending = refresh(
        bench,
        {
            "8484": QuickStatus(FIRST, "read", ""),
            "8485": QuickStatus(FIRST + 1, "UNDELIVERED", "8"),
            "8486": QuickStatus(FIRST + 2, "SENT", ""),
        },
    )
    assert reader.asked == ["8484", "8485", "8486"]
    assert pending == 1
    [campaign] = overview(bench.store, environment(), None).campaigns
    [found] = campaign.mailings
    assert found.statuses == {"read": 1, "UNDELIVERED": 1, "SENT": 1}
    assert found.classes == {"read": 1, "failed": 1, "sent": 1}
    assert (found.recipients, found.unreported) == (3, 0)
    assert [(error.message, error.line, error.recipients) for error in found.errors] == [("error code 8 (UNDELIVERED)", 5, 1)]
    [failed] = people(bench.store, failed=True)
    assert (failed.phone, failed.error_code, failed.status_class, failed.method) == (FIRST + 1, "8", "failed", "quick")
    assert refresh(bench, {})[0].asked == ["8486"]


def test_before_anybody_asked_all_are_unreported(bench: Bench) -> None:
    one = quick_mailing()
    apply(bench, batches(bench, one), FakeSender(), one)
    [campaign] = overview(bench.store, environment(), None).campaigns
    assert (campaign.mailings[0].unreported, campaign.mailings[0].errors) == (3, [])


def test_a_status_of_another_phone_is_noted_and_believed_of_nobody(bench: Bench) -> None:
    one = quick_mailing()
    apply(bench, batches(bench, one, 1), FakeSender(), one)
    reader = FakeReader({"8484": QuickStatus(1, "READ", "")})
    done = RefreshJob(store=bench.store, reader=reader, clock=FakeClock(), environment=environment(), campaigns=[]).once()
    assert [note for note in done.notes if "a status for a phone that is not in" in note]
    assert done.pending == 1


def desk(bench: Bench, reader: FakeReader) -> Desk:
    return Desk(store=bench.store, clock=FakeClock(), environment=environment(), reader=reader)


@pytest.fixture
def unknown(bench: Bench) -> str:
    one = quick_mailing()
    apply(bench, batches(bench, one, 1), FakeSender(result(Outcome.UNKNOWN)), one)
    return "r1"


def accepted(message_id: str) -> Resolution:
    return Resolution(to=RequestState.ACCEPTED, uuid=message_id, reason="found")


def test_an_id_is_believed_if_the_provider_shows_our_phone_under_it(bench: Bench, unknown: str) -> None:
    row, now = desk(bench, FakeReader({"8484": QuickStatus(FIRST, "SENT", "")})).settle(unknown, accepted("8484"))
    assert (row.method, now) == ("quick", RequestState.ACCEPTED)
    found = bench.store.request(unknown)
    assert found is not None
    assert found.uuid == "8484"


def test_an_id_of_another_phone_is_not(bench: Bench, unknown: str) -> None:
    with pytest.raises(RefusedError, match="another phone"):
        desk(bench, FakeReader({"8484": QuickStatus(FIRST + 1, "SENT", "")})).settle(unknown, accepted("8484"))
    with pytest.raises(RefusedError, match="no id of r1: no digits"):
        desk(bench, FakeReader({"x": ValueError("no digits")})).settle(unknown, accepted("x"))
