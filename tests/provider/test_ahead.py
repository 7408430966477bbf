"""Answers fetched beside other work."""

from __future__ import annotations

from threading import Event

import pytest

from campaignkit.errors import ProviderError
from campaignkit.provider.ahead import Ahead


def test_one_is_asked_after_the_other_in_order_while_nobody_waits() -> None:
    ahead, begun, go_on = Ahead(), [], Event()

    def ask(number: int) -> bytes:
        begun.append(number)
        assert go_on.wait(10)
        return b"%d" % number

    one, two = ahead.fetch(lambda: ask(1)), ahead.fetch(lambda: ask(2))
    go_on.set()
    assert (two.wait(), one.wait(), one.wait()) == (b"2", b"1", b"1")
    assert begun == [1, 2]
    ahead.close()


@pytest.mark.parametrize("error", [ProviderError("the provider can't be reached"), ValueError("a defect")])
def test_what_asking_raised_is_raised_where_it_is_waited_for_and_the_next_is_asked(error: Exception) -> None:
    ahead = Ahead()

    def fail() -> bytes:
        raise error

    failed, other = ahead.fetch(fail), ahead.fetch(lambda: b"fine")
    with pytest.raises(type(error), match=str(error)):
        failed.wait()
    assert other.wait() == b"fine"
    ahead.close()


def test_closing_waits_for_nobody_and_ends_the_thread() -> None:
    ahead, go_on = Ahead(), Event()
    ahead.close()  # before anything was asked
    ahead = Ahead()
    last = ahead.fetch(lambda: b"%d" % go_on.wait(10))
    ahead.close()
    go_on.set()
    assert last.wait() == b"1"
    assert ahead._thread is not None
    ahead._thread.join(10)
    assert not ahead._thread.is_alive()
