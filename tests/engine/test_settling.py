"""Hints settle a request only through the provider's own statuses; whatever else comes in changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaignkit.engine.pace import Pace
from campaignkit.engine.resolver import unknowns
from campaignkit.engine.settling import Settled, SettleJob
from campaignkit.errors import ProviderError
from campaignkit.model.outcomes import Outcome, Phase, SendResult
from campaignkit.model.settings import StopRules
from campaignkit.provider.port import NotVisibleError
from campaignkit.states.records import Finding, RequestState
from campaignkit.states.store import Store
from campaignkit.wire.callbacks import secret_hash, secret_of
from campaignkit.wire.statuses import StatusAnswer, StatusEntry
from tests.engine.conftest import FIRST, Bench, environment, mailing
from tests.engine.test_applier import apply, claimed
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader, FakeSender, result

URL = "https://hooks.example.by/ck?site=1"
UUID, OTHER = "cc9c8043-8caf-11ef-b035-9e8f47954dec", "dddddddd-8caf-11ef-b035-9e8f47954dec"
WHERE = environment(callback_url=URL, stop_rules=StopRules(unknown_in_first=0, unknowns=0))


@dataclass
class Case:
    """Requests that were sent, the secrets of their addresses, and a provider to ask."""

    store: Store
    secrets: list[str]
    names: list[str]
    clock: FakeClock = field(default_factory=FakeClock)
    reader: FakeReader = field(default_factory=FakeReader)

    def come(self, number: int, *bodies: object) -> None:
        """Callbacks to the address of one request, from 1."""
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.store.take_callback(secret_hash(self.secrets[number - 1]), raw, self.clock.now())

    def shows(self, uuid: str, *names: str) -> None:
        """What the provider has under a uuid."""
        self.reader.answers[uuid] = StatusAnswer(entries=tuple(StatusEntry(name=n, message_id=1, rows=(), errors=()) for n in names))

    def settle(self) -> Settled:
        return SettleJob(store=self.store, reader=lambda: self.reader, clock=self.clock, pace=Pace(0.0, self.clock)).run()

    def states(self) -> list[str]:
        return [str(row.state) for row in self.store.requests()]

    def events(self, kind: str) -> list[dict[str, object]]:
        return [json.loads(event.detail) for event in self.store.events() if event.kind == kind]


def sent(bench: Bench, *ends: SendResult, people: int = 5, start: int = FIRST) -> Case:
    one = mailing()
    sender = FakeSender(*ends)
    apply(bench, bench.batches(one, people * len(ends), size=people, canary=False, start=start), sender, one, where=WHERE)
    urls = [json.loads(body)["callback_url"] for body in sender.bodies]
    names = [row.batches[0].name for row in bench.store.requests()]
    return Case(bench.store, [secret_of(url) for url in urls], names)


UNKNOWN = result(Outcome.UNKNOWN)


def test_every_request_has_an_address_of_its_own_and_the_state_only_its_hash(bench: Bench) -> None:
    one, sender = mailing(), FakeSender()
    apply(bench, bench.batches(one, 25), sender, one, where=WHERE)
    urls = [json.loads(body)["callback_url"] for body in sender.bodies]
    secrets = [secret_of(url) for url in urls]
    assert all(secrets)
    assert len(set(secrets)) == 3
    assert urls == [f"https://hooks.example.by/ck/{secret}?site=1" for secret in secrets]
    assert all(bench.store.knows_callback(secret_hash(secret)) for secret in secrets)
    bench.store.close()
    assert not any(secret.encode() in bench.path.read_bytes() for secret in secrets)


def test_a_repeated_attempt_keeps_the_address_of_its_request(bench: Bench) -> None:
    case = sent(bench, result(Outcome.THROTTLED))
    assert len(case.secrets) == 2
    assert len(set(case.secrets)) == 1


def test_without_a_setting_there_is_no_address(bench: Bench) -> None:
    one, sender = mailing(), FakeSender()
    apply(bench, bench.batches(one, 5), sender, one)
    assert "callback_url" not in json.loads(sender.bodies[0])


def test_a_callback_that_the_provider_confirms_settles_its_request(bench: Bench) -> None:
    case = sent(bench, UNKNOWN)
    case.come(1, {"uuid": UUID, "success": "OK"})
    case.shows(UUID, case.names[0])
    settled = case.settle()
    [one] = settled.accepted
    assert (one.ref, one.uuid, one.people, one.evidence) == ("r1", UUID, 5, "a callback of 2026-11-23 12:00:00 UTC")
    row = case.store.request("r1")
    assert row is not None
    assert (row.state, row.uuid) == (RequestState.ACCEPTED, UUID)
    assert claimed(bench) == 5
    [event] = case.events("resolve")
    assert (event["to"], event["uuid"]) == ("accepted", UUID)
    assert "a callback of 2026-11-23 12:00:00 UTC" in str(event["reason"])
    assert case.settle() == Settled()
    assert case.reader.asked == [UUID]


def test_a_cut_answer_that_names_a_uuid_is_a_hint_too(bench: Bench) -> None:
    cut = b'{"uuid": "%s", "succ' % UUID.encode()
    case = sent(bench, SendResult(outcome=Outcome.UNKNOWN, phase=Phase.ANSWERING, reason="cut", answer=cut))
    case.shows(UUID, case.names[0])
    assert [one.evidence for one in case.settle().accepted] == ["the answer that was kept"]
    assert case.states() == ["accepted"]


FORGED = {"uuid": OTHER, "success": "OK"}


@pytest.mark.parametrize("shown", [("another's mailing",), ("ours", "another's mailing")])
def test_a_forged_one_costs_one_call_ever(bench: Bench, shown: Sequence[str]) -> None:
    """B171: a uuid of somebody else's request, or one that shows ours among others."""
    case = sent(bench, UNKNOWN)
    case.come(1, FORGED)
    case.shows(OTHER, *(case.names[0] if name == "ours" else name for name in shown))
    before = case.store.info()
    for _ in range(5):
        case.clock.forward(3600)
        assert (case.settle().accepted, case.states()) == ([], ["unknown"])
    assert case.reader.asked == [OTHER]
    assert case.store.info() == before
    case.come(1, {"uuid": UUID})  # and the true one still counts
    case.shows(UUID, case.names[0])
    assert len(case.settle().accepted) == 1


