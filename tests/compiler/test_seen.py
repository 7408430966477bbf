"""What is known of phones seen, against a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from campaignkit.compiler.seen import Again, Seen

belarusian = st.integers(0, 40).map(lambda step: 375_291_111_111 + step)
foreign = st.integers(1, 999_999_999_999_999) | st.integers(0, 40).map(lambda step: 48_512_345_678 + step * 4097)
rows = st.lists(st.tuples(belarusian | foreign, st.integers(0, 2)), max_size=200)


@given(st.lists(rows, max_size=4))
def test_it_knows_what_a_dictionary_knows(parts: list[list[tuple[int, int]]]) -> None:
    seen, first, wanted, row = Seen(), dict[int, tuple[int, int]](), list[Again](), 0
    for part in parts:
        numbers = range(row + 1, row + len(part) + 1)
        fresh = []
        for at, (phone, content) in enumerate(part):
            row += 1
            if phone in first:
                wanted.append(Again(row, row + 1, phone, content == first[phone][0], first[phone][1]))
            else:
                first[phone] = content, row
                fresh.append(at)
        found = seen.sift([p for p, _ in part], [content for _, content in part], numbers, [number + 1 for number in numbers])
        assert found == fresh
    assert list(seen.again()) == wanted


def test_many_foreign_phones_and_many_that_stand_again() -> None:
    phones = [48_500_000_000 + number for number in range(70_000)]
    seen = Seen()
    rows = range(1, len(phones) + 1)
    assert seen.sift(phones, rows, rows, rows) == list(range(len(phones)))
    later = range(len(phones) + 1, 2 * len(phones) + 1)
    assert seen.sift(phones, rows, later, later) == []
    again = list(seen.again())
    assert [one.row for one in again] == list(later)
    assert all(one.same and one.first_row == one.row - len(phones) for one in again)
