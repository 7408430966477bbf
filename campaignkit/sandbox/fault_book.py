"""Which fault a call meets: rules with their counters."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from campaignkit.sandbox.scenario import Fault


class FaultBook:
    """Counts calls and firings since the server started; threads may share it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(faults)
        self._calls: Counter[str] = Counter()
        self._fired: Counter[int] = Counter()
        self._lock = Lock()

    def pick(self, method: str, names: Callable[[], Iterable[str]]) -> Fault | None:
        """Counts a call and finds the first rule that breaks it.

        Args:
            method: The method called.
            names: The names of the mailings it is about; asked only where a rule wants to know.
        """
        candidates = [(index, fault) for index, fault in enumerate(self._faults) if fault.method == method]
        called = tuple(names()) if any(fault.match for _, fault in candidates) else ()
        with self._lock:
            self._calls[method] += 1
            call = self._calls[method]
            for index, fault in candidates:
                if (
                    (not fault.nth or call in fault.nth)
                    and (fault.times is None or self._fired[index] < fault.times)
                    and (not fault.match or any(fault.match in name for name in called))
                ):
                    self._fired[index] += 1
                    return fault
        return None
