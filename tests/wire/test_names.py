"""Laws of batch names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.wire.names import LONGEST, PLACEHOLDER_TAG, TAG_BYTES, batch_name, new_tag

ids = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)
counts = st.integers(1, 10**7)
tags = st.binary(min_size=TAG_BYTES, max_size=TAG_BYTES).map(new_tag)


def test_a_name_reads_as_the_design_draws_it() -> None:
    name = batch_name("spring-sale", "invitation", 2, 7, PLACEHOLDER_TAG)
    assert name == "spring-sale/invitation 2of7 ck-00000000000000000000000000"


def test_a_tag_has_the_placeholders_length_and_never_equals_it() -> None:
    assert new_tag(bytes(17)) == "ck-" + "a" * 26
    assert len(new_tag(bytes(17))) == len(PLACEHOLDER_TAG)
    assert new_tag(b"\xff" * 17) == "ck-" + "7" * 26


@pytest.mark.parametrize("size", [0, 16, 18])
def test_a_tag_needs_exactly_its_randomness(size: int) -> None:
    with pytest.raises(ValueError, match="17 random bytes"):
        new_tag(bytes(size))


@given(ids, ids, counts, counts, tags)
def test_every_name_is_short_ascii_without_colon_and_keeps_figures_and_tag(
    campaign: str, mailing: str, number: int, of: int, tag: str
) -> None:
    name = batch_name(campaign, mailing, number, of, tag)
    assert len(name) <= LONGEST
    assert name.isascii()
    assert name.isprintable()
    assert ":" not in name
    assert name.endswith(f" {number}of{of} {tag}")


names = st.builds(batch_name, ids, ids, counts, counts, tags)


@given(names, names)
def test_no_name_is_a_prefix_of_another(one: str, two: str) -> None:
    assert one == two or not (one.startswith(two) or two.startswith(one))


def test_a_long_name_takes_room_that_a_short_one_leaves() -> None:
    long = "m" * 40
    assert batch_name("a", long, 1, 2, PLACEHOLDER_TAG).startswith(f"a/{long} ")
    assert "~/" in batch_name("c" * 40, long, 1, 2, PLACEHOLDER_TAG)


@pytest.mark.parametrize("campaign", ["", "a:b", "a b", "весна", "a\n"])
def test_unchecked_ids_are_refused(campaign: str) -> None:
    with pytest.raises(ValueError, match="batch name"):
        batch_name(campaign, "m", 1, 1, PLACEHOLDER_TAG)
