"""What a proof counts, and its table: as text for people, as JSON for the documentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from tests.proofs.crash.behaviours import CONFIRM, LIST, QUICK
from tests.proofs.crash.checker import Violation
from tests.proofs.crash.evidence import Event, Evidence


@dataclass
class Tally:
    """Counts over histories of one kind.

    `accepted`, `unknown`: requests; `killed`: processes that died of it; `quick`, `lists`: histories that hold such mailings, by what
    the state knows of them; `drafts`: list mailings made, of which `confirmed` were confirmed.
    """

    histories: int = 0
    concurrent: int = 0
    processes: int = 0
    killed: int = 0
    accepted: int = 0
    unknown: int = 0
    quick: int = 0
    lists: int = 0
    drafts: int = 0
    confirmed: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, label: str, evidence: Evidence, found: Iterable[Violation], *, concurrent: bool) -> None:
        """Count one history; `label` is how to play it again."""
        self.histories += 1
        self.concurrent += concurrent
        self.processes += len(evidence.ends)
        self.killed += sum(end.code is None for end in evidence.ends)
        self.accepted += len({line.n for line in evidence.log if line.event is Event.ACCEPTED})
        self.unknown += sum(request.state == "unknown" for request in evidence.requests)
        methods = {request.method for request in evidence.requests}
        self.quick += QUICK in methods
        self.lists += LIST in methods
        self.drafts += sum(line.event is Event.DRAFTED for line in evidence.log)
        self.confirmed += sum(line.event is Event.ACCEPTED and line.method == CONFIRM for line in evidence.log)
        self.violations += [f"{label}: {violation}" for violation in found]

    def merge(self, other: Tally) -> None:
        """Add the counts of another one."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Figures:
    """All parts of the proof; `mutants`: by name, the number of histories it took to catch it, 0 if it was not."""

    parts: dict[str, Tally] = field(default_factory=dict)
    mutants: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """The part of the engine's histories in which two processes applied at once."""
        engine = self.parts.get("engine", Tally())
        return engine.concurrent / max(1, engine.histories)

    def failures(self) -> list[str]:
        """Everything that the proof must not show."""
        found = [violation for tally in self.parts.values() for violation in tally.violations]
        found += [f"the broken engine {name} was not caught" for name, history in self.mutants.items() if not history]
        if engine := self.parts.get("engine"):
            if self.share < 0.3:
                found.append(f"only {self.share:.0%} of the histories had two processes")
            if not (engine.quick and engine.confirmed):
                found.append("no history had quick messages, or none a confirmed list mailing")
        return found

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "parts": {
                name: asdict(tally) | {"violations": len(tally.violations), "two_processes": tally.concurrent}
                for name, tally in self.parts.items()
            },
            "two_processes_share": round(self.share, 3),
            "mutants": len(self.mutants),
            "mutants_caught": sum(map(bool, self.mutants.values())),
            "mutants_in_first_history": sum(history == 1 for history in self.mutants.values()),
            "seconds": round(self.seconds),
        }

    def table(self) -> str:
        """As Markdown."""
        titles = (
            "histories", "with two processes", "with quick messages", "with lists", "processes killed", "requests accepted",
            "drafts made", "confirmed", "left unknown", "violations",
        )  # fmt: skip
        rows = [f"| part | {' | '.join(titles)} |", f"| --- |{' --: |' * len(titles)}"]
        for name, tally in self.parts.items():
            counts = (
                tally.histories, tally.concurrent, tally.quick, tally.lists, tally.killed, tally.accepted, tally.drafts,
                tally.confirmed, tally.unknown, len(tally.violations),
            )  # fmt: skip
            rows.append(f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |")
        caught = sum(map(bool, self.mutants.values()))
        return "\n".join(rows) + f"\n\nBroken engines caught: {caught} of {len(self.mutants)}. {self.seconds:,.0f} seconds."
