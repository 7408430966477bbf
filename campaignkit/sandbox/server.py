"""Running the sandbox: inside a `with` block, or as a command until it is told to stop."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TextIO

from campaignkit.sandbox.app import App, Seen
from campaignkit.sandbox.callbacks import CallbackPoster
from campaignkit.sandbox.desk import Desk
from campaignkit.sandbox.ledger import Ledger
from campaignkit.sandbox.loopback import HOST, LoopbackServer
from campaignkit.sandbox.scenario import Scenario, load_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

# How long ending may go unnoticed by the accepting loop; connections themselves wake it at once.
_POLL = 0.02
_ENDS = {signal.SIGINT, signal.SIGTERM}


class EmbeddedServer:
    """The sandbox on a real loopback socket, in a thread, for the length of a `with` block.

    Args:
        data: The file that remembers what was accepted; none forgets it at the end.
        seed: Who reads when; the scenario's own where it is absent.
        clock: Seconds since the epoch; statuses advance by it.
        scenario: What shall go wrong.
        strict: Refuse what the documentation doesn't allow; otherwise as the scenario says.
        port: 0 for any free one.

    Raises:
        JournalError: The data file is no data file of the sandbox.
        PortError: The port is taken. Both come on entering the block.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
        scenario: Scenario | None = None,
        strict: bool = False,
        port: int = 0,
    ) -> None:
        self._data = data
        self._scenario = scenario or Scenario()
        if seed is not None:
            self._scenario = replace(self._scenario, seed=seed)
        if strict:
            self._scenario = replace(self._scenario, strict=True)
        self._clock = clock
        self._port = port
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self._require().server.port}"

    @property
    def ledger(self) -> Ledger:
        """What it accepted."""
        return self._require().ledger

    @property
    def seen(self) -> list[Seen]:
        """The calls since it started, and where the token of each stood."""
        return self._require().app.seen

    def __enter__(self) -> Self:
        if self._running is not None:
            raise RuntimeError("the sandbox is running already")
        self._running = _Running(Ledger(self._data), self._scenario, self._clock, self._port)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        running, self._running = self._require(), None
        running.stop()

    def _require(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the sandbox is not running")
        return self._running


class _Running:
    """A started server; owns the ledger from the beginning."""

    def __init__(self, ledger: Ledger, scenario: Scenario, clock: Callable[[], float], port: int) -> None:
        self.ledger = ledger
        self._stopping = threading.Event()
        self._callbacks = CallbackPoster() if scenario.callbacks else None
        try:
            desk = Desk(ledger, scenario, clock, self._callbacks)
            self.app = App(desk, self._stopping.wait)
            self.server = LoopbackServer(self.app, port)
            self._thread = threading.Thread(target=self.server.serve_forever, args=(_POLL,), name="sandbox", daemon=True)
            self._thread.start()
        except BaseException:
            self._end_callbacks()
            ledger.close()
            raise

    def stop(self) -> None:
        self._stopping.set()
        self.server.shutdown()
        self._thread.join()
        self.server.finish()
        self._end_callbacks()
        self.ledger.close()

    def _end_callbacks(self) -> None:
        if self._callbacks is not None:
            self._callbacks.stop()


def serve(
    port: int,
    data: Path | None,
    scenario: Path | None,
    *,
    strict: bool = False,
    stream: TextIO,
    stop: threading.Event | None = None,
) -> None:
    """Serves until SIGINT, SIGTERM or `stop`, then ends cleanly.

    Args:
        port: 0 for any free one.
        data: The file that remembers what was accepted; none forgets it at the end.
        scenario: The file that says what shall go wrong.
        strict: Refuse what the documentation doesn't allow; otherwise as the scenario says.
        stream: Gets one line that ends in the URL, as soon as it listens.
        stop: Ends it from another thread; signals are left alone then.

    Raises:
        ScenarioError: The scenario file is wrong.
        JournalError: The data file is no data file of the sandbox.
        PortError: The port is taken.
    """
    unusual = load_scenario(scenario) if scenario is not None else None
    with _held_back() if stop is None else nullcontext(), EmbeddedServer(data, scenario=unusual, strict=strict, port=port) as server:
        print(f"sandbox, nobody is messaged: {server.url}", file=stream, flush=True)
        if stop is None:
            signal.sigwait(_ENDS)
        else:
            stop.wait()


@contextmanager
def _held_back() -> Iterator[None]:
    """Signals wait to be asked for: a handler runs in the main thread alone, which may sleep while another one gets the signal."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
