"""The thirteen totals that account for everyone (invariant 10 of the design)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Counts:
    """People by what becomes of them, in the order in which the first match wins; `requests` apart.

    The one mutable record of the model: a plan counts millions of rows into it.
    """

    rows: int = 0
    filtered: int = 0
    invalid: int = 0
    duplicate: int = 0
    suppressed: int = 0
    sent: int = 0
    edited: int = 0
    rejected: int = 0
    unknown: int = 0
    abandoned: int = 0
    late: int = 0
    resend: int = 0
    send: int = 0
    requests: int = 0

    @property
    def accounted(self) -> int:
        """Everyone named by one of the reasons; equals `rows` in every report."""
        everything: int = sum(getattr(self, f.name) for f in fields(self))
        return everything - self.rows - self.requests

    @property
    def to_send(self) -> int:
        """Whom an apply would message."""
        return self.send + self.resend

    def as_dict(self) -> dict[str, int]:
        """The counts by their names, in the order of the contract."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def total(parts: Iterable[Counts]) -> Counts:
    """The sum of several counts."""
    result = Counts()
    for part in parts:
        for name, number in part.as_dict().items():
            setattr(result, name, getattr(result, name) + number)
    return result
