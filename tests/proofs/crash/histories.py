"""One history as data: what the files say, what the provider does, what befalls whom. One integer makes one history."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from tests.proofs.crash.behaviours import BEHAVIOURS, BULK, LIST, QUICK, READS
from tests.proofs.crash.evidence import Key
from tests.proofs.crash.failpoints import CALM, Act, Strike

CAMPAIGN = "spring"
FIRST_PHONE = 375_291_000_000
LIST_PHONES = (0,)
_QUICK_SHARE, _LIST_SHARE = 0.25, 0.15

# Some behaviours end a run, some are what a real provider does all day: the weights keep histories long and odd.
_WEIGHTS = {"accept": 22, "accept_silent": 1, "accept_drip": 1, "refuse_403": 1, "refuse_404": 1, "throttle_429": 4, "accept_older": 3}
_NAMES = tuple(BEHAVIOURS)
_ODDS = tuple(_WEIGHTS.get(name, 2) for name in _NAMES)

_POINTS = (
    "store.recover.before", "store.recover.after", "store.carry_over.after", "store.begin_run.after", "store.write_plan.before",
    "store.write_plan.after", "sql.row", "send.before", "net.connect.before", "net.connected", "intent.before", "store.mark_intent.before",
    "sql.COMMIT.before", "sql.COMMIT.after", "store.mark_intent.after", "intent.after", "net.first_byte.before", "net.half_body",
    "net.body_sent", "net.status_line", "net.body_read", "net.close.before", "send.after", "store.record.before", "store.record.after",
    "store.dissolve.before", "store.dissolve.after", "store.end_run.before", "store.end_run.after", "store.close.before",
    "sql.PRAGMA_wal_checkpoint(FULL).before", "sql.PRAGMA_journal_mode.before", "sql.close.before", "store.close.after",
    "lock.acquired", "lock.released", "planned", "read.before", "read.after", "store.note_draft.before", "store.note_draft.after",
    "store.resolve.before", "store.resolve.after", "store.discard_drafts.before", "store.discard_drafts.after",
)  # fmt: skip


_ON_THE_WIRE = ("net.", "send.", "intent.after")
"""Points at which no transaction is open (of one request at a time), so that a person can decide meanwhile."""


@dataclass(frozen=True, slots=True)
class MailingFile:
    """One mailing of the project's files; `text` is a version of its words. A list of the provider counts as the phone 0."""

    name: str
    phones: tuple[int, ...]
    text: int = 1
    moved_from: str = ""
    method: str = BULK


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the project's files say during one run."""

    mailings: tuple[MailingFile, ...]
    batch_size: int = 3
    first_batch: int = 2
    batches_per_request: int = 1
    in_flight: int = 1
    stop_rules: bool = False
    inert: bool = False

    def has(self, method: str) -> bool:
        """Whether a mailing is sent so."""
        return any(one.method == method for one in self.mailings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One apply, or two at once.

    Attributes:
        files: What they apply.
        script: How the provider treats the next requests; then it accepts.
        reads: How it answers the next questions about quick messages and lists; then it says the truth.
        confirm: Whether drafts are confirmed, too.
        refresh: Whether somebody asks for all statuses before it.
        strikes: What befalls each process; as many processes as strikes.
        locked: Whether they take the lock of the state.
        in_turn: The second begins when the first has stopped or died, or after `gap`; otherwise both begin at once.
        gap: Seconds.
        woken: Whether a stopped process goes on once the other has ended; else it is killed then.
        down: The provider can't be reached.
        answer: What a person says before the run about one unknown request: nothing, released, abandoned, accepted.
        between: What a person says while the first process is stopped; the second begins after that.
        faultless: Nothing befalls anybody, and nothing may be left over.
    """

    files: Files
    script: tuple[str, ...] = ()
    strikes: tuple[Strike, ...] = (CALM,)
    locked: bool = True
    in_turn: bool = False
    gap: float = 0.0
    woken: bool = True
    down: bool = False
    answer: str = ""
    between: str = ""
    faultless: bool = False
    reads: tuple[str, ...] = ()
    confirm: bool = True
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Runs one after another on one state. `aliases`: by the later name of a mailing, its first."""

    name: str
    runs: tuple[Run, ...]
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def concurrent(self) -> bool:
        """Whether two processes apply at once somewhere in it."""
        return any(len(run.strikes) > 1 for run in self.runs)

    @property
    def wanted(self) -> frozenset[Key]:
        """Whom the files name at the end."""
        return self._keys(self.runs[-1].files.mailings)

    @property
    def edited(self) -> frozenset[Key]:
        """Who would get other words at the end than at first."""
        return self._keys(tuple(one for one in self.runs[-1].files.mailings if one.text > 1))

    @property
    def inert(self) -> bool:
        """Whether lost creates may be made anew."""
        return self.runs[0].files.inert

    def has(self, method: str) -> bool:
        """Whether a mailing is sent so somewhere in it."""
        return any(run.files.has(method) for run in self.runs)

    def _keys(self, mailings: tuple[MailingFile, ...]) -> frozenset[Key]:
        aliases = dict(self.aliases)
        return frozenset(Key(CAMPAIGN, aliases.get(one.name, one.name), phone) for one in mailings for phone in one.phones)


def settle(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """The same with two faultless runs behind: the first settles all, the second must send nothing."""
    calm = Run(files=runs[-1].files, faultless=True)
    return (*runs, calm, calm)


def history(seed: int) -> History:
    """The history of a seed."""
    chance, other = random.Random(seed), random.Random(f"methods of {seed}")
    files = _in_other_ways(other, _files(chance))
    runs: list[Run] = []
    for number in range(chance.choice((1, 1, 2, 2, 3, 3, 4, 5))):
        if number:
            files = _edited(chance, files)
        runs.append(_asked(other, _run(chance, files, first=not number)))
    aliases = tuple((one.name, one.moved_from) for one in files.mailings if one.moved_from)
    return History(f"s{seed}", settle(tuple(runs)), aliases)


def _files(chance: random.Random) -> Files:
    names = ("invitation", "reminder")[: chance.choice((1, 1, 2))]
    return Files(
        mailings=tuple(MailingFile(name, tuple(range(FIRST_PHONE, FIRST_PHONE + chance.randint(2, 9)))) for name in names),
        batch_size=chance.randint(1, 5),
        first_batch=chance.randint(1, 3),
        batches_per_request=chance.choice((1, 1, 2)),
        in_flight=chance.choice((1, 1, 1, 3)),
        stop_rules=chance.random() < 0.25,
    )


def _in_other_ways(chance: random.Random, files: Files) -> Files:
    """A quarter of the histories hold quick mailings, 15 in 100 mailings to lists; some of bulk beside them, or of the other kind."""
    draw = chance.random()
    if draw >= _QUICK_SHARE + _LIST_SHARE:
        return files
    first = QUICK if draw < _QUICK_SHARE else LIST
    methods = (first, chance.choice((first, first, BULK, QUICK)))
    mailings = tuple(_sent_by(one, method) for one, method in zip(files.mailings, methods, strict=False))
    return replace(files, mailings=mailings, inert=chance.random() < 0.4)


def _sent_by(one: MailingFile, method: str) -> MailingFile:
    phones = {BULK: one.phones, QUICK: one.phones[:4], LIST: LIST_PHONES}[method]
    return replace(one, method=method, phones=phones)


def _asked(chance: random.Random, run: Run) -> Run:
    """What a run has beside its sends, where something can be asked about them."""
    files = run.files
    if not (files.has(QUICK) or files.has(LIST)):
        return run
    reads = tuple(chance.choices(READS, (6, 3, 2, 1, 1, 1, 1, 1, 1, 1), k=chance.randint(0, 6)))
    return replace(run, reads=reads, confirm=chance.random() < 0.85, refresh=chance.random() < 0.15)


def _edited(chance: random.Random, files: Files) -> Files:
    kind = chance.choice(("none", "none", "size", "more", "fewer", "text", "rename", "stop_rules"))
    if kind == "size":
        return replace(files, batch_size=chance.randint(1, 5), batches_per_request=chance.choice((1, 2)), in_flight=chance.choice((1, 3)))
    if kind == "stop_rules":
        return replace(files, stop_rules=not files.stop_rules)
    at = chance.randrange(len(files.mailings))
    old = files.mailings[at]
    new = old
    if kind in {"more", "fewer"} and old.method == LIST:
        return files
    if kind == "more":
        new = replace(old, phones=(*old.phones, *range(max(old.phones) + 1, max(old.phones) + 1 + chance.randint(1, 4))))
    elif kind == "fewer" and len(old.phones) > 1:
        new = replace(old, phones=old.phones[chance.randint(0, 1) :])
    elif kind == "text":
        new = replace(old, text=old.text + 1)
    elif kind == "rename" and not old.moved_from:
        new = replace(old, name=f"{old.name}-2", moved_from=old.name)
    return replace(files, mailings=(*files.mailings[:at], new, *files.mailings[at + 1 :]))


def _run(chance: random.Random, files: Files, *, first: bool) -> Run:
    script = tuple(chance.choices(_NAMES, _ODDS, k=chance.randint(0, 8)))
    two = chance.random() < 0.22
    in_turn = chance.random() < 0.6
    strikes = tuple(_strike(chance, alone=not two) for _ in range(2 if two else 1))
    if two and in_turn and chance.random() < 0.7:
        strikes = (replace(_named(chance), act=Act.STOP), strikes[1])
    locked = chance.random() < 0.4
    between = ""
    if strikes[0].act is Act.STOP and strikes[0].point.startswith(_ON_THE_WIRE) and not locked and files.in_flight == 1:
        between = chance.choice(("", "", "released", "abandoned", "accepted"))
    answer = "" if first else chance.choices(("", "released", "abandoned", "accepted"), (8, 2, 1, 1))[0]
    return Run(
        files=files, script=script, strikes=strikes, locked=locked, in_turn=in_turn, gap=chance.uniform(0, 0.03),
        woken=chance.random() < 0.85, down=chance.random() < 0.03, answer=answer, between=between,
    )  # fmt: skip


def _strike(chance: random.Random, *, alone: bool) -> Strike:
    draw = chance.random()
    if draw < (0.1 if alone else 0.35):
        return CALM
    if draw < 0.5:
        return Strike(Act.KILL, after=chance.uniform(0.001, 0.045))
    if draw < 0.75:
        return Strike(Act.KILL, at=chance.randint(1, 160))
    return _named(chance)


def _named(chance: random.Random) -> Strike:
    return Strike(Act.KILL, point=chance.choice(_POINTS), nth=1 + min(int(chance.expovariate(0.7)), 9))
