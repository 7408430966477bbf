"""What every store must do, whatever it is kept in. A new implementation joins by the `world` fixture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from campaignkit.errors import StateError
from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import Outcome
from campaignkit.states.export import export_records
from campaignkit.states.packing import unpack_phones
from campaignkit.states.records import BatchUpdate, PlannedRequest, RequestState, Step
from campaignkit.states.store import ClaimConflictError, Store
from tests.states.conftest import AT, FIRST, INVITATION, LAST_DAY, Run, World, batch, fingerprint, request, result

THREE = (FIRST, FIRST + 1, FIRST + 2)


def test_a_plan_claims_everyone_and_counts_up(world: World, run: Run) -> None:
    before = run.store.info()
    assert run.plan(request(THREE), request([FIRST], LAST_DAY)) == ["r1", "r2"]
    after = run.store.info()
    assert (before.serial, before.claims_version) == (1, 0)
    assert (after.serial, after.claims_version, after.releases) == (1, 1, 0)
    assert after.history != before.history != ""
    assert run.holds(*THREE, FIRST + 3) == set(THREE)
    assert [(m.key, m.claimed, m.accepted) for m in run.store.mailings()] == [(INVITATION, 3, 0), (LAST_DAY, 1, 0)]
    known = run.store.known([1], [FIRST + 1])[FIRST + 1]
    assert known == (1, "r1", RequestState.PLANNED, fingerprint(FIRST + 1), False, "definition-1", Step.ONLY)
    assert not run.store.problems()


def test_of_several_mailings_the_first_named_answers(run: Run) -> None:
    run.plan(request(THREE), request([FIRST, FIRST + 9], LAST_DAY, version=2))
    assert {p: k.mailing_id for p, k in run.store.known([2, 1], [*THREE, FIRST + 9]).items()} == {
        FIRST: 2,
        FIRST + 1: 1,
        FIRST + 2: 1,
        FIRST + 9: 2,
    }
    assert run.store.known([2, 1], [FIRST])[FIRST].fingerprint == fingerprint(FIRST, 2)
    assert run.store.known([], THREE) == {}
    assert run.store.known([1], []) == {}


def test_many_phones_at_once(run: Run) -> None:
    phones = list(range(FIRST, FIRST + 2_345))
    run.plan(*(request(phones[i : i + 100]) for i in range(0, len(phones), 100)))
    asked = list(reversed([*phones, *range(1, 1_000)]))
    found = run.store.known([1], asked)
    assert set(found) == set(phones)
    assert all(known.fingerprint == fingerprint(phone) for phone, known in found.items())
    assert run.store.known([1], [FIRST] * 3).keys() == {FIRST}


@pytest.mark.parametrize("order", [THREE, tuple(reversed(THREE))])
def test_a_claimed_key_is_claimed_once_and_the_whole_plan_falls(run: Run, order: tuple[int, ...]) -> None:
    run.plan(request([FIRST + 1]))
    before = run.store.info()
    with pytest.raises(ClaimConflictError, match=r"spring-sale/invitation.* r1 \(planned\)") as caught:
        run.plan(request([FIRST + 9], LAST_DAY), request(order))
    assert str(FIRST + 1) not in str(caught.value)
    assert run.store.info() == before
    assert [r.ref for r in run.store.requests()] == ["r1"]
    assert not run.holds(FIRST + 9, key=LAST_DAY)


def test_a_key_twice_in_one_plan_is_a_conflict(run: Run) -> None:
    with pytest.raises(ClaimConflictError):
        run.plan(request([FIRST]), request([FIRST]))
    with pytest.raises(ClaimConflictError):
        run.plan(request([FIRST, FIRST]))
    assert list(run.store.requests()) == []


def test_a_plan_that_breaks_off_leaves_nothing(run: Run) -> None:
    def broken() -> Iterator[PlannedRequest]:
        yield request(THREE)
        raise RuntimeError("the spool is gone")

    with pytest.raises(RuntimeError):
        run.store.write_plan(run.id, broken(), AT)
    assert list(run.store.requests()) == []
    assert run.plan(request(THREE))


def test_tags_are_unique(run: Run) -> None:
    run.plan(request([FIRST], tag="ck-1"))
    with pytest.raises(StateError):
        run.plan(request([FIRST + 1], tag="ck-1"))


def test_what_is_not_whole_is_no_batch(run: Run) -> None:
    with pytest.raises(ValueError, match="whole columns"):
        run.plan(request([]))
    with pytest.raises(ValueError, match="needs a batch"):
        run.plan(PlannedRequest(batches=()))


@pytest.mark.parametrize(
    ("outcome", "state", "kept"),
    [
        (Outcome.ACCEPTED, RequestState.ACCEPTED, True),
        (Outcome.UNKNOWN, RequestState.UNKNOWN, True),
        (Outcome.REJECTED, RequestState.REJECTED, False),
        (Outcome.THROTTLED, RequestState.THROTTLED, False),
        (Outcome.NOT_SENT, RequestState.NOT_SENT, False),
    ],
)
def test_an_outcome_keeps_or_frees(run: Run, outcome: Outcome, state: RequestState, *, kept: bool) -> None:
    [ref, other] = run.plan(request(THREE), request([FIRST + 3]))
    before = run.store.info().claims_version
    assert run.end(ref, outcome, "u1") is state
    assert run.holds(*THREE, FIRST + 3) == ({*THREE, FIRST + 3} if kept else {FIRST + 3})
    assert run.store.info().claims_version > before
    row = run.store.request(ref)
    assert row is not None
    assert (row.state, row.attempts, row.http_status, row.phase, row.reason) == (state, 1, 200, "done", "because")
    assert (row.answer, row.intent_at, row.done_at) == (b'{"x": 1}', AT, AT)
    assert row.uuid == ("u1" if state is RequestState.ACCEPTED else "")
    assert run.state(other) is RequestState.PLANNED
    assert not run.store.problems()


@pytest.mark.parametrize("outcome", [Outcome.THROTTLED, Outcome.NOT_SENT])
def test_a_harmless_attempt_may_go_again(run: Run, outcome: Outcome) -> None:
    [ref] = run.plan(request(THREE))
    assert run.end(ref, outcome, again=True) is RequestState.PLANNED
    assert run.holds(*THREE) == set(THREE)
    assert run.store.mark_intent(ref, AT) == 2
    with pytest.raises(StateError):
        run.store.record(ref, 1, result(Outcome.ACCEPTED, "u"), AT)
    assert run.store.record(ref, 2, result(Outcome.ACCEPTED, "u"), AT) is RequestState.ACCEPTED


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.REJECTED])
def test_nothing_else_goes_again(run: Run, outcome: Outcome) -> None:
    [ref] = run.plan(request(THREE))
    assert run.end(ref, outcome, "u", again=True).value == outcome.value
    assert run.store.mark_intent(ref, AT) is None


def test_an_intent_is_taken_once_by_however_many_threads(run: Run) -> None:
    refs = run.plan(*(request([FIRST + i]) for i in range(20)))
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda ref: run.store.mark_intent(ref, AT), refs * 6))
    assert sorted(filter(None, taken)) == [1] * 20
    assert run.store.mark_intent("r999", AT) is None
    assert run.store.mark_intent("nonsense", AT) is None


def test_a_repeated_or_missing_uuid_is_unknown(run: Run) -> None:
    [one, two, three] = run.plan(*(request([FIRST + i]) for i in range(3)))
    assert run.end(one, Outcome.ACCEPTED, "same") is RequestState.ACCEPTED
    assert run.end(two, Outcome.ACCEPTED, "same") is RequestState.UNKNOWN
    assert run.end(three, Outcome.ACCEPTED, "") is RequestState.UNKNOWN
    row = run.store.request(two)
    assert row is not None
    assert (row.uuid, "r1" in row.reason) == ("", True)
    assert run.holds(FIRST, FIRST + 1, FIRST + 2) == {FIRST, FIRST + 1, FIRST + 2}


def test_an_attempt_that_is_not_waited_for_has_no_say(run: Run) -> None:
    [ref] = run.plan(request(THREE))
    with pytest.raises(StateError, match="does not wait"):
        run.store.record(ref, 0, result(Outcome.ACCEPTED, "u"), AT)
    run.end(ref, Outcome.REJECTED)
    with pytest.raises(StateError):
        run.store.record(ref, 1, result(Outcome.ACCEPTED, "u"), AT)
    with pytest.raises(StateError):
        run.store.record("r77", 1, result(Outcome.ACCEPTED, "u"), AT)


def test_recovery_makes_intents_unknown_and_dissolves_plans(run: Run) -> None:
    [sent, planned] = run.plan(request(THREE), request([FIRST + 3]))
    run.store.mark_intent(sent, AT)
    recovered = run.store.recover(AT)
    assert recovered.unknown_requests == (sent,)
    assert (recovered.unknown_people, recovered.dissolved_requests, recovered.freed_people) == (3, 1, 1)
    assert (run.state(sent), run.state(planned)) == (RequestState.UNKNOWN, RequestState.DISSOLVED)
    assert run.holds(*THREE, FIRST + 3) == set(THREE)
    assert run.store.mark_intent(sent, AT) is None
    assert run.store.recover(AT).unknown_requests == ()
    assert [e.kind for e in run.store.events()] == ["run", "plan", "recovery"]
    assert not run.store.problems()


def test_the_attempt_itself_may_speak_late(run: Run) -> None:
    [one, two] = run.plan(request(THREE), request([FIRST + 3]))
    for ref in (one, two):
        run.store.mark_intent(ref, AT)
    run.store.recover(AT)
    assert run.store.record(one, 1, result(Outcome.ACCEPTED, "u"), AT) is RequestState.ACCEPTED
    # But it may not plan anew what another run has seen end.
    assert run.store.record(two, 1, result(Outcome.THROTTLED), AT, again=True) is RequestState.THROTTLED
    assert run.holds(FIRST + 3) == set()


def test_a_run_dissolves_only_its_own(run: Run) -> None:
    [mine] = run.plan(request(THREE))
    other = Run(run.store, run.store.begin_run(command="apply", digest="sha256:2", at=AT))
    [theirs] = other.plan(request([FIRST + 3]))
    assert run.store.dissolve(run.id, AT) == 3
    assert (run.state(mine), run.state(theirs)) == (RequestState.DISSOLVED, RequestState.PLANNED)
    assert run.store.dissolve(run.id, AT) == 0
    assert run.plan(request(THREE)) == ["r3"]


def test_who_was_refused_after_acceptance_may_pass_on(run: Run) -> None:
    ref = run.accepted(*THREE)
    with pytest.raises(ClaimConflictError):
        run.plan(request([FIRST], version=2))
    run.poll(ref, refused=True)
    assert run.store.known([1], [FIRST])[FIRST].refused
    [again] = run.plan(request([FIRST, FIRST + 1], version=2))
    assert run.store.known([1], THREE)[FIRST].request == again
    assert run.store.known([1], THREE)[FIRST + 2].request == ref
    assert [(m.claimed, m.accepted) for m in run.store.mailings()] == [(3, 1)]
    run.poll(ref, refused=False)
    assert run.store.known([1], THREE)[FIRST + 2].refused, "taking it back would claim two people twice"
    assert not run.store.problems()
    assert run.end(again, Outcome.REJECTED) is RequestState.REJECTED
    assert run.holds(*THREE) == {FIRST + 2}
    assert not run.store.problems()


def test_statuses_words_and_totals(run: Run) -> None:
    ref = run.accepted(*THREE)
    run.accepted(FIRST, key=LAST_DAY)
    delivered, new = run.store.word_id("DELIVERED"), run.store.word_id("NEW")
    assert (delivered, new, run.store.word_id("DELIVERED")) == (1, 2, 1)
    assert run.store.words() == {1: "DELIVERED", 2: "NEW"}
    version = run.store.info().claims_version
    run.poll(ref, statuses=bytes([delivered, 0, delivered]))
    assert run.store.info().claims_version == version
    counts = {c.key: c.statuses for c in run.store.status_counts()}
    assert counts == {INVITATION: {0: 1, 1: 2}, LAST_DAY: {0: 1}}
    assert list(run.store.status_counts(["autumn"])) == []
    assert len(list(run.store.status_counts(["spring-sale", "autumn"]))) == 2
    run.poll(ref, refused=True)
    assert run.store.info().claims_version > version
    row = run.store.request(ref)
    assert row is not None
    assert (row.batches[0].errors, row.batches[0].error_first_at, row.polled_at) == (("Отказ",), AT, AT)
    assert not run.store.problems()


def test_a_poll_belongs_to_an_accepted_request_and_its_people(run: Run) -> None:
    ref = run.accepted(*THREE)
    with pytest.raises(ValueError, match="3 people"):
        run.poll(ref, statuses=b"\x01")
    [planned] = run.plan(request([FIRST + 3]))
    with pytest.raises(StateError):
        run.poll(planned)
    row = run.store.request(planned)
    assert row is not None
    foreign = BatchUpdate(batch_id=row.batches[0].id, statuses=b"\1", details=b"", errors=(), error_first_at=None, refused=False)
    with pytest.raises(StateError):
        run.store.record_poll(ref, [foreign], final=True, at=AT, seen=None)
    before = run.store.request(ref)
    assert before is not None
    assert (before.polled_at, before.final) == (None, False)
    assert run.store.record_poll(ref, [], final=True, at=AT, seen=None, answer=b"?")
    assert not run.store.record_poll(ref, [], final=False, at=AT, seen=None)
    assert run.store.record_poll(ref, [], final=True, at=AT, seen=AT)
    after = run.store.request(ref)
    assert after is not None
    assert (after.poll_answer, after.final) == (b"?", True)


def test_a_word_has_one_byte_for_all_who_write(world: World, run: Run) -> None:
    """A refresh beside an apply: what one of them named, the other knows."""
    other = world.store()
    assert [run.store.word_id("READ"), other.word_id("NEW"), other.word_id("READ"), run.store.word_id("NEW")] == [1, 2, 1, 2]
    assert other.words() == run.store.words() == {1: "READ", 2: "NEW"}


def test_words_without_end_share_one_byte(store: Store) -> None:
    ids = [store.word_id(f"WORD{i}") for i in range(257)]
    assert ids[:254] == list(range(1, 255))
    assert set(ids[254:]) == {255}
    assert store.words()[255] == "OTHER"
    assert store.word_id("WORD7") == 8


@pytest.mark.parametrize(
    ("to", "kept"),
    [(RequestState.ACCEPTED, True), (RequestState.ABANDONED, True), (RequestState.RELEASED, False)],
)
def test_a_person_settles_what_is_unknown(run: Run, to: RequestState, *, kept: bool) -> None:
    [ref] = run.plan(request(THREE))
    run.end(ref, Outcome.UNKNOWN)
    before = run.store.info()
    assert run.store.resolve(ref, to, reason="seen in the cabinet", at=AT, by="ann on desk") == 3
    after = run.store.info()
    assert (after.serial, after.releases) == (before.serial + 1, before.releases + (not kept))
    assert after.claims_version > before.claims_version
    assert run.holds(*THREE) == (set(THREE) if kept else set())
    [event] = [e for e in run.store.events() if e.kind == "resolve"]
    assert json.loads(event.detail) | {} == {
        "to": to.value,
        "uuid": "",
        "people": 3,
        "reason": "seen in the cabinet",
        "was": "because",
        "by": "ann on desk",
    }
    with pytest.raises(ValueError, match="not unknown"):
        run.store.resolve(ref, to, reason="again", at=AT)
    with pytest.raises(StateError):
        run.store.record(ref, 1, result(Outcome.ACCEPTED, "late"), AT)
    assert not run.store.problems()


def test_answers_that_are_none(run: Run) -> None:
    [ref] = run.plan(request(THREE))
    with pytest.raises(ValueError, match="planned"):
        run.store.resolve(ref, RequestState.ACCEPTED, reason="", at=AT)
    run.end(ref, Outcome.UNKNOWN)
    for wrong in (RequestState.PLANNED, RequestState.INTENT, RequestState.UNKNOWN):
        with pytest.raises(ValueError, match="answered"):
            run.store.resolve(ref, wrong, reason="", at=AT)
    with pytest.raises(ValueError, match="no request"):
        run.store.resolve("r9", RequestState.ACCEPTED, reason="", at=AT)
    run.accepted(FIRST + 3)
    with pytest.raises(StateError, match="r2"):
        run.store.resolve(ref, RequestState.ACCEPTED, uuid="uuid-of-r2", reason="", at=AT)
    assert run.store.resolve(ref, RequestState.ACCEPTED, uuid="mine", reason="", at=AT) == 3


def test_carrying_over_keeps_everybody(run: Run) -> None:
    new = MailingKey("spring", 1, "invitation")
    run.accepted(*THREE)
    assert run.store.carry_over(INVITATION, new, AT) == 3
    assert run.holds(*THREE, key=new) == set(THREE)
    assert not run.holds(*THREE)
    assert run.store.carry_over(INVITATION, new, AT) == 0
    assert run.store.carry_over(new, new, AT) == 0
    run.accepted(FIRST + 3)
    assert run.store.carry_over(INVITATION, new, AT) == 0
    assert run.holds(FIRST + 3) == {FIRST + 3}
    [event] = [e for e in run.store.events() if e.kind == "carry_over"]
    assert json.loads(event.detail)["people"] == 3
    assert not run.store.problems()


def test_carrying_over_to_a_name_with_a_past(run: Run) -> None:
    [refused] = run.plan(request([FIRST + 5], LAST_DAY))
    run.end(refused, Outcome.REJECTED)
    run.accepted(*THREE)
    assert run.store.carry_over(INVITATION, LAST_DAY, AT) == 3
    row = run.store.request(refused)
    assert row is not None
    assert row.batches[0].key == LAST_DAY
    assert [m.key for m in run.store.mailings()] == [LAST_DAY]
    assert not run.store.problems()


def test_forgetting_leaves_a_tombstone_and_no_person(run: Run) -> None:
    run.plan(PlannedRequest(batches=(batch(THREE), batch([FIRST], LAST_DAY))), request([FIRST + 3]))
    run.end("r1", Outcome.ACCEPTED, "u")
    before = run.store.info()
    assert run.store.forget(INVITATION, reason="asked to", at=AT, by="ann on desk") == 4
    after = run.store.info()
    assert (after.releases, after.serial) == (before.releases + 1, before.serial + 1)
    assert not run.holds(*THREE)
    assert run.holds(FIRST, key=LAST_DAY) == {FIRST}
    assert run.store.request("r2") is None
    assert run.store.holders(FIRST + 3) == []
    *_, event = run.store.events()
    assert (event.kind, event.subject) == ("forget", str(INVITATION))
    assert json.loads(event.detail) == {
        "campaign": "spring-sale",
        "revision": 1,
        "mailing": "invitation",
        "people": 4,
        "reason": "asked to",
        "by": "ann on desk",
    }
    assert run.plan(request(THREE)) == ["r3"]
    assert run.store.forget(MailingKey("never", 1, "seen"), reason="", at=AT) == 0
    assert not run.store.problems()


def test_requests_by_campaign_and_state(run: Run) -> None:
    autumn = MailingKey("autumn", 1, "invitation")
    refs = run.plan(*(request([FIRST + i], autumn if i % 2 else INVITATION) for i in range(150)))
    for i in range(0, 150, 10):
        run.end(refs[i], Outcome.ACCEPTED, f"u{i}")
    assert [r.ref for r in run.store.requests()] == refs
    assert [r.ref for r in run.store.requests(campaigns=["autumn"])] == refs[1::2]
    assert [r.ref for r in run.store.requests(states=[RequestState.ACCEPTED])] == refs[::10]
    assert not list(run.store.requests(campaigns=["autumn"], states=[RequestState.ACCEPTED]))
    [row] = [r for r in run.store.requests(with_people=False) if r.ref == "r5"]
    assert (row.recipients, row.batches[0].phones, row.batches[0].statuses) == (1, b"", b"")
    [row] = [r for r in run.store.requests() if r.ref == "r5"]
    assert list(unpack_phones(row.batches[0].phones)) == [FIRST + 4]


def test_a_store_may_be_written_while_it_is_read(run: Run) -> None:
    run.plan(*(request([FIRST + i]) for i in range(130)))
    seen = 0
    for row in run.store.requests(states=[RequestState.PLANNED]):
        run.end(row.ref, Outcome.ACCEPTED, f"u-{row.ref}")
        seen += 1
    assert seen == 130


def test_a_request_by_tag_and_name(run: Run) -> None:
    run.plan(PlannedRequest(batches=(batch(THREE, tag="ck-a"), batch([FIRST], LAST_DAY, tag="ck-b"))))
    for name in ("r1", "ck-a", "ck-b", f"{LAST_DAY} 1of1 ck-b"):
        row = run.store.request(name)
        assert row is not None
        assert (row.ref, [b.tag for b in row.batches]) == ("r1", ["ck-a", "ck-b"])
    for name in ("r2", "ck", "", "r", "r-1", "r1 "):
        assert run.store.request(name) is None


def test_holders_of_a_phone(run: Run) -> None:
    # The bytes of this one also stand across the two before it.
    across = int.from_bytes(FIRST.to_bytes(8, "little")[4:] + (FIRST + 1).to_bytes(8, "little")[:4], "little")
    run.plan(PlannedRequest(batches=(batch([FIRST, FIRST + 1], LAST_DAY), batch([FIRST + 2, FIRST]))))
    run.end("r1", Outcome.REJECTED)
    assert [(r.ref, index, place) for r, index, place in run.store.holders(FIRST)] == [("r1", 0, 0), ("r1", 1, 1)]
    assert run.store.holders(FIRST + 9) == []
    assert run.store.holders(across) == []


def test_what_reached_or_may_have_reached_elsewhere(run: Run) -> None:
    run.accepted(FIRST)
    [planned, unknown, refused] = run.plan(*(request([FIRST + i], LAST_DAY, version=2) for i in range(1, 4)))
    run.end(unknown, Outcome.UNKNOWN)
    run.end(refused, Outcome.REJECTED)
    run.accepted(FIRST, key=LAST_DAY, version=3)
    assert run.state(planned) is RequestState.PLANNED
    assert run.store.fingerprints_elsewhere([1, 2], range(FIRST, FIRST + 9)) == {
        FIRST: {fingerprint(FIRST, 1), fingerprint(FIRST, 3)},
        FIRST + 2: {fingerprint(FIRST + 2, 2)},
    }


def test_history(run: Run) -> None:
    for i in range(100):
        run.store.note(kind="note", subject=f"{i}", detail="{}", at=AT + timedelta(seconds=i))
    run.store.end_run(run.id, summary='{"accepted": 0}', at=AT)
    with pytest.raises(StateError):
        run.store.end_run(run.id, summary="{}", at=AT)
    everything = list(run.store.events())
    assert [e.kind for e in everything] == ["run", *["note"] * 100, "run_end"]
    assert list(run.store.events(limit=2)) == everything[-2:]
    assert list(run.store.events(limit=999)) == everything


def test_times_need_a_zone_and_come_back_in_utc(store: Store) -> None:
    with pytest.raises(ValueError, match="zone"):
        store.note(kind="note", subject="", detail="", at=datetime(2026, 1, 1))  # noqa: DTZ001
    minsk = timezone(timedelta(hours=3))
    store.note(kind="note", subject="", detail="", at=datetime(2026, 1, 1, 3, 0, 0, 5, minsk))
    [event] = store.events()
    assert event.at.isoformat() == "2026-01-01T00:00:00.000005+00:00"


def test_a_reader_sees_one_moment(world: World, run: Run) -> None:
    run.plan(request(THREE))
    reader = world.reader()
    assert reader.known([1], [FIRST])[FIRST].state is RequestState.PLANNED
    run.end("r1", Outcome.REJECTED)
    run.plan(request([FIRST + 3]))
    assert reader.known([1], [FIRST])[FIRST].state is RequestState.PLANNED
    assert [r.ref for r in reader.requests()] == ["r1"]
    assert reader.info().claims_version == 1
    reader.close()
    assert [r.ref for r in world.reader().requests()] == ["r1", "r2"]


def test_what_another_store_wrote_is_seen(world: World, run: Run) -> None:
    other = world.store()
    ref = run.accepted(*THREE)
    assert not run.store.known([1], [FIRST])[FIRST].refused
    Run(other, run.id).poll(ref, refused=True)
    assert run.store.known([1], [FIRST])[FIRST].refused


def test_the_export_tells_everything(run: Run) -> None:
    run.accepted(*THREE)
    run.poll("r1", statuses=bytes([run.store.word_id("READ"), 0, 0]))
    records = list(export_records(run.store))
    assert [r["type"] for r in records] == ["state", "mailing", "request", "event", "event"]
    assert (records[0]["format_version"], records[0]["serial"]) == ("1.0", 1)
    text = json.dumps(records)
    assert json.loads(text) == records
    assert text.count(str(FIRST)) == 1
    [one] = [r for r in records if r["type"] == "request"]
    assert one["uuid"] == "uuid-of-r1"
    assert one["batches"][0]["recipients"][0] == {  # type: ignore[index]  # JSON, as deep as it looks
        "phone": str(FIRST),
        "status": "READ",
        "fingerprint": fingerprint(FIRST).hex(),
        "delivery_id": None,
        "status_time": None,
        "error_code": None,
    }
