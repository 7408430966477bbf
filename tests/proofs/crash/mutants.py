"""Every broken engine, with the short history that shows it and the invariants it then breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.proofs.crash import mutants_engine as engine
from tests.proofs.crash import mutants_lists as lists
from tests.proofs.crash import mutants_state as state
from tests.proofs.crash import mutants_wire as wire
from tests.proofs.crash.behaviours import LIST, QUICK
from tests.proofs.crash.checker import Violation, check
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.failpoints import CALM, Act, Strike
from tests.proofs.crash.histories import FIRST_PHONE, LIST_PHONES, Files, History, MailingFile, Run, history, settle

PEOPLE = tuple(range(FIRST_PHONE, FIRST_PHONE + 4))
FILES = Files(mailings=(MailingFile("invitation", PEOPLE),), batch_size=2)
RENAMED = replace(FILES, mailings=(MailingFile("welcome", (*PEOPLE, FIRST_PHONE + 10), moved_from="invitation"),))
OTHERS = replace(FILES, mailings=(MailingFile("invitation", (FIRST_PHONE + 20,)),))
QUICKLY = replace(FILES, mailings=(MailingFile("invitation", PEOPLE[:2], method=QUICK),))
TO_A_LIST = replace(FILES, mailings=(MailingFile("invitation", LIST_PHONES, method=LIST),))
INERT = replace(TO_A_LIST, inert=True)
MOST = 200
"""The most random histories that may pass before a mutant shows."""


def killed(point: str, nth: int = 1) -> Strike:
    """Death at a named point."""
    return Strike(Act.KILL, point=point, nth=nth)


def stopped(point: str, nth: int = 1) -> Strike:
    """Sleep at a named point."""
    return Strike(Act.STOP, point=point, nth=nth)


def answered(*script: str, files: Files = FILES) -> tuple[Run, ...]:
    """One run that a provider treats so."""
    return (Run(files=files, script=script),)


def dying(strike: Strike, *script: str, files: Files = FILES) -> tuple[Run, ...]:
    """One run that dies."""
    return (Run(files=files, strikes=(strike,), script=script),)


def overtaken(first: Strike, second: Strike = CALM, *, between: str = "", files: Files = FILES) -> tuple[Run, ...]:
    """A run that sleeps while another one, without a lock, does its work."""
    return (Run(files=files, strikes=(first, second), locked=False, in_turn=True, between=between),)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken engine: how it gets into a process, and the history that shows it."""

    install: Callable[[], None]
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """Its name."""
        return self.install.__name__

    def histories(self) -> Iterator[History]:
        """The short one, then random ones."""
        yield History(self.name, settle(self.runs), (("welcome", "invitation"),))
        yield from map(history, range(MOST))


