"""Problems of single rows, gathered: the first ones in full, the rest as a number, so that a million stay readable."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from campaignkit.compiler.parts import Fault
from campaignkit.diagnostics import Diagnostic, Place, Severity

MOST_SHOWN = 50
FEW_SHOWN = 5


@dataclass(slots=True)
class Figures:
    """What a mailing's rows came to; `sample` and what follows are the first message, and whose it is."""

    rows: int = 0
    filtered: int = 0
    duplicate: int = 0
    suppressed: int = 0
    live: int = 0
    shortest: int = 0
    longest: int = 0
    characters: int = 0
    hosts: dict[str, int] = field(default_factory=dict)
    sample: str = ""
    sample_link: str = ""
    sample_phone: int = 0

    def link_to(self, hosts: Iterable[str], times: int = 1) -> None:
        """Count so many links to each of these hosts."""
        for host, number in Counter(hosts).items():
            self.hosts[host] = self.hosts.get(host, 0) + number * times


@dataclass(slots=True)
class RowProblems:
    """The row problems of one mailing.

    With `skipping`, bad rows are left out and warned about; else each is an error.
    """

    skipping: bool
    found: list[Diagnostic] = field(default_factory=list)
    invalid: int = 0
    hidden: int = 0

    def take(self, faults: Iterable[Fault], place: Callable[[int, int], Place]) -> None:
        """Rows that can't be sent; of all that ever came, the first in the file are shown."""
        for fault in faults:
            self._bad(fault, place)

    def _bad(self, fault: Fault, place: Callable[[int, int], Place]) -> None:
        self.invalid += 1
        severity = Severity.WARNING if self.skipping else Severity.ERROR
        if len(self.found) >= (FEW_SHOWN if self.skipping else MOST_SHOWN):
            self.hidden += 1
            if _row(self.found[-1]) < fault.row:
                return
            del self.found[-1]
        text = f"{fault.message} (row left out)" if self.skipping else fault.message
        insort(self.found, Diagnostic(severity, fault.code, text, place(fault.line, fault.row), fault.hint), key=_row)

    def closing(self, place: Place) -> list[Diagnostic]:
        """All of it, with one line for those not shown."""
        if self.hidden:
            severity = Severity.WARNING if self.skipping else Severity.ERROR
            self.found.append(Diagnostic(severity, "CK399", f"{self.hidden:,} more rows have problems like these", place))
        return self.found


def _row(problem: Diagnostic) -> int:
    return problem.place.row


@dataclass(slots=True)
class Occurrences:
    """Something that is said once with its count and its first places: odd phones, empty cells, long texts."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def seen(self, row: int) -> None:
        """Once more, in this row."""
        self.count += 1
        if len(self.rows) < FEW_SHOWN:
            self.rows.append(row)

    def where(self) -> str:
        """The first rows, for people."""
        more = ", …" if self.count > len(self.rows) else ""
        return f"{'row' if self.count == 1 else 'rows'} {', '.join(map(str, self.rows))}{more}"


@dataclass(slots=True)
class Tallies:
    """What was met in some rows: phones in no known range, empty cells, long texts, phones with other contents elsewhere."""

    odd: Occurrences = field(default_factory=Occurrences)
    empty: Occurrences = field(default_factory=Occurrences)
    long: Occurrences = field(default_factory=Occurrences)
    clashes: Occurrences = field(default_factory=Occurrences)
