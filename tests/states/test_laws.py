"""Laws under random histories: whatever is done, a key has one living claim at most and every sum adds up."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import Outcome
from campaignkit.states.packing import (
    pack_histogram,
    pack_phones,
    unpack_fingerprints,
    unpack_histogram,
    unpack_phones,
)
from campaignkit.states.records import HOLDING, Known, RequestState
from campaignkit.states.store import ClaimConflictError, Store
from tests.states.conftest import AT, FIRST, INVITATION, LAST_DAY, Run, new_sqlite, request

KEYS = (INVITATION, LAST_DAY)
operations = st.lists(
    st.one_of(
        st.tuples(
            st.just("plan"),
            st.sampled_from(KEYS),
            st.lists(st.integers(FIRST, FIRST + 9), min_size=1, max_size=4, unique=True),
        ),
        st.tuples(st.just("end"), st.sampled_from(list(Outcome)), st.booleans()),
        st.tuples(st.just("intent")),
        st.tuples(st.just("poll"), st.booleans()),
        st.tuples(
            st.just("resolve"),
            st.sampled_from([RequestState.ACCEPTED, RequestState.ABANDONED, RequestState.RELEASED]),
        ),
        st.tuples(st.just("recover")),
        st.tuples(st.just("dissolve")),
        st.tuples(st.just("carry_over"), st.permutations(KEYS)),
        st.tuples(st.just("forget"), st.sampled_from(KEYS)),
    ),
    max_size=25,
)


def _first(store: Store, state: RequestState) -> str | None:
    return next((row.ref for row in store.requests(states=[state])), None)


def _do(run: Run, name: str, arguments: list[Any]) -> None:  # noqa: C901, PLR0912 - a table of operations
    store = run.store
    match name, arguments:
        case "plan", [key, phones]:
            try:
                run.plan(request(phones, key))
            except ClaimConflictError:
                assert run.holds(*phones, key=key)
            else:
                assert run.holds(*phones, key=key) == set(phones)
        case "end", [outcome, again]:
            if ref := _first(store, RequestState.PLANNED):
                run.end(ref, outcome, f"uuid-{ref}", again=again)
        case "intent", _:
            if ref := _first(store, RequestState.PLANNED):
                assert store.mark_intent(ref, AT) is not None
                assert store.mark_intent(ref, AT) is None
        case "poll", [refused]:
            if ref := _first(store, RequestState.ACCEPTED):
                run.poll(ref, refused=refused)
        case "resolve", [to]:
            if ref := _first(store, RequestState.UNKNOWN):
                store.resolve(ref, to, reason="", at=AT)
        case "recover", _:
            store.recover(AT)
        case "dissolve", _:
            store.dissolve(run.id, AT)
        case "carry_over", [[old, new]]:
            store.carry_over(old, new, AT)
        case "forget", [key]:
            store.forget(key, reason="", at=AT)


@settings(max_examples=25, deadline=None)
@given(operations)
def test_at_most_one_living_claim_per_key(history: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = new_sqlite(Path(folder))
        store = world.store()
        run = Run(store, store.begin_run(command="apply", digest="", at=AT))
        try:
            claims = _claims(store)
            for name, *arguments in history:
                version = store.info().claims_version
                _do(run, str(name), arguments)
                before, claims = claims, _claims(store)
                assert claims.keys() == before.keys() or store.info().claims_version > version
            assert store.problems() == []
        finally:
            store.close()
        assert [p.name for p in (Path(folder) / "state").iterdir()] == ["production.db"]


def _claims(store: Store) -> dict[tuple[MailingKey, int], Known]:
    """Who holds what, after checking that every living batch holds all its people: so none is held twice."""
    claims = {
        (mailing.key, phone): known
        for mailing in store.mailings()
        for phone, known in store.known([mailing.id], range(FIRST, FIRST + 10)).items()
    }
    for row in store.requests(states=sorted(HOLDING)):
        for one in row.batches:
            for phone in unpack_phones(one.phones) if not one.refused else ():
                assert claims[one.key, phone].request == row.ref
    return claims


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_phones_survive_packing(phones: list[int]) -> None:
    packed = pack_phones(phones)
    assert list(unpack_phones(packed)) == phones
    assert packed == b"".join(phone.to_bytes(8, "little") for phone in phones)


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_a_machine_that_puts_the_other_end_first_turns_every_phone_round(phones: list[int]) -> None:
    """So that a state moved there and back holds the same people. On any one machine the turning itself can be seen."""
    turned, plain = pack_phones(phones, machine="big"), pack_phones(phones, machine="little")
    assert turned == b"".join(plain[at : at + 8][::-1] for at in range(0, len(plain), 8))
    assert list(unpack_phones(turned, machine="big")) == list(unpack_phones(plain, machine="little")) == phones


@given(st.lists(st.binary(min_size=16, max_size=16)))
def test_fingerprints_survive_packing(prints: list[bytes]) -> None:
    assert unpack_fingerprints(b"".join(prints)) == prints


@given(st.binary())
def test_totals_count_every_status(statuses: bytes) -> None:
    counts = unpack_histogram(pack_histogram(statuses))
    assert sum(counts.values()) == len(statuses)
    assert all(statuses.count(status) == count for status, count in counts.items())
