"""A time an author wrote, the instant it means, what the provider gets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.compiler.schedule import BadTimeError, in_minutes, schedule


@pytest.mark.parametrize(
    ("text", "author", "provider", "utc", "wire"),
    [
        ("2094-12-01T10:00:00", "Europe/Minsk", "Europe/Minsk", "2094-12-01T07:00:00", "2094-12-01T10:00:00"),
        ("2094-12-01T10:00", "Europe/Minsk", "Europe/Minsk", "2094-12-01T07:00:00", "2094-12-01T10:00:00"),
        ("2094-12-01T10:00:05+05:30", "Europe/Minsk", "Europe/Minsk", "2094-12-01T04:30:05", "2094-12-01T07:30:05"),
        ("2094-12-01T10:00:00Z", "Europe/Minsk", "UTC", "2094-12-01T10:00:00", "2094-12-01T10:00:00"),
        ("2026-07-01T10:00:00", "Europe/Warsaw", "Europe/Minsk", "2026-07-01T08:00:00", "2026-07-01T11:00:00"),
        ("2026-01-01T01:00:00", "Europe/Minsk", "America/New_York", "2025-12-31T22:00:00", "2025-12-31T17:00:00"),
        ("2026-10-25T02:30:00+02:00", "Europe/Warsaw", "Europe/Minsk", "2026-10-25T00:30:00", "2026-10-25T03:30:00"),
    ],
)
def test_a_time_is_one_instant_and_the_providers_clock(text: str, author: str, provider: str, utc: str, wire: str) -> None:
    found = schedule(text, author=author, provider=provider)
    assert found.utc == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert found.wire == wire
    assert utc[:10] in found.shown
    assert "at the provider" in found.shown


NO_TIMES = ["", "now", "2026-12-01", "2026-12-01 10:00:00", "20261201T100000", "2026-12-01T10:00:00.5", "٢٠٢٦-12-01T10:00:00"]


@pytest.mark.parametrize(
    ("text", "author", "provider", "words"),
    [
        ("2026-03-29T02:30:00", "Europe/Warsaw", "Europe/Minsk", "skips this time"),
        ("2026-10-25T02:30:00", "Europe/Warsaw", "Europe/Minsk", "shows this time twice"),
        ("2026-10-25T02:30:00+02:00", "Europe/Minsk", "Europe/Warsaw", "at the provider"),
        ("2026-02-30T10:00:00", "Europe/Minsk", "Europe/Minsk", "no such time"),
        ("2026-02-01T24:00:00", "Europe/Minsk", "Europe/Minsk", "no such time"),
        ("0001-01-01T00:00:00", "Europe/Minsk", "Europe/Minsk", "out of range"),
        ("9999-12-31T23:59:59-23:00", "Europe/Minsk", "Europe/Minsk", "out of range"),
        ("2026-12-01T10:00:00", "Europe/Minks", "Europe/Minsk", "no time zone"),
        ("2026-12-01T10:00:00", "../../etc/passwd", "Europe/Minsk", "no time zone"),
        *[
            (text, "Europe/Minsk", "Europe/Minsk", "is written")
            for text in (*NO_TIMES, "2026-12-01T10:00:00\n")
        ],
    ],
)  # fmt: skip
def test_a_time_that_is_none_or_two_is_refused(text: str, author: str, provider: str, words: str) -> None:
    with pytest.raises(BadTimeError, match=words):
        schedule(text, author=author, provider=provider)


@settings(deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1)), st.sampled_from(["Europe/Warsaw", "America/New_York", "Asia/Tokyo"]))  # noqa: DTZ001
def test_an_offset_gives_the_same_instant_in_every_zone(when: datetime, zone: str) -> None:
    text = when.replace(microsecond=0).isoformat() + "+03:00"
    assert schedule(text, author=zone, provider="UTC") == schedule(text, author=zone, provider="UTC")
    assert schedule(text, author=zone, provider="UTC").utc == schedule(text, author="Europe/Minsk", provider="Asia/Tokyo").utc


def test_a_list_mailing_gets_the_providers_clock_to_the_minute() -> None:
    whole = schedule("2026-07-01T10:00:00", author="Europe/Warsaw", provider="Europe/Minsk")
    found = in_minutes(whole)
    assert (found.wire, found.utc, found.shown) == ("2026-07-01 11:00", whole.utc, whole.shown)


@pytest.mark.parametrize("text", ["2026-07-01T10:00:01", "2026-07-01T10:00:30+03:00", "2026-07-01T10:00:59Z"])
def test_seconds_that_a_list_mailing_cannot_say_are_refused(text: str) -> None:
    with pytest.raises(BadTimeError, match="seconds must be 00"):
        in_minutes(schedule(text, author="Europe/Minsk", provider="Europe/Minsk"))
