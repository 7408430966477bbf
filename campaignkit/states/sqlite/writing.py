"""Changing a state: everything that `Store` promises, each method one durable transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from campaignkit.model.mailings import MailingKey
from campaignkit.model.outcomes import SendResult
from campaignkit.states.records import BatchUpdate, Finding, Listing, PlannedRequest, Recovered, RequestState, Taken
from campaignkit.states.sqlite import attempts, callbacks, decisions, events, inbox, listings, polls, presence
from campaignkit.states.sqlite.asides import SqliteAsidesStore
from campaignkit.states.sqlite.claims import PlanWriter
from campaignkit.states.sqlite.connection import Database, bump, demand_one
from campaignkit.states.sqlite.reading import SqliteReader
from campaignkit.states.sqlite.rows import id_of
from campaignkit.states.sqlite.sums import demand_intact, seal
from campaignkit.states.times import to_text


class SqliteStore(SqliteAsidesStore, SqliteReader):
    """A state file, open for changes; made by `opening.open_store`, which counts it among the writers."""

    def __init__(self, database: Database, presence_descriptor: int) -> None:
        super().__init__(database)
        self._presence: int | None = presence_descriptor
        self._word_ids: dict[str, int] = {}

    def begin_run(self, *, command: str, digest: str, at: datetime) -> int:
        """Open a run: serial + 1, an entry in the history. Returns its id."""
        now = to_text(at)
        with self._db.writing() as sql:
            cursor = sql.execute("INSERT INTO run (command, digest, began_at) VALUES (?, ?, ?)", (command, digest, now))
            run_id = int(cursor.lastrowid or 0)
            seal(sql, "run", run_id)
            bump(sql, "serial")
            events.event(sql, now, "run", _run(run_id), command=command, digest=digest)
        return run_id

    def recover(self, at: datetime) -> Recovered:
        """After dead runs: intent becomes unknown; planned is dissolved and its claims are freed."""
        now = to_text(at)
        with self._db.writing() as sql:
            unknown, people = attempts.give_up(sql, now)
            dissolved, freed = attempts.dissolve(sql, now)
            if unknown or dissolved:
                bump(sql, "claims_version")
                events.event(sql, now, "recovery", "", unknown=unknown, unknown_people=people, dissolved=dissolved, freed=freed)
        return Recovered(unknown_requests=tuple(unknown), unknown_people=people, dissolved_requests=dissolved, freed_people=freed)

    def carry_over(self, old: MailingKey, new: MailingKey, at: datetime) -> int:
        """`moved_from`: give the deliveries of `old` the name `new`, if `new` holds no claims yet. Returns people moved."""
        now = to_text(at)
        with self._db.writing() as sql:
            people = decisions.carry_over(sql, old, new)
            if people:
                events.event(sql, now, "carry_over", str(new), old=list(old), new=list(new), people=people)
        return people

    def write_plan(self, run_id: int, requests: Iterable[PlannedRequest], at: datetime) -> Sequence[str]:
        """Claim everyone of the plan in ONE transaction; returns the requests' references in order.

        Raises:
            ClaimConflictError: A key is claimed already, by another request or twice in this plan.
            ValueError: A request or a batch is empty, or its columns are not whole.
        """
        now = to_text(at)
        with self._db.writing() as sql:
            writer = PlanWriter(sql, run_id, now)
            refs = [writer.request(request) for request in requests]
            writer.finish()
            bump(sql, "claims_version")
            events.event(sql, now, "plan", _run(run_id), requests=len(refs), people=writer.people)
        return refs

    def mark_intent(self, ref: str, at: datetime) -> int | None:
        """Planned → intent by compare-and-set. Returns the attempt's number, or None if the request was not planned."""
        now = to_text(at)
        with self._db.writing() as sql:
            return attempts.mark_intent(sql, ref, now)

    def record(self, ref: str, attempt: int, result: SendResult, at: datetime, *, again: bool = False) -> RequestState:
        """Store how the attempt ended; returns the state the request has now. StateError if it has no say any more."""
        now = to_text(at)
        with self._db.writing() as sql:
            return attempts.record(sql, ref, attempt, result, now, again=again)

    def dissolve(self, run_id: int, at: datetime) -> int:
        """Free what this run planned and never sent. Returns people freed."""
        now = to_text(at)
        with self._db.writing() as sql:
            requests, people = attempts.dissolve(sql, now, run_id=run_id)
            if requests:
                bump(sql, "claims_version")
                events.event(sql, now, "dissolve", _run(run_id), requests=requests, people=people)
        return people

    def end_run(self, run_id: int, *, summary: str, at: datetime) -> None:
        """Close a run with its JSON summary in the history."""
        now = to_text(at)
        with self._db.writing() as sql:
            demand_intact(sql, "run", run_id)
            cursor = sql.execute("UPDATE run SET ended_at = ?, summary = ? WHERE id = ? AND ended_at IS NULL", (now, summary, run_id))
            demand_one(cursor, f"The open {_run(run_id)}")
            seal(sql, "run", run_id)
            # A copy made while the run went on does not know its end: it stands below the mark that follows.
            bump(sql, "serial")
            events.note(sql, now, "run_end", _run(run_id), summary)

    def record_poll(
        self,
        ref: str,
        updates: Sequence[BatchUpdate],
        *,
        final: bool,
        at: datetime,
        seen: datetime | None,
        answer: bytes = b"",
        listing: Listing | None = None,
        message_ids: Sequence[str] = (),
    ) -> bool:
        """Store what a status answer taught; `answer` only where something in it was not understood."""
        now, before = to_text(at), None if seen is None else to_text(seen)
        with self._db.writing() as sql:
            stored = polls.record_poll(sql, ref, updates, final=final, at=now, answer=answer, seen=before, listing=listing)
            if stored and message_ids:
                inbox.learn_messages(sql, ref, message_ids)
        return stored

    def note_draft(self, ref: str, word: str) -> None:
        """Keep the provider's status word of what certainly is a draft, before its confirm."""
        with self._db.writing() as sql:
            listings.note_draft(sql, ref, word)

    def discard_drafts(self, at: datetime) -> Sequence[str]:
        """Release the creates of list mailings whose answer was lost. Returns their references."""
        now = to_text(at)
        with self._db.writing() as sql:
            refs = decisions.discard_drafts(sql, now)
            if refs:
                events.event(sql, now, "discard_drafts", "", requests=refs)
        return refs

    def word_id(self, word: str) -> int:
        """The byte for a status word of the provider; a new word gets the next free one, 255 stands for all others."""
        known = self._word_ids.get(word)
        if known is None:
            with self._db.writing() as sql:
                known = polls.word_id(sql, word)
            self._word_ids[word] = known
        return known

    def resolve(self, ref: str, to: RequestState, *, uuid: str = "", reason: str, at: datetime, by: str = "") -> int:
        """A person's answer to an unknown request. Returns people concerned; ValueError if it is not unknown."""
        now = to_text(at)
        with self._db.writing() as sql:
            [before] = sql.execute("SELECT coalesce(max(reason), '') FROM request WHERE id = ?", (id_of(ref),)).fetchone()
            people = decisions.resolve(sql, ref, to, uuid, reason, now)
            events.event(sql, now, "resolve", ref, to=str(to), uuid=uuid, people=people, reason=reason, was=before, by=by)
        return people

    def take_callback(self, secret_hash: bytes, body: bytes, at: datetime) -> Taken:
        """Keep what came for the callback address of a request, once."""
        return callbacks.take(self._db, secret_hash, body, to_text(at))

    def handle_callbacks(self, ids: Sequence[int]) -> None:
        """Mark callbacks of which nothing more follows."""
        with self._db.writing() as sql:
            sql.executemany("UPDATE callback SET handled = 1 WHERE id = ?", [(callback_id,) for callback_id in ids])

    def record_verification(self, ref: str, uuid: str, finding: Finding, at: datetime) -> None:
        """Remember what asking about a uuid showed; counts how often it was asked."""
        now = to_text(at)
        with self._db.writing() as sql:
            callbacks.record_verification(sql, ref, uuid, finding, now)

    def forget(self, key: MailingKey, *, reason: str, at: datetime, by: str = "") -> int:
        """Drop all claims and batches of a mailing, leaving a tombstone event; releases + 1. Returns people forgotten."""
        now = to_text(at)
        with self._db.writing() as sql:
            # Who asks to be forgotten must not stay readable in the file's free pages.
            sql.execute("PRAGMA secure_delete = ON")
            people = decisions.forget(sql, key)
            events.event(
                sql,
                now,
                "forget",
                str(key),
                campaign=key.campaign,
                revision=key.revision,
                mailing=key.mailing,
                people=people,
                reason=reason,
                by=by,
            )
        return people

    def lose_history(self, requests: Iterable[PlannedRequest], *, since: int, at_least: int, at: datetime) -> int:
        """Claim whoever may have been sent to since a backup, and make them and all that was under way unknown. Returns people."""
        now = to_text(at)
        with self._db.writing() as sql:
            cursor = sql.execute("INSERT INTO run (command, digest, began_at, ended_at) VALUES ('state restore', '', ?, ?)", (now, now))
            run_id = int(cursor.lastrowid or 0)
            seal(sql, "run", run_id)
            writer = PlanWriter(sql, run_id, now)
            for request in requests:
                writer.request(request)
            writer.finish()
            people = decisions.lose_history(sql, since, at_least, now)
            events.event(sql, now, "restore", _run(run_id), since=since, lost_at_least=at_least, people=people)
        return people

    def note(self, *, kind: str, subject: str, detail: str, at: datetime) -> None:
        """Add a line to the history."""
        now = to_text(at)
        with self._db.writing() as sql:
            events.note(sql, now, kind, subject, detail)

    def close(self) -> None:
        """Leave. The last writer puts everything into the one file and takes the in-use mark back."""
        if self._presence is None:
            return
        descriptor, self._presence = self._presence, None
        with presence.leaving(self._db.path, descriptor) as last:
            self._db.close(partial(presence.unmark if last else presence.close_as_it_is, self._db.path))


def _run(run_id: int) -> str:
    return f"run {run_id}"
