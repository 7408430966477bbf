"""One apply from the lock to the receipt: what the apply command does once its words are understood."""

from __future__ import annotations

import contextlib
import random
import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import click

from campaignkit.cli.options import Common

if TYPE_CHECKING:
    from decimal import Decimal

    from campaignkit.cli.holding import Holding
    from campaignkit.cli.project import Opened
    from campaignkit.engine.applier import Applied
    from campaignkit.engine.planner import PlanJob
    from campaignkit.engine.sending import Ready, Sent
    from campaignkit.engine.spool import Spool
    from campaignkit.model.outcomes import SendResult
    from campaignkit.plans.plan import Plan
    from campaignkit.plans.planfile import SavedPlan
    from campaignkit.protocol.messages import CampaignHead
    from campaignkit.provider.port import Reader
    from campaignkit.states.records import Recovered
    from campaignkit.states.store import Store


_STOPPING = "Stopping: the request in flight is finished first. Once more gives it up; its people are then unknown."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the operator said on the command line; `named`: which campaigns; `accept` as written, to be shown again."""

    saved: SavedPlan | None
    named: bool
    accept: tuple[str, ...]
    auto_approve: bool
    retry_rejected: bool
    reveal: bool
    lock_timeout: float
    form: str
    confirm: bool = True
    """Whether list mailings are confirmed, too, or left as drafts."""
    only: str = ""
    """CAMPAIGN/MAILING whose draft is to be confirmed, and nothing else to be sent."""


class ApplyRun:
    """One apply, from the lock to the receipt; or one confirm, which is the last step of an apply that stopped before it."""

    def __init__(self, common: Common, opened: Opened, heads: list[CampaignHead], spool: Spool, asked: Asked) -> None:
        from campaignkit.cli.holding import Holding

        self.common, self.console, self.opened, self.heads = common, common.console, opened, heads
        self.spool, self.asked, self.saved = spool, asked, asked.saved
        self.holding: Holding = Holding(common.project, opened.environment, tell=common.console.warn)

    def execute(self) -> int:
        """Plan under the lock, check, ask, send; returns the exit code."""
        from campaignkit.cli.secrets import read_token
        from campaignkit.errors import CampaignKitError, LockedError

        with contextlib.ExitStack() as stack:
            try:
                self._refuse_drafts()
                self._refuse_unnamed_sandbox()
                token = read_token(self.opened.environment)
                store = stack.enter_context(self.holding.locked_store(self.command, timeout=self.asked.lock_timeout, say=self.console.warn))
            except CampaignKitError as error:
                self.definitions_first()
                waits = " --lock-timeout 10m" if isinstance(error, LockedError) else ""
                error.next_command = error.next_command or self._again() + waits
                raise
            return self._under_lock(store, token)

    @property
    def command(self) -> str:
        """Which of the two it is."""
        return "confirm" if self.asked.only else "apply"

    def _refuse_drafts(self) -> None:
        from campaignkit.errors import RefusedError

        drafts = [head.campaign for head in self.heads if head.lifecycle == "draft"]
        if self.asked.named and drafts and not self.opened.environment.is_sandbox:
            raise RefusedError(f"{', '.join(drafts)}: a draft is sent to the sandbox only; say lifecycle: active. Nothing was sent.")

    def _refuse_unnamed_sandbox(self) -> None:
        from campaignkit.errors import RefusedError

        if self.opened.environment.is_sandbox and not self.opened.named and not self.console.interactive and self.saved is None:
            raise RefusedError(
                "no environment was named, so this would only reach the embedded sandbox, where nobody is messaged. Nothing was sent.",
                next_command=f"{self._again()} --env {self.opened.environment.name}",
            )

    def definitions_first(self) -> None:
        """The order of checks: what authors must fix is said before what the operator lacks."""
        from campaignkit.errors import DefinitionError

        front = self.opened.front
        for _ in front.run([head.path for head in self.heads], environment=self.opened.environment.name, check=True):
            pass
        if front.failed:
            raise DefinitionError(front.diagnostics)

    def _under_lock(self, store: Store, token: str) -> int:
        from campaignkit.plans.gates import check, parse_accepts
        from campaignkit.plans.planfile import check_same
        from campaignkit.reports.diagnostics import text

        if self.opened.environment.is_sandbox:
            self.console.sandbox()
        self._say_recovered(store.recover(self.holding.clock.now()))
        self._settle(store, token)
        if self.opened.environment.provider.drafts_are_inert and not self.asked.only:
            self._discard(store)
        job = self._plan_job(store)
        plan = job.run(meanwhile=_import_what_sends)
        if self.asked.only:
            from campaignkit.engine.confirming import one_draft

            plan, job.batches = one_draft(plan, self.asked.only), []
        if self.opened.front.diagnostics:
            click.echo(text(self.opened.front.diagnostics), err=True, nl=False)
        if self.saved is not None:
            check_same(self.saved, plan, self.holding.clock.now())
        self._show_or_stop(plan)
        accepts = parse_accepts(self.asked.accept)
        check(plan, accepts, self._again())
        if not self._work(plan):
            return self._finish(store, plan, None)
        self._approve(plan)
        return self._send(store, token, plan, job, accepts)

    def _work(self, plan: Plan) -> int:
        """Deliveries that this run has something to do for: a draft that is not to be confirmed is left as it is."""
        from campaignkit.engine.applier import waiting

        return plan.counts.to_send - (0 if self.asked.confirm else len(waiting(plan)))

    def _discard(self, store: Store) -> None:
        if refs := store.discard_drafts(self.holding.clock.now()):
            self.console.warn(f"{', '.join(refs)}: the answer to the create was lost; drafts are inert, so that another one is made.")

    def _carry_over(self, store: Store, plan: Plan) -> None:
        from campaignkit.engine.history import moves
        from campaignkit.model.mailings import MailingKey

        sent = {campaign.campaign for campaign in plan.campaigns}
        for head in self.heads:
            if head.campaign not in sent:
                continue  # a draft moves nothing
            for name, olds in moves(head).items():
                revision = next(mailing.revision for mailing in head.mailings if mailing.name == name)
                for old in olds:
                    store.carry_over(old, MailingKey(head.campaign, revision, name), self.holding.clock.now())

    def _plan_job(self, store: Store) -> PlanJob:
        from campaignkit.engine.planner import PlanJob

        opened = self.opened
        return PlanJob(
            front=opened.front, project=opened.project, environment=opened.environment, index=opened.index, heads=self.heads,
            reader=store, now=self.holding.clock.now(), retry_rejected=self.asked.retry_rejected, spool=self.spool,
        )  # fmt: skip

    def _say_recovered(self, recovered: Recovered) -> None:
        if recovered.unknown_requests or recovered.freed_people:
            from campaignkit.cli.receipt import recovery_words

            for words in recovery_words(recovered):
                self.console.warn(words)

    def _settle(self, store: Store, token: str) -> None:
        """Before planning: who turns out to be accepted is no longer unknown."""
        from campaignkit.cli.settling import reader_when_asked, records, settle

        with reader_when_asked(self.holding, token) as reader:
            settled = settle(self.holding, store, reader, self.console, locked=True)
        if self.asked.form == "json":
            for record in records(settled):
                self.console.record(record)

    def _show_or_stop(self, plan: Plan) -> None:
        from campaignkit.errors import RefusedError

        try:
            self._show(plan)
        except OSError:
            raise RefusedError("nobody reads the plan: the output is closed. Nothing was sent.") from None

    def _show(self, plan: Plan) -> None:
        if self.asked.form == "json":
            from campaignkit.reports.plan_json import plan_document

            self.console.record({"type": "plan"} | plan_document(plan))
        else:
            from campaignkit.reports.plan_text import plan_text

            self.console.data(plan_text(plan, reveal=self.asked.reveal, verbose=self.console.verbosity > 0))
            self.console.flush()

    def _approve(self, plan: Plan) -> None:
        from campaignkit.errors import RefusedError
        from campaignkit.reports.plan_text import whom

        if self.asked.auto_approve:
            return
        if not self.console.interactive:
            message = f"{whom(plan)} would be messaged, and nobody approved it. Nothing was sent."
            raise RefusedError(message, next_command=f"{self._again()} --auto-approve")
        where = plan.environment.name
        question = f"Send to {whom(plan)} in {where}? Only 'yes' sends"
        if self.console.ask(question) != "yes":
            raise RefusedError("Not approved. Nothing was sent.", next_command=self._again())

    def _send(self, store: Store, token: str, plan: Plan, job: PlanJob, accepts: dict[str, Decimal]) -> int:
        from campaignkit.cli.holding import provider
        from campaignkit.cli.interrupts import CURRENT
        from campaignkit.cli.progress import bar_of
        from campaignkit.cli.receipt import request_record, spill_words
        from campaignkit.cli.sending import sender
        from campaignkit.engine.applier import ApplyJob
        from campaignkit.engine.sending import StopFlag
        from campaignkit.plans.gates import allowed
        from campaignkit.states.spills import Spilled

        stop = StopFlag()
        self.holding.demand_lock()
        self._carry_over(store, plan)

        def raise_flag() -> None:
            stop.requested = True

        with self.holding.spill_file(store) as spills, provider(self.holding, token) as reachable, contextlib.ExitStack() as readers:
            sending = sender(reachable)
            with (
                CURRENT.stopping(raise_flag, sending.give_up, _STOPPING) as clock,
                bar_of(self.console, plan.counts.to_send, "sending") as advance,
            ):

                @cache
                def reader() -> Reader:
                    return readers.enter_context(reachable.reader())

                def tell(sent: Sent) -> None:
                    advance(sent.people)
                    if self.asked.form == "json":
                        self.console.record(request_record(sent))

                def spill(ready: Ready, attempt: int, result: SendResult) -> None:
                    kept = spills.keep(Spilled(ref=ready.ref, attempt=attempt, result=result, at=self.holding.clock.now()))
                    self.console.error(spill_words(ready, result, kept))

                applied = ApplyJob(
                    plan=plan, batches=job.batches, spool=self.spool, store=store, sender=sending, clock=clock,
                    entropy=secrets.token_bytes, chance=random.Random()  # noqa: S311 - jitter, no secret
                    , token=token, stop=stop, tell=tell, spill=spill, claimed=lambda: self.holding.remember(store),
                    still_ours=self.holding.still_ours, confirm=self.asked.confirm, reader=reader, allowed=allowed(plan, accepts),
                    command=self.command,
                ).run()  # fmt: skip
            return self._finish(store, plan, applied)

    def _finish(self, store: Store, plan: Plan, applied: Applied | None) -> int:
        """The receipt and the exit code: what the state holds for these campaigns counts, also from earlier runs."""
        from campaignkit.cli.exit_codes import ExitCode, worst
        from campaignkit.cli.receipt import Open, receipt
        from campaignkit.engine.applier import Applied
        from campaignkit.engine.overview import left_open
        from campaignkit.errors import StateError

        done = applied or Applied()
        unknown = refused = 0
        try:
            unknown, refused = left_open(store, [head.campaign for head in self.heads])
        except StateError as error:
            done.broken = done.broken or error.message
        still = Open(unknown=max(unknown, done.unknown, plan.counts.unknown), refused=max(refused, plan.counts.rejected))
        with contextlib.suppress(OSError):  # a closed output changes nothing about what happened
            if self.asked.form == "json":
                self.console.record(done.summary() | ({"sandbox": True} if plan.environment.is_sandbox else {}))
            receipt(self.console, plan, done, still, again=self._again())
        code = worst(
            unknown=bool(still.unknown),
            interrupted=done.interrupted,
            rejected=bool(done.rejected or still.refused),
            incomplete=bool(done.not_sent > done.held_people or done.throttled or done.broken),
        )
        return ExitCode.REFUSED if code == ExitCode.DONE and done.held else code

    def _again(self) -> str:
        """The command that was run, to be run again."""
        words = ["campaignkit", self.command]
        if self.asked.only:
            words += [self.asked.only]
        elif self.saved is not None:
            words += ["--plan", self.saved.path]
        else:
            words += [head.campaign for head in self.heads if len(self.heads) < len(self.opened.index.campaigns)]
        if self.opened.named or not self.opened.environment.is_sandbox:
            words += ["--env", self.opened.environment.name]
        words += ["--retry-rejected"] if self.asked.retry_rejected and self.saved is None else []
        words += ["--auto-approve"] if self.asked.auto_approve else []
        words += [] if self.asked.confirm else ["--no-confirm"]
        words += [word for accepted in self.asked.accept for word in ("--accept", accepted)]
        return " ".join(words)


def _import_what_sends() -> None:
    """Load the send path while the front child is busy: it costs tens of milliseconds, and the child has the other core."""
    import campaignkit.cli.sending
    import campaignkit.engine.applier  # noqa: F401