MUTANTS = (
    Mutant(wire.retry_on_5xx, answered("accept_500")),
    Mutant(wire.retry_on_timeout, answered("accept_silent")),
    Mutant(wire.retry_when_closed, answered("accept_close")),
    Mutant(wire.follow_redirects, answered("accept_307")),
    Mutant(wire.throttled_sends_twice, answered("throttle_429")),
    Mutant(wire.reset_is_not_sent, answered("accept_reset")),
    Mutant(wire.timeout_is_not_sent, answered("accept_silent")),
    Mutant(wire.no_uuid_is_rejected, answered("accept_no_uuid")),
    Mutant(wire.cut_answer_is_rejected, answered("accept_head_cut")),
    Mutant(wire.unread_head_is_rejected, answered("accept_head_cut")),
    Mutant(wire.redirect_is_rejected, answered("accept_303")),
    Mutant(wire.server_error_is_rejected, answered("accept_502")),
    Mutant(wire.client_error_with_uuid_is_rejected, answered("accept_400_uuid")),
    Mutant(wire.half_a_uuid_is_believed, answered("accept_cut")),
    Mutant(engine.recorded_at_the_end, dying(killed("net.body_read", 2))),
    Mutant(engine.intent_in_memory, dying(killed("net.body_read"))),
    Mutant(engine.unknown_goes_again, answered("accept_close")),
    Mutant(engine.bodies_are_mixed, answered()),
    Mutant(engine.planner_ignores_unknown, answered("accept_close")),
    Mutant(engine.planner_ignores_accepted, answered()),
    Mutant(engine.planner_drops_the_last, answered()),
    Mutant(engine.nothing_is_recovered, dying(killed("intent.after"))),
    Mutant(engine.exit_code_forgets_unknown, (*answered("accept_close"), Run(files=OTHERS))),
    Mutant(engine.keeps_sending_without_its_intent, overtaken(stopped("net.connected"))),
    Mutant(state.recovery_plans_intents, dying(killed("net.body_sent"))),
    Mutant(state.recovery_frees_unknown, answered("accept_close")),
    Mutant(state.no_compare_and_set, overtaken(stopped("net.connected"))),
    Mutant(state.claims_are_not_unique, overtaken(stopped("planned"), stopped("store.write_plan.after"))),
    Mutant(state.claims_of_the_dead_only, overtaken(stopped("planned"), stopped("store.write_plan.after"))),
    Mutant(state.claimed_one_by_one, dying(killed("sql.COMMIT.after", 4))),
    Mutant(state.dissolve_frees_intents, dying(killed("net.body_sent"))),
    Mutant(state.run_end_frees_unknown, answered("accept_close")),
    Mutant(state.unknown_holds_nothing, answered("accept_close")),
    Mutant(state.rejected_keeps_its_claims, answered("refuse_400")),
    Mutant(state.any_uuid_is_accepted, answered("accept", "accept_older")),
    Mutant(state.record_asks_nobody, overtaken(stopped("net.body_read"), between="released")),
    Mutant(state.renaming_loses_claims, (Run(files=FILES), Run(files=RENAMED))),
    Mutant(wire.quick_retried_on_500, answered("accept_500", files=QUICKLY)),
    Mutant(wire.quick_without_id_is_rejected, answered("accept_no_uuid", files=QUICKLY)),
    Mutant(wire.lost_create_is_rejected, answered("accept_500", files=TO_A_LIST)),
    Mutant(wire.lost_confirm_goes_again, answered("accept", "accept_close", files=TO_A_LIST)),
    Mutant(wire.lost_confirm_is_not_sent, answered("accept", "accept_close", files=TO_A_LIST)),
    Mutant(wire.refused_confirm_is_sent, answered("accept", "refuse_400", files=TO_A_LIST)),
    Mutant(lists.record_says_it_did_not_count, answered("accept", "accept_close", files=TO_A_LIST)),
    Mutant(lists.nobody_looks_before_a_confirm, answered("accept", "accept_close", files=TO_A_LIST)),
    Mutant(lists.any_lost_create_is_made_anew, answered("accept_close", files=TO_A_LIST)),
    Mutant(lists.confirm_without_an_intent, dying(killed("net.body_read", 2), files=TO_A_LIST)),
    Mutant(lists.created_is_sent, answered(files=TO_A_LIST)),
    Mutant(lists.refused_confirm_frees_the_list, answered("accept", "refuse_400", files=TO_A_LIST)),
    Mutant(lists.recovery_makes_drafts_of_confirms, dying(killed("net.body_sent", 2), files=TO_A_LIST)),
    Mutant(lists.inert_drafts_are_confirmed_twice, answered("accept", "accept_close", files=INERT)),
    Mutant(lists.two_runs_confirm_one_draft, overtaken(stopped("net.connected", 2), files=TO_A_LIST)),
)


@dataclass(frozen=True, slots=True)
class Caught:
    """How a mutant was caught: in the how-many-th history, and as what; 0 if it was not."""

    mutant: str
    history: int
    violations: tuple[Violation, ...]


def hunt(mutant: Mutant, stage: Stage, most: int = MOST + 1) -> Caught:
    """Play histories with a broken engine until the checker sees it, at most so many."""
    broken = replace(stage, broken=mutant.install)
    for number, one in enumerate(mutant.histories(), 1):
        if number > most:
            break
        found = check(broken.play(one), dict(one.aliases))
        if found:
            return Caught(mutant.name, number, tuple(found))
    return Caught(mutant.name, 0, ())
