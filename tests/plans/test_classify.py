"""Who is sent to: the first match in the contract's order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaignkit.plans.classify import Fate, classify
from campaignkit.plans.known import Standing, Standings

OLD, NEW = b"o" * 16, b"n" * 16


def fate(
    standing: Standing | None,
    *,
    print_: bytes = NEW,
    definition: str = "d",
    retry: bool = False,
    late: bool = False,
    elsewhere: bool = False,
) -> Fate:
    known = None if standing is None else Standings(standing, NEW, "d")
    return classify(known, fingerprint=print_, definition=definition, retry_rejected=retry, late=late, elsewhere=elsewhere)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (fate(None), Fate.SEND),
        (fate(None, elsewhere=True), Fate.RESEND),
        (fate(None, late=True), Fate.LATE),
        (fate(None, late=True, elsewhere=True), Fate.LATE),
        (fate(Standing.ACCEPTED), Fate.SENT),
        (fate(Standing.ACCEPTED, print_=OLD), Fate.EDITED),
        (fate(Standing.ACCEPTED, print_=OLD, definition="e", retry=True), Fate.EDITED),
        (fate(Standing.UNKNOWN, retry=True, elsewhere=True), Fate.UNKNOWN),
        (fate(Standing.ABANDONED), Fate.ABANDONED),
        (fate(Standing.REFUSED), Fate.REJECTED),
        (fate(Standing.REFUSED, print_=OLD), Fate.REJECTED),
        (fate(Standing.REFUSED, definition="e"), Fate.SEND),
        (fate(Standing.REFUSED, retry=True), Fate.SEND),
        (fate(Standing.PENDING), Fate.SEND),
    ],
)
def test_each_case(found: Fate, wanted: Fate) -> None:
    assert found is wanted


@given(
    standing=st.sampled_from([Standing.ACCEPTED, Standing.UNKNOWN, Standing.ABANDONED]),
    retry=st.booleans(),
    late=st.booleans(),
    elsewhere=st.booleans(),
)
def test_whoever_was_or_may_have_been_sent_to_is_never_sent_to(standing: Standing, retry: bool, late: bool, elsewhere: bool) -> None:
    for print_ in (OLD, NEW):
        for definition in ("d", "e"):
            found = fate(standing, print_=print_, definition=definition, retry=retry, late=late, elsewhere=elsewhere)
            assert found not in {Fate.SEND, Fate.RESEND}