def test_swapped_ones_settle_nothing(bench: Bench) -> None:
    case = sent(bench, UNKNOWN, UNKNOWN)
    case.come(1, {"uuid": OTHER})
    case.come(2, {"uuid": UUID})
    case.shows(UUID, case.names[0])
    case.shows(OTHER, case.names[1])
    assert case.settle().accepted == []
    assert case.states() == ["unknown", "unknown"]


def test_a_rejection_releases_nobody_and_is_shown(bench: Bench) -> None:
    """B172."""
    case = sent(bench, UNKNOWN)
    case.come(1, {"error": "Not enough money"}, {"success": "FAIL"})
    assert (case.settle().accepted, case.states(), case.reader.asked) == ([], ["unknown"], [])
    assert claimed(bench) == 5
    [one] = unknowns(case.store, environment(), alive=False)
    assert [(hint.source, hint.uuid, hint.error, hint.finding) for hint in one.hints] == [
        ("callback", "", "Not enough money", ""),
        ("callback", "", "", ""),
    ]
    assert list(case.store.hints()) == []


def test_what_is_not_shown_yet_is_asked_about_again_with_growing_pauses_and_not_for_ever(bench: Bench) -> None:
    case = sent(bench, UNKNOWN)
    case.come(1, {"uuid": UUID}, {"uuid": OTHER})
    case.reader.answers[OTHER] = NotVisibleError("404")
    asked: list[float] = []
    for _ in range(40 * 60):
        before = len(case.reader.asked)
        waiting = case.settle().waiting
        asked += [case.clock.monotonic()] * (len(case.reader.asked) - before)
        case.clock.forward(60)
    assert case.reader.asked.count(UUID) == case.reader.asked.count(OTHER) == 30
    assert waiting == 0
    assert asked[-1] > 20 * 3600
    pauses = [later - earlier for earlier, later in zip(asked[::2], asked[2::2], strict=False)]
    assert pauses == sorted(pauses)
    assert case.states() == ["unknown"]


def test_it_settles_as_soon_as_it_is_shown(bench: Bench) -> None:
    case = sent(bench, UNKNOWN)
    case.come(1, {"uuid": UUID})
    assert case.settle().waiting == 1
    case.shows(UUID, case.names[0])
    assert case.settle().calls == 0  # not due yet
    case.clock.forward(11)
    assert len(case.settle().accepted) == 1


def test_a_provider_that_cannot_be_asked_ends_the_asking_and_uses_nothing_up(bench: Bench) -> None:
    case = sent(bench, UNKNOWN, UNKNOWN)
    for number in (1, 2):
        case.come(number, {"uuid": f"{UUID[:-1]}{number}"})
        case.reader.answers[f"{UUID[:-1]}{number}"] = ProviderError("no answer in time")
    settled = case.settle()
    assert (settled.calls, settled.waiting) == (1, 2)
    assert settled.notes == ["r1: a hint could not be verified: no answer in time"]
    for number in (1, 2):
        case.shows(f"{UUID[:-1]}{number}", case.names[number - 1])
    assert len(case.settle().accepted) == 2


