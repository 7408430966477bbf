"""What stands beside the deliveries: everything that `AsidesReader` and `AsidesStore` promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from campaignkit.model.outcomes import SendResult
from campaignkit.states.asides import Kept, OptoutRow, Reply, ReplyRow, TestRow
from campaignkit.states.sqlite import inbox, optouts, tests_sent
from campaignkit.states.sqlite.connection import Database
from campaignkit.states.times import to_text


class SqliteAsidesReader:
    """The looking half."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._optouts_checked = False

    def opted_out(self, phones: Sequence[int]) -> frozenset[int]:
        """Which of these want nothing more. The first question also looks whether all of them are as they were written."""
        if not self._optouts_checked:
            optouts.demand_all(self._db)
            self._optouts_checked = True
        return optouts.opted_out(self._db, phones)

    def optouts(self) -> Sequence[OptoutRow]:
        """Everybody who wants nothing more, by phone."""
        return optouts.everybody(self._db)

    def replies(self, *, campaigns: Sequence[str] = (), phone: int | None = None, unread: bool = False) -> Iterator[ReplyRow]:
        """Replies in the order they were stored; no filters mean all."""
        return inbox.replies(self._db, campaigns=campaigns, phone=phone, unread=unread)

    def message_ids(self) -> Mapping[str, Sequence[str]]:
        """By reference: the provider's ids of the mailings of bulk requests, as far as they were asked for."""
        return inbox.message_ids(self._db)

    def tests(self) -> Sequence[TestRow]:
        """Every message to the team's own phones, oldest first."""
        return tests_sent.tests(self._db)


class SqliteAsidesStore(SqliteAsidesReader):
    """The changing half; each method is one durable transaction."""

    def opt_out(self, phone: int, *, reason: str, at: datetime, by: str, reply: int | None = None) -> bool:
        """Never message this person again; False if that is so already."""
        now = to_text(at)
        with self._db.writing() as sql:
            return optouts.opt_out(sql, phone, reason=reason, at=now, by=by, reply=reply)

    def opt_in(self, phone: int, *, reason: str, at: datetime, by: str) -> bool:
        """Take an opt-out back; False if there is none."""
        now = to_text(at)
        with self._db.writing() as sql:
            return optouts.opt_in(sql, phone, reason=reason, at=now, by=by)

    def keep_replies(self, replies: Sequence[Reply], *, optouts: Mapping[str, str], at: datetime, by: str) -> Kept:
        """Store replies, each once, with the opt-outs that follow from the new ones."""
        now = to_text(at)
        with self._db.writing() as sql:
            return inbox.keep(sql, replies, optouts=optouts, at=now, by=by)

    def mark_acked(self, ids: Sequence[int], at: datetime) -> int:
        """Note that the provider has marked these as read. Returns how many were not noted so before."""
        now = to_text(at)
        with self._db.writing() as sql:
            return inbox.mark_acked(sql, ids, now)

    def learn_messages(self, ref: str, message_ids: Sequence[str]) -> None:
        """Keep the provider's ids of the mailings of a bulk request."""
        with self._db.writing() as sql:
            inbox.learn_messages(sql, ref, message_ids)

    def begin_test(self, *, campaign: str, mailing: str, phone: int, rendered_for: int, at: datetime) -> int:
        """The intent of a test message, durable when this returns."""
        now = to_text(at)
        with self._db.writing() as sql:
            return tests_sent.begin(sql, campaign, mailing, phone, rendered_for, now)

    def end_test(self, test_id: int, result: SendResult, at: datetime) -> None:
        """How a test message ended."""
        now = to_text(at)
        with self._db.writing() as sql:
            tests_sent.end(sql, test_id, result, now)

    def recover_tests(self, at: datetime) -> int:
        """After dead runs: test messages under way become unknown."""
        now = to_text(at)
        with self._db.writing() as sql:
            return tests_sent.recover(sql, now)
