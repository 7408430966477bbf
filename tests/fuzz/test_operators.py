"""What a provider, a child or a damaged file may say, at random: only documented exceptions, and every word of it harmless."""

from __future__ import annotations

import contextlib
import unicodedata
import uuid
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.diagnostics import Diagnostic
from campaignkit.engine.folding import fold
from campaignkit.errors import PlanError, StateError
from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import Outcome
from campaignkit.plans.planfile import load as load_plan
from campaignkit.protocol.codec import MessageError, decode
from campaignkit.protocol.messages import (
    Chunk,
    Done,
    Index,
    MailingEnd,
    MailingMessage,
    Open,
    Progress,
    ProjectMessage,
)
from campaignkit.sandbox.scenario import ScenarioError, load_scenario
from campaignkit.states.lockfile import NAME, read_pins
from campaignkit.states.records import BatchRow, RequestRow, RequestState
from campaignkit.wire.outcomes import classify
from campaignkit.wire.statuses import NotStatusesError, decode_statuses
from tests.fuzz.shapes import ANYTHING, WORDS, near, spoilt

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
UUID = "cc9c8043-8caf-11ef-b035-9e8f47954dec"
PHONES = st.sampled_from(["375291111111", 375291111111, "+375 29 222-22-22"])
ROW = near({"phone": PHONES, "status": st.sampled_from(["NEW", "DELIVERED", "SEEN"]),
            "delivery_id": st.integers(), "status_time": WORDS})  # fmt: skip
ENTRY = near({"name": st.just("spring/invitation 1of1 ck-a"), "message_id": st.integers(), "success": st.lists(ROW, max_size=3),
              "errors": st.lists(st.one_of(WORDS, st.just("spring/invitation 1of1 ck-a: barred")), max_size=2)})  # fmt: skip


def harmless(text: str) -> bool:
    return not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text)


@given(st.one_of(spoilt(near({"uuid": st.just(UUID), "error": ANYTHING, "success": WORDS})), st.binary(max_size=60)), st.integers(100, 599),
       st.booleans(), st.one_of(st.none(), WORDS))  # fmt: skip
def test_answers_to_sends(body: bytes, status: int, complete: bool, retry_after: str | None) -> None:
    found = classify(status, body, complete, retry_after, now=NOW)
    assert (found.outcome is Outcome.ACCEPTED) == bool(found.uuid)
    assert harmless(found.reason)
    assert len(found.reason) < 2_000
    assert found.retry_after is None or found.retry_after >= 0
    if found.outcome is Outcome.ACCEPTED:
        assert complete
        assert status // 100 == 2


@given(st.one_of(spoilt(st.lists(ENTRY, max_size=4)), spoilt(ANYTHING), st.binary(max_size=60)))
def test_status_answers(body: bytes) -> None:
    try:
        answer = decode_statuses(body)
    except NotStatusesError as error:
        assert harmless(str(error))  # noqa: PT017 - either is fine
        return
    request, words = _request(), {1: "NEW"}

    def word_id(word: str) -> int:
        known = {text: number for number, text in words.items()}
        words.setdefault(known.get(word, len(words) + 1), word)
        return known.get(word, len(words))

    folded = fold(request, answer, words=words, word_id=word_id, now=NOW)
    assert len(folded.updates) == 1
    assert len(folded.updates[0].statuses) == 2
    assert not folded.updates[0].refused
    assert all(harmless(word) for word in words.values())
    assert all(harmless(text) for text in (*folded.notes, *folded.updates[0].errors))


MESSAGES: list[Any] = [Diagnostic, Done, Index, MailingEnd, MailingMessage, Open, Progress, ProjectMessage]


@pytest.mark.parametrize("shape", MESSAGES, ids=lambda shape: shape.__name__)
@given(data=st.data())
def test_messages_of_the_child(shape: Any, data: st.DataObject) -> None:
    fields = dict.fromkeys(shape.__dataclass_fields__, ANYTHING)
    body = data.draw(st.one_of(spoilt(near(fields)), st.binary(max_size=60)))
    with contextlib.suppress(MessageError):
        assert isinstance(decode(shape, body), shape)


@given(st.binary(max_size=200))
def test_chunks_of_the_child(body: bytes) -> None:
    with contextlib.suppress(MessageError, ValueError):
        Chunk.unpack(body)


COUNTED = near({"mailing": WORDS, "send": st.integers(), "resend": st.integers()})
PLANNED = near({"campaign": WORDS, "mailings": st.lists(COUNTED, max_size=2)})
PLAN = near(
    {
        "kind": st.just("campaignkit.plan"),
        "format_version": st.just("1.0"),
        "created_at": st.just("2026-11-25T10:00:00+00:00"),
        "environment": st.just("live"),
        "selection": st.lists(WORDS, max_size=2),
        "digest": WORDS,
        "components": ANYTHING,
        "campaigns": st.lists(PLANNED, max_size=2),
    }
)


@given(body=st.one_of(spoilt(PLAN), spoilt(ANYTHING), st.binary(max_size=60)))
def test_saved_plans(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / f"{uuid.uuid4().hex}.json"
    path.write_bytes(body)
    with contextlib.suppress(PlanError):
        load_plan(path)
    path.unlink()


LOCK = near({"version": st.just(1), "environments": st.dictionaries(WORDS, near({"lineage": WORDS, "origin": WORDS}), max_size=2)})


@given(body=st.one_of(spoilt(LOCK), spoilt(ANYTHING), st.binary(max_size=60)))
def test_lock_files(tmp_path: Path, body: bytes) -> None:
    (tmp_path / NAME).write_bytes(body)
    with contextlib.suppress(StateError):
        assert all(pin.lineage and pin.origin for pin in read_pins(tmp_path).values())


FAULT = near({"on": WORDS, "fault": WORDS, "status": st.integers(), "count": st.integers()})
SCENARIO = near({"seed": st.integers(), "faults": st.lists(FAULT, max_size=2), "statuses": ANYTHING})


@given(body=st.one_of(spoilt(SCENARIO), spoilt(ANYTHING), st.binary(max_size=60)))
def test_scenarios(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "scenario.json"
    path.write_bytes(body)
    with contextlib.suppress(ScenarioError):
        load_scenario(path)


def _request() -> RequestRow:
    batch = BatchRow(
        id=1, key=MailingKey("spring", 1, "invitation"), path="campaigns/spring.yaml", line=5, tag="ck-a",
        name="spring/invitation 1of1 ck-a", count=2, claimed=2, schedule_utc=None, fingerprints=bytes(32),
        phones=array("q", [375291111111, 375292222222]).tobytes(), statuses=bytes(2), details=b"",
        errors=(), error_first_at=None, refused=False,
    )  # fmt: skip
    return RequestRow(
        ref="r1", state=RequestState.ACCEPTED, run_id=1, uuid=UUID, attempts=1, planned_at=NOW, intent_at=NOW, done_at=NOW, http_status=200,
        phase="answered", reason="", bytes_written=9, answer=b"", polled_at=None, final=False, batches=(batch,),
    )  # fmt: skip
