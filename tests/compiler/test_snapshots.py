"""What goes on from a snapshot comes to what a run over the whole audience comes to."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.compiler.snapshots import Snapshot, pack, unpack
from campaignkit.protocol.codec import MessageError

from .rules import mailing, run

BUTTON = '{type: button, text: "{{ name }}", caption: C, button_link: "https://a.by/{{ tier }}"}'
HEADER = ["phone", "name", "tier"]
PHONES = ["375291111111", "+375 29 111-11-12", "375291111113", "375172000000", "+48512345678", "abc", ""]
rows = st.lists(
    st.tuples(
        st.sampled_from(PHONES), st.sampled_from(["Ann", "", "a\x00b", "see http://b.by", "x" * 1001]), st.sampled_from(["x", "a b"])
    ),
    max_size=30,
)
AUDIENCES = [
    f"{{file: a.csv, on_conflict: {conflict}, on_invalid: {invalid}, max_invalid: 100%{where}}}"
    for conflict in ("fail", "first")
    for invalid in ("fail", "skip")
    for where in ("", ", where: name != 'Ann'")
]


def halves(audience: str, first: list[tuple[str, str, str]], rest: list[tuple[str, str, str]]) -> None:
    one = mailing(BUTTON, audience=audience)
    suppressed = frozenset({375291111113})
    whole = run(one, HEADER, [*first, *rest], suppressed=suppressed)
    kept: list[bytes] = []

    def freeze(snapshot: Snapshot) -> None:
        kept.append(b"".join(pack(snapshot)))

    before = run(one, HEADER, first, suppressed=suppressed, freeze=freeze)
    after = run(one, HEADER, rest, suppressed=suppressed, resumed=unpack(kept[0]))
    assert [*before.phones, *after.phones] == whole.phones
    assert [*before.elements, *after.elements] == whole.elements
    assert after.counts == whole.counts
    assert asdict(after.loop.figures) == asdict(whole.loop.figures)
    assert after.problems == whole.problems


@pytest.mark.parametrize("audience", AUDIENCES)
@settings(deadline=None, max_examples=60)
@given(rows, rows)
def test_two_halves_are_the_whole(audience: str, first: list[tuple[str, str, str]], rest: list[tuple[str, str, str]]) -> None:
    halves(audience, first, rest)


def test_two_halves_of_many_rows_are_the_whole() -> None:
    many = [(f"37529{1_000_000 + number % 3_000}", f"n{number % 7}", "x") for number in range(5_000)]
    halves(AUDIENCES[0], many[:3_333], many[3_333:])


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: data + b"x", lambda data: data[:5] + b"}" + data[6:], lambda data: data[:2]]
)
def test_what_is_no_snapshot_is_refused(spoil: object) -> None:
    kept: list[bytes] = []
    run(mailing(BUTTON), HEADER, [("375291111111", "Ann", "x")], freeze=lambda snapshot: kept.append(b"".join(pack(snapshot))))
    assert callable(spoil)
    with pytest.raises((ValueError, MessageError)):
        unpack(spoil(kept[0]))
