"""Marking replies: only stored ones, believed only when the provider says so, and never lost in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from campaignkit.engine.acking import Acked, AckJob
from campaignkit.engine.pace import Pace
from campaignkit.errors import ProviderError
from campaignkit.provider.port import NotVisibleError
from campaignkit.states.asides import Reply
from campaignkit.wire.records import IncomingMessage, Listing
from tests.engine.conftest import Bench
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeReader
from tests.states.conftest import AT, FIRST


class Inbox(FakeReader):
    """A provider with these replies that are new; marks all it is asked to but `stubborn`, and says what it is told to say."""

    def __init__(self, *new: int, stubborn: Iterable[int] = (), says: Any = "truth") -> None:
        super().__init__()
        self.new = set(map(str, new))
        self.stubborn = set(map(str, stubborn))
        self.says = says
        self.marked: list[list[str]] = []

    def mark_read(self, ids: Iterable[str]) -> int | None:
        asked = list(ids)
        self.marked.append(asked)
        if isinstance(self.says, Exception):
            raise self.says
        done = (self.new & set(asked)) - self.stubborn
        self.new -= done
        said: int | None = len(done) if self.says == "truth" else self.says
        return said

    def incoming(self, message_id: str) -> Listing[IncomingMessage]:
        self.asked.append(message_id)
        answer = self.answers.get(message_id)
        if isinstance(answer, Exception):
            raise answer
        return Listing(IncomingMessage(id=one, phone=FIRST, message="Yes", received="") for one in sorted(self.new))


def keep(bench: Bench, *names: int | str, message_id: str = "4905") -> None:
    replies = [Reply(provider_id=str(name), message_id=message_id, request="", phone=FIRST, text="Yes", received="") for name in names]
    bench.store.keep_replies(replies, optouts={}, at=AT, by="inbox")


def ack(bench: Bench, inbox: Inbox, **more: Any) -> Acked:
    job = AckJob(store=bench.store, marker=inbox, reader=inbox, clock=FakeClock(), pace=Pace(0, FakeClock()), **more)
    return job.run(list(bench.store.replies()))


def unread(bench: Bench) -> list[str]:
    return [row.provider_id for row in bench.store.replies(unread=True)]


def test_stored_replies_are_marked_in_batches(bench: Bench) -> None:
    keep(bench, *range(1, 251))
    inbox = Inbox(*range(1, 251), 999)
    result = ack(bench, inbox)
    assert [len(ids) for ids in inbox.marked] == [100, 100, 50]
    assert (result.replies, result.acked, result.short, result.left, inbox.asked) == (250, 250, 0, 0, [])
    assert (unread(bench), inbox.new) == ([], {"999"})  # what is not stored here stays new


def test_an_empty_inbox_asks_nobody(bench: Bench) -> None:
    inbox = Inbox()
    assert ack(bench, inbox) == Acked()
    keep(bench, 1)
    bench.store.mark_acked([1], AT)
    assert ack(bench, inbox) == Acked()
    assert inbox.marked == []


def test_fewer_than_asked_is_told_and_asked_again(bench: Bench) -> None:
    keep(bench, 1, 2, 3)
    inbox = Inbox(1, 2, 3, stubborn=[2])
    result = ack(bench, inbox)
    assert (result.replies, result.acked, result.short, unread(bench)) == (3, 2, 1, ["2"])
    assert result.notes == ["asked to mark 3 replies, the provider says that it marked 2: it was asked which are still new"]
    inbox.stubborn.clear()
    assert (ack(bench, inbox).acked, inbox.marked[-1], unread(bench)) == (1, ["2"], [])


def test_a_mark_whose_answer_was_lost_counts_the_next_time(bench: Bench) -> None:
    """The provider has marked them; it marks nobody twice, so its count is short for ever."""
    keep(bench, 1, 2)
    keep(bench, 3, message_id="8484")
    inbox = Inbox()
    result = ack(bench, inbox)
    assert (result.acked, result.short, unread(bench), inbox.asked) == (3, 0, [], ["4905", "8484"])


@pytest.mark.parametrize("says", [None, 0, 7])
def test_a_count_that_says_nothing_is_not_believed(bench: Bench, says: int | None) -> None:
    keep(bench, 1, 2)
    inbox = Inbox(1, 2, stubborn=[1], says=says)
    result = ack(bench, inbox)
    assert (result.acked, result.short, unread(bench)) == (1, 1, ["1"])


def test_a_lost_answer_leaves_them_unread(bench: Bench) -> None:
    keep(bench, *range(1, 501))
    inbox = Inbox(says=ProviderError("no answer"))
    result = ack(bench, inbox)
    # After three failures in a row nothing more is asked.
    assert (len(inbox.marked), result.acked, result.left, len(result.failures), len(unread(bench))) == (3, 0, 500, 3, 500)


@pytest.mark.parametrize(("error", "failures", "notes"), [(ProviderError("no answer"), 1, 1), (NotVisibleError("404"), 0, 2)])
def test_what_nobody_can_tell_stays_unread(bench: Bench, error: Exception, failures: int, notes: int) -> None:
    keep(bench, 1)
    inbox = Inbox(1, says=0)
    inbox.answers["4905"] = error
    result = ack(bench, inbox)
    assert (result.acked, result.left, len(result.failures), len(result.notes), unread(bench)) == (0, 1, failures, notes, ["1"])


def test_a_reply_without_an_id_is_never_named(bench: Bench) -> None:
    keep(bench, "~abc", 1)
    inbox = Inbox(1)
    result = ack(bench, inbox)
    assert (inbox.marked, result.nameless, result.acked, unread(bench)) == ([["1"]], 1, 1, ["~abc"])


def test_the_operator_may_stop_it(bench: Bench) -> None:
    keep(bench, *range(1, 251))
    inbox = Inbox(*range(1, 251))
    result = ack(bench, inbox, stopped=lambda: len(inbox.marked) == 1)
    assert (result.acked, result.left, len(unread(bench))) == (100, 150, 150)
