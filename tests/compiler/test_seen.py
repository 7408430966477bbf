"""The table of phones against a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from campaignkit.compiler.seen import Seen


def add(seen: Seen, phone: int) -> None:
    """As the hot loop does it."""
    at = phone % len(seen.slots)
    while seen.slots[at]:
        at = (at + 1) % len(seen.slots)
    seen.add(phone, at)


@given(st.lists(st.integers(1, 999_999_999_999_999) | st.integers(0, 40).map(lambda step: 375_291_111_111 + step * 4097), max_size=300))
def test_it_knows_what_a_dictionary_knows(phones: list[int]) -> None:
    seen, known = Seen(), dict[int, int]()
    for phone in phones:
        assert seen.find(phone) == known.get(phone, -1)
        if phone not in known:
            known[phone] = len(known)
            add(seen, phone)
    assert all(seen.find(phone) == number for phone, number in known.items())
    assert list(seen.phones) == list(known)


def test_it_grows() -> None:
    seen = Seen()
    for phone in range(375_290_000_000, 375_290_020_000):
        add(seen, phone)
    assert [seen.find(phone) for phone in range(375_290_000_000, 375_290_020_000)] == list(range(20_000))
    assert seen.find(375_290_020_000) == -1
    assert len(seen.slots) < 3 * 20_000
