"""Who travels together: a plan counts requests by the very rule that apply packs by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from campaignkit.engine.packing import requests, sizes
from campaignkit.engine.spool import Spool
from tests.engine.conftest import Bench, mailing


@given(people=st.integers(0, 5000), size=st.integers(1, 300), first=st.integers(1, 300))
def test_batches_hold_everybody_and_only_the_last_is_smaller(people: int, size: int, first: int) -> None:
    count = sizes(people, batch_size=size, first=first)
    opening = min(first, size)
    if people == 0:
        assert count == 0
    elif people <= opening:
        assert count == 1
    else:
        assert opening + (count - 2) * size < people <= opening + (count - 1) * size


def test_a_planned_number_of_batches_is_the_packed_one(bench: Bench) -> None:
    for people in (1, 10, 11, 25, 30, 31):
        assert len(bench.batches(mailing(), people)) == sizes(people, batch_size=10, first=10)


def test_a_canary_travels_alone_and_campaigns_apart(bench: Bench) -> None:
    one, two = mailing("one"), mailing("two", campaign="summer")
    batches = bench.batches(one, 45) + bench.batches(two, 15, canary=False)
    groups = [[(batch.mailing.key.mailing, batch.number) for batch in group] for group in requests(batches, 3)]
    assert groups == [[("one", 1)], [("one", 2), ("one", 3), ("one", 4)], [("one", 5)], [("two", 1), ("two", 2)]]


def test_nobody_is_no_batch_and_no_batch_is_no_request(bench: Bench) -> None:
    assert bench.batches(mailing(), 0) == []
    assert list(requests([], 3)) == []


def test_what_was_put_into_the_spool_comes_out(tmp_path: object) -> None:
    with Spool() as spool:
        stretches = [spool.append(bytes([number]) * number) for number in range(50)]
        assert [spool.read(stretch) for stretch in reversed(stretches)] == [bytes([n]) * n for n in reversed(range(50))]
