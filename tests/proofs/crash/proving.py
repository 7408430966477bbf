"""The whole proof, in pieces that several processes work off."""

from __future__ import annotations

import multiprocessing
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import NamedTuple

from campaignkit.errors import CampaignKitError
from tests.proofs.crash.checker import check
from tests.proofs.crash.commands import CommandStage, command_history
from tests.proofs.crash.driving import Stage
from tests.proofs.crash.evidence import Evidence
from tests.proofs.crash.exhaustive import ROWS, cells
from tests.proofs.crash.figures import Figures, Tally
from tests.proofs.crash.histories import history
from tests.proofs.crash.mutants import MUTANTS, hunt
from tests.proofs.crash.rooms import fast_folder
from tests.proofs.crash.upstream import Upstream

PARTS = ("engine", "exhaustive", "commands", "mutants")
_PIECE = {"engine": 50, "exhaustive": 1, "commands": 5, "mutants": 1}


class Piece(NamedTuple):
    """Some histories of one part: by seed, by row of the exhaustive part, by mutant."""

    part: str
    start: int
    stop: int


class Done(NamedTuple):
    """What came of a piece; `caught` only of a mutant."""

    piece: Piece
    tally: Tally
    caught: dict[str, int]


def pieces(amounts: dict[str, int], first: int) -> Iterator[Piece]:
    """The work, the slowest first: so many seeds of engine and commands, beginning with `first`; all rows and mutants."""
    for part in ("commands", "exhaustive", "mutants", "engine"):
        amount = amounts.get(part, 0)
        begin = first if part in {"engine", "commands"} else 0
        for start in range(begin, begin + amount, _PIECE[part]):
            yield Piece(part, start, min(start + _PIECE[part], begin + amount))


def everything(histories: int, commands: int) -> dict[str, int]:
    """How much there is of each part."""
    return {"engine": histories, "exhaustive": len(ROWS), "commands": commands, "mutants": len(MUTANTS)}


class Worker:
    """One process's share: a provider of its own, folders of its own."""

    def __init__(self, upstream: Upstream, folder: Path) -> None:
        self._stage = Stage(upstream, folder / "states")
        self._folder, self._upstream = folder, upstream
        self._commands: CommandStage | None = None

    def work(self, piece: Piece) -> Done:
        """Play one piece."""
        tally = Tally()
        if piece.part == "mutants":
            mutant = MUTANTS[piece.start]
            return Done(piece, tally, {mutant.name: hunt(mutant, self._stage).history})
        if piece.part == "commands":
            self._commands = self._commands or CommandStage(self._upstream, self._folder / "command")
            for seed in range(piece.start, piece.stop):
                runs = command_history(seed)
                two = any(len(run.strikes) > 1 for run in runs)
                _count(tally, f"--command-seed {seed}", partial(self._commands.play, runs), {}, concurrent=two)
            return Done(piece, tally, {})
        if piece.part == "exhaustive":
            ones = (("--cell {1} {2} {3}".format(*one.name.split("-")), one) for one in cells(self._stage, *ROWS[piece.start]))
        else:
            ones = ((f"--seed {seed}", history(seed)) for seed in range(piece.start, piece.stop))
        for label, one in ones:
            _count(tally, label, partial(self._stage.play, one), dict(one.aliases), concurrent=one.concurrent)
        return Done(piece, tally, {})


def _count(tally: Tally, label: str, play: Callable[[], Evidence], aliases: dict[str, str], *, concurrent: bool) -> None:
    """Play one history, check it, count it; one that hangs or can't be played is a violation, too."""
    try:
        evidence = play()
    except (OSError, CampaignKitError, subprocess.TimeoutExpired) as error:
        tally.violations.append(f"{label}: it broke down: {error!r}")
        return
    tally.add(label, evidence, check(evidence, aliases), concurrent=concurrent)


@contextmanager
def worker() -> Iterator[Worker]:
    """A worker with its provider."""
    with fast_folder() as folder, Upstream(folder / "log") as upstream:
        yield Worker(upstream, folder)


def prove(amounts: dict[str, int], first: int, workers: int) -> Iterator[Done]:
    """Work everything off; yields each piece as it is done. A worker that breaks down ends the proof with an error."""
    context = multiprocessing.get_context("fork")
    # Queues without threads: a process that forks histories must have none.
    todo: SimpleQueue[Piece | None] = context.SimpleQueue()
    done: SimpleQueue[Done | str] = context.SimpleQueue()
    processes = [context.Process(target=_serve, args=(todo, done)) for _ in range(workers)]
    for process in processes:
        process.start()
    work = list(pieces(amounts, first))
    for piece in (*work, *[None] * workers):
        todo.put(piece)
    for _ in work:
        said = done.get()
        if isinstance(said, str):
            raise RuntimeError(said)  # noqa: TRY004 - the worker's own words, not a wrong type
        yield said
    for process in processes:
        process.join()


def _serve(todo: SimpleQueue[Piece | None], done: SimpleQueue[Done | str]) -> None:
    with worker() as one:
        while (piece := todo.get()) is not None:
            try:
                done.put(one.work(piece))
            except Exception as error:  # noqa: BLE001 - the parent must hear of it, whatever it is
                done.put(f"{piece}: {error!r}")
                return


def collect(figures: Figures, done: Done) -> None:
    """Add a piece to the figures."""
    if done.piece.part == "mutants":
        figures.mutants |= done.caught
    else:
        figures.parts.setdefault(done.piece.part, Tally()).merge(done.tally)