def test_a_released_request_that_was_accepted_is_an_alarm_once(bench: Bench) -> None:
    """B174."""
    case = sent(bench, UNKNOWN)
    case.store.resolve("r1", RequestState.RELEASED, reason="the log shows nothing", at=case.clock.now())
    case.come(1, {"uuid": UUID})
    case.shows(UUID, case.names[0])
    [alarm] = case.settle().alarms
    assert alarm.text == f"r1 was released, yet accepted by the provider (uuid {UUID}): 5 people may get it twice"
    assert case.states() == ["released"]
    assert claimed(bench) == 0
    assert case.events("alarm") == [
        {"text": alarm.text, "uuid": UUID, "people": 5, "evidence": "a callback of 2026-11-23 12:00:00 UTC"},
    ]
    assert case.settle().alarms == []
    assert case.reader.asked == [UUID]


def test_a_forged_callback_of_a_released_request_is_no_alarm(bench: Bench) -> None:
    case = sent(bench, UNKNOWN)
    case.store.resolve("r1", RequestState.RELEASED, reason="x", at=case.clock.now())
    case.come(1, FORGED)
    case.shows(OTHER, "another's mailing")
    assert case.settle().alarms == []
    assert case.events("alarm") == []


@pytest.mark.parametrize(
    ("end", "answer", "words"),
    [
        (result(Outcome.REJECTED), None, "r1 ended as rejected, yet accepted by the provider"),
        (UNKNOWN, RequestState.ABANDONED, "r1 was abandoned, yet accepted by the provider"),
    ],
)
def test_any_other_end_that_was_an_acceptance_is_an_alarm(bench: Bench, end: SendResult, answer: RequestState | None, words: str) -> None:
    case = sent(bench, end)
    if answer is not None:
        case.store.resolve("r1", answer, reason="", at=case.clock.now())
    before = case.states()
    case.come(1, {"uuid": UUID})
    case.shows(UUID, case.names[0])
    assert case.settle().alarms[0].text.startswith(words)
    assert case.states() == before


def accepting(uuid: str) -> SendResult:
    return SendResult(outcome=Outcome.ACCEPTED, phase=Phase.DONE, reason="accepted", uuid=uuid, http_status=200)


def test_the_usual_callback_of_an_accepted_request_asks_nothing(bench: Bench) -> None:
    case = sent(bench, accepting(UUID))
    case.come(1, {"uuid": UUID, "success": "OK"}, {"error": "no"})
    assert (case.settle(), case.reader.asked) == (Settled(), [])
    assert list(case.store.hints()) == []


def test_two_uuids_that_both_show_our_batches_are_an_alarm(bench: Bench) -> None:
    case = sent(bench, accepting(UUID))
    case.come(1, {"uuid": OTHER})
    case.shows(OTHER, case.names[0])
    assert "accepted by the provider twice" in case.settle().alarms[0].text
    row = case.store.request("r1")
    assert row is not None
    assert row.uuid == UUID


def test_a_person_who_settled_without_a_uuid_is_not_contradicted(bench: Bench) -> None:
    case = sent(bench, UNKNOWN)
    case.store.resolve("r1", RequestState.ACCEPTED, reason="seen", at=case.clock.now())
    case.come(1, {"uuid": UUID})
    case.shows(UUID, case.names[0])
    assert (case.settle(), case.reader.asked) == (Settled(), [])


def test_a_kept_answer_that_the_person_who_decided_had_before_their_eyes_is_not_asked_about_again(bench: Bench) -> None:
    cut = b'{"uuid": "%s", "succ' % UUID.encode()
    case = sent(bench, SendResult(outcome=Outcome.UNKNOWN, phase=Phase.ANSWERING, reason="cut", answer=cut))
    case.store.resolve("r1", RequestState.ABANDONED, reason="", at=case.clock.now())
    case.come(1, {"error": "no"})
    case.shows(UUID, case.names[0])
    assert (case.settle(), case.reader.asked) == (Settled(), [])


class FasterThanItsAnswer(FakeSender):
    """Its callback comes while the request is in flight; settling begins then too, as a refresh beside an apply would."""

    def __init__(self, store: Store, end: SendResult) -> None:
        super().__init__(end)
        self._store = store
        self.seen = FakeReader()
        self.during: Settled | None = None

    def send_bulk(self, body: bytes, *, intent: object) -> SendResult:
        found = super().send_bulk(body, intent=intent)  # type: ignore[arg-type]  # handed through
        secret = secret_of(json.loads(body)["callback_url"])
        clock = FakeClock()
        self._store.take_callback(secret_hash(secret), b'{"uuid":"%s"}' % UUID.encode(), clock.now())
        self.during = SettleJob(store=self._store, reader=lambda: self.seen, clock=clock, pace=Pace(0.0, clock)).run()
        return found


