"""Statuses are a pure function of seed, phone and time."""

from __future__ import annotations

from collections import Counter

from campaignkit.sandbox.progress import reached

PHONES = [str(375290000000 + number) for number in range(2000)]


def status(phone: str, elapsed: float, seed: int = 1, speed: float = 1.0) -> str:
    found = reached(seed=seed, phone=phone, elapsed=elapsed, speed=speed)
    assert found is not None
    return found.status


def test_everyone_starts_new_and_is_delivered_within_seconds_and_most_read() -> None:
    assert {status(phone, 0.0) for phone in PHONES} == {"NEW"}
    assert {status(phone, -5.0) for phone in PHONES} == {"NEW"}
    final = Counter(status(phone, 5.0) for phone in PHONES)
    assert set(final) == {"DELIVERED", "READ"}
    assert 0.8 < final["READ"] / len(PHONES) < 0.9
    assert {status(phone, 2.2) for phone in PHONES} <= {"DELIVERED", "READ"}


def test_the_same_seed_tells_the_same_story_and_another_one_another() -> None:
    story = [status(phone, 1.0) for phone in PHONES]
    assert story == [status(phone, 1.0) for phone in PHONES]
    assert story != [status(phone, 1.0, seed=2) for phone in PHONES]
    assert story == [status(phone, 0.5, speed=2.0) for phone in PHONES]


def test_statuses_never_go_back_on_their_own() -> None:
    rank = ["NEW", "SENT", "DELIVERED", "READ"]
    for phone in PHONES[:50]:
        ranks = [rank.index(status(phone, tenth / 10)) for tenth in range(60)]
        assert ranks == sorted(ranks)


def test_a_script_is_followed_to_its_end() -> None:
    script = ["NEW", "SENT", "DELIVERED", "READ", "SENT", "LOST"]
    seen = [reached(seed=1, phone="375291111111", elapsed=tenth / 10, script=script) for tenth in range(100)]
    assert list(dict.fromkeys((found.status, found.after) for found in seen if found)) == sorted(
        dict.fromkeys((found.status, found.after) for found in seen if found), key=lambda pair: pair[1]
    )
    assert [status for status, _ in dict.fromkeys((found.status, found.after) for found in seen if found)] == script
    assert reached(seed=1, phone="375291111111", elapsed=9.0, script=[]) is None
