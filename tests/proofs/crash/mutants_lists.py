"""Broken list mailings: drafts forgotten, made or confirmed twice, records not read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from campaignkit.engine import confirming, settling
from campaignkit.engine.confirming import Reading
from campaignkit.engine.settling import SettleJob
from campaignkit.model.outcomes import Outcome, SendResult
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.records import RecordClient
from campaignkit.states.records import RequestState, Step
from campaignkit.states.sqlite import attempts
from campaignkit.states.sqlite.claims import free_request
from campaignkit.states.sqlite.rows import id_of
from campaignkit.states.sqlite.sums import seal
from campaignkit.states.sqlite.writing import SqliteStore
from campaignkit.wire.records import MailingRecord
from tests.proofs.crash import engine_process
from tests.proofs.crash.histories import Files
from tests.proofs.crash.mutants_wire import put


def record_says_it_did_not_count() -> None:
    """Whatever the provider's record says, it is read as that of a draft."""
    original = RecordClient.mailing

    def mailing(self: RecordClient, message_id: str) -> MailingRecord:
        return replace(original(self, message_id), status="DRAFT")

    put(RecordClient, "mailing", mailing)


def nobody_looks_before_a_confirm() -> None:
    """A lost confirm is a draft again, and what the record says before the next one is not looked at."""
    for module in (confirming, settling):
        put(module, "reading", lambda *_: Reading.DRAFT)
    put(confirming, "_GONE_OUT", frozenset())


def any_lost_create_is_made_anew() -> None:
    """Drafts count as inert, though nobody said so."""
    original = engine_process.settings

    def settings(files: Files) -> Any:
        project, environment = original(files)
        return project, replace(environment, provider=ProviderBehaviour(drafts_are_inert=True))

    put(engine_process, "settings", settings)


def confirm_without_an_intent() -> None:
    """That a confirm is on its way is committed with its outcome, not before."""
    original, record = SqliteStore.mark_intent, SqliteStore.record

    def mark_intent(self: SqliteStore, ref: str, at: datetime) -> int | None:
        return 1 if _is_draft(self, ref) else original(self, ref, at)

    def record_both(self: SqliteStore, ref: str, attempt: int, result: SendResult, at: datetime, *, again: bool = False) -> RequestState:
        number = original(self, ref, at) if _is_draft(self, ref) else attempt
        return record(self, ref, number or attempt, result, at, again=again)

    put(SqliteStore, "mark_intent", mark_intent)
    put(SqliteStore, "record", record_both)


def _is_draft(store: SqliteStore, ref: str) -> bool:
    row = store.request(ref)
    return row is not None and row.state is RequestState.DRAFT


def created_is_sent() -> None:
    """A list mailing counts as sent once it is made."""
    original = attempts.record

    def record(sql: sqlite3.Connection, ref: str, attempt: int, result: SendResult, at: str, *, again: bool) -> RequestState:
        state = original(sql, ref, attempt, result, at, again=again)
        return _set(sql, ref, RequestState.ACCEPTED) if state is RequestState.DRAFT and result.uuid else state

    put(attempts, "record", record)


def refused_confirm_frees_the_list() -> None:
    """Whoever refuses a confirm has refused the mailing: it is made anew, and the old draft is forgotten."""
    original = attempts.record

    def record(sql: sqlite3.Connection, ref: str, attempt: int, result: SendResult, at: str, *, again: bool) -> RequestState:
        state = original(sql, ref, attempt, result, at, again=again)
        if state is not RequestState.DRAFT or result.outcome is not Outcome.REJECTED:
            return state
        free_request(sql, id_of(ref))
        return _set(sql, ref, RequestState.REJECTED)

    put(attempts, "record", record)


def _set(sql: sqlite3.Connection, ref: str, state: RequestState) -> RequestState:
    sql.execute("UPDATE request SET state = ? WHERE id = ?", (str(state), id_of(ref)))
    seal(sql, "request", id_of(ref))
    return state


def recovery_makes_drafts_of_confirms() -> None:
    """A confirm that a dead run had under way counts as never begun, and its draft's record is not looked at."""
    original = attempts.give_up

    def give_up(sql: sqlite3.Connection, at: str) -> tuple[list[str], int]:
        for (request_id,) in sql.execute("SELECT id FROM request WHERE state = 'intent' AND step = 'confirm'").fetchall():
            _set(sql, f"r{request_id}", RequestState.DRAFT)
        return original(sql, at)

    put(attempts, "give_up", give_up)
    put(confirming, "_GONE_OUT", frozenset())


def inert_drafts_are_confirmed_twice() -> None:
    """Where drafts are inert, a lost confirm is discarded like a lost create, and the mailing is made anew."""
    original = SqliteStore.discard_drafts

    def discard_drafts(self: SqliteStore, at: datetime) -> Sequence[str]:
        with self._db.writing() as sql:
            lost = sql.execute("SELECT id FROM request WHERE state = 'unknown' AND step = 'confirm'").fetchall()
            for (request_id,) in lost:
                sql.execute("UPDATE request SET step = ? WHERE id = ?", (str(Step.CREATE), request_id))
                seal(sql, "request", request_id)
        return original(self, at)

    put(SqliteStore, "discard_drafts", discard_drafts)
    put(SettleJob, "_confirmed", lambda *_: None)
    put(confirming.ConfirmJob, "_look_again", lambda *_: None)


def two_runs_confirm_one_draft() -> None:
    """A confirm asks nobody whether another run has begun it meanwhile."""
    original = attempts.mark_intent

    def mark_intent(sql: sqlite3.Connection, ref: str, at: str) -> int | None:
        sql.execute("UPDATE request SET state = 'draft' WHERE id = ? AND step = 'confirm'", (id_of(ref),))
        seal(sql, "request", id_of(ref))
        return original(sql, ref, at)

    put(attempts, "mark_intent", mark_intent)