@pytest.mark.parametrize(("end", "accepted", "calls"), [(UNKNOWN, 1, 1), (accepting(UUID), 0, 0)])
def test_a_callback_before_the_outcome_waits_for_it_and_is_used(bench: Bench, end: SendResult, accepted: int, calls: int) -> None:
    """B173."""
    one = mailing()
    sender = FasterThanItsAnswer(bench.store, end)
    apply(bench, bench.batches(one, 5), sender, one, where=WHERE)
    assert sender.during == Settled()
    case = Case(bench.store, [], [next(iter(bench.store.requests())).batches[0].name])
    case.shows(UUID, case.names[0])
    settled = case.settle()
    assert (len(settled.accepted), settled.calls) == (accepted, calls)
    assert case.states() == ["accepted"]


def test_an_intent_of_a_dead_run_is_settled_after_recovery(bench: Bench) -> None:
    case = sent(bench, UNKNOWN)
    [secret] = case.secrets
    with pytest.raises(SystemExit):
        sent_and_killed(bench)
    assert case.states() == ["unknown", "intent"]
    row = case.store.request("r2")
    assert row is not None
    case.secrets.append(KILLED[-1])
    case.come(2, {"uuid": UUID})
    case.shows(UUID, row.batches[0].name)
    assert case.settle() == Settled()
    case.store.recover(case.clock.now())
    assert [one.ref for one in case.settle().accepted] == ["r2"]
    assert secret != KILLED[-1]


KILLED: list[str] = []


class Killed(FakeSender):
    """The process ends between the intent and the outcome."""

    def send_bulk(self, body: bytes, *, intent: object) -> SendResult:
        super().send_bulk(body, intent=intent)  # type: ignore[arg-type]  # handed through
        KILLED.append(secret_of(json.loads(body)["callback_url"]))
        raise SystemExit


def sent_and_killed(bench: Bench) -> None:
    one = mailing("second")
    apply(bench, bench.batches(one, 5), Killed(), one, where=WHERE)


def test_a_flood_of_uuids_is_bounded_by_request_and_by_run(bench: Bench) -> None:
    case = sent(bench, *[UNKNOWN] * 30, people=1)
    for number in range(1, 31):
        case.come(number, *([{"uuid": f"{number:04}-{body:04}-{place}"} for place in range(5)] for body in range(3)))
    assert (case.settle().calls, len(case.reader.asked)) == (50, 50)
    by_request = [len([uuid for uuid in case.reader.asked if uuid.startswith(f"{number:04}")]) for number in range(1, 31)]
    assert max(by_request) == 3


class Interfering(FakeReader):
    """A person decides in the very moment in which the provider is asked."""

    def __init__(self, store: Store, to: RequestState) -> None:
        super().__init__()
        self._store, self._to = store, to

    def bulk_status(self, uuid: str) -> StatusAnswer:
        self._store.resolve("r1", self._to, reason="by hand", at=FakeClock().now())
        return super().bulk_status(uuid)


def test_a_person_who_is_faster_is_not_overruled(bench: Bench) -> None:
    case = sent(bench, UNKNOWN)
    case.come(1, {"uuid": UUID})
    case.reader = Interfering(case.store, RequestState.ABANDONED)
    case.shows(UUID, case.names[0])
    assert case.settle().accepted == []
    assert case.states() == ["abandoned"]


def test_a_uuid_that_another_request_holds_settles_nothing(bench: Bench) -> None:
    """The provider shows our batch under a uuid that is recorded for another: nobody knows what that means."""
    case = sent(bench, accepting(UUID), UNKNOWN)
    case.come(2, {"uuid": UUID})
    case.shows(UUID, case.names[1])
    settled = case.settle()
    assert settled.accepted == []
    assert "belongs to r1" in settled.notes[0]
    assert case.states() == ["accepted", "unknown"]
    case.clock.forward(timedelta(days=1).total_seconds())
    assert case.settle().calls == 0
    [asked] = next(iter(case.store.hints("r2"))).verifications
    assert asked.finding is Finding.FOREIGN


BODIES = st.binary(max_size=200) | st.recursive(
    st.sampled_from([UUID, OTHER, "uuid", "OK"]) | st.text(max_size=20) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["uuid", "error", "success"]), inner, max_size=3),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())


NEXT = iter(range(FIRST, FIRST + 10**6))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(BODIES, max_size=6))
def test_no_bodies_settle_anything_that_the_provider_does_not_confirm(bench: Bench, bodies: list[bytes]) -> None:
    case = sent(bench, UNKNOWN, people=1, start=next(NEXT))
    case.shows(OTHER, "another's mailing")
    case.come(1, *bodies)
    case.settle()
    assert unknowns(case.store, environment(), alive=False)[-1].hints is not None
    assert set(case.states()) == {"unknown"}
    assert case.events("alarm") == []
