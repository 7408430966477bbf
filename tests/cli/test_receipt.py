"""What the death of an earlier run left, in words."""

from __future__ import annotations

import pytest

from campaignkit.cli.receipt import recovery_words
from campaignkit.states.records import Recovered


@pytest.mark.parametrize(
    ("unknown", "freed", "said"),
    [
        (0, 0, []),
        (1, 0, ["An earlier run died with r1 in flight: 1 person is unknown now, and not sent to again."]),
        (0, 1200, ["An earlier run died before it came to 1,200 people: they are planned anew. Nothing that it sent is unknown."]),
        (
            3,
            1,
            [
                "An earlier run died with r1 in flight: 3 people are unknown now, and not sent to again.",
                "An earlier run died before it came to 1 person: they are planned anew.",
            ],
        ),
    ],
)
def test_who_is_unknown_and_who_is_planned_anew(unknown: int, freed: int, said: list[str]) -> None:
    refs = ("r1",) if unknown else ()
    assert (
        recovery_words(Recovered(unknown_requests=refs, unknown_people=unknown, dissolved_requests=bool(freed), freed_people=freed)) == said
    )
