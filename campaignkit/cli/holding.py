"""Getting at the state and the provider for one command: the composition root, where concrete classes are named."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from campaignkit.errors import LockedError, RefusedError, StateError
from campaignkit.model.clock import Clock, SystemClock
from campaignkit.model.settings import Environment

if TYPE_CHECKING:
    from campaignkit.provider.port import Marker, Reader
    from campaignkit.states.lock import Holder, StateLock
    from campaignkit.states.spills import SpillFile
    from campaignkit.states.store import StateReader, Store


@dataclass(slots=True)
class Holding:
    """Where an environment's state is, and how to open it."""

    root: Path
    environment: Environment
    clock: Clock = field(default_factory=SystemClock)
    tell: Callable[[str], None] = lambda _words: None
    """Hears what came to light while the state was opened."""
    _lock: StateLock | None = None

    @property
    def path(self) -> Path:
        """The state's file.

        Raises:
            StateError: The setting is the URL of a store that this version does not know; it is not shown, as it may hold a password.
        """
        if "://" in self.environment.state:
            scheme = self.environment.state.partition("://")[0]
            raise StateError(f"a state in {scheme[:20]} is not supported yet: it must be a file. Nothing was sent.")
        return self.root / self.environment.state

    @property
    def recorded_lineage(self) -> str | None:
        """The lineage that `campaignkit.lock` names; None for the embedded sandbox, or where it names none."""
        if self.environment.is_sandbox:
            return None
        from campaignkit.states.lockfile import read_pins

        entry = read_pins(self.root).get(self.environment.name)
        if entry is not None and entry.origin != self.environment.base_url:
            raise StateError(
                f"campaignkit.lock ties {self.environment.name} to {entry.origin}, but its base_url is {self.environment.base_url}. "
                "Nothing was sent. If the provider's address has changed, campaignkit.lock and the state must say so too."
            )
        return entry.lineage if entry else None

    def ensure_sandbox(self) -> None:
        """The embedded sandbox's state makes itself."""
        if self.environment.is_sandbox and not self.path.exists():
            from campaignkit.states.opening import create

            create(
                self.path,
                environment=self.environment.name,
                origin=self.environment.base_url,
                lineage=new_lineage(),
                at=self.clock.now(),
            )

    def open_reader(self, *, any_age: bool = False) -> StateReader:
        """The state, for looking; `any_age` also opens an older copy, to see what it is.

        Raises:
            StateError: It is missing, damaged or of something else.
        """
        from campaignkit.states.opening import open_reader

        reader = open_reader(self.path, environment=self.environment.name, origin=self.environment.base_url, lineage=self._lineage())
        try:
            if not any_age:
                self._not_rolled_back(reader)
        except BaseException:
            reader.close()
            raise
        return reader

    def open_store(self) -> Store:
        """The state, for changing; take the lock first.

        Raises:
            StateError: It is missing, damaged or of something else.
        """
        from campaignkit.engine.taking_in import take_in
        from campaignkit.states.highwater import marks_folder

        store = self._open_store()
        try:
            take_in(store, elsewhere=marks_folder(), clock=self.clock, tell=self.tell)
        except BaseException:
            store.close()
            raise
        return store

    def _open_store(self) -> Store:
        from campaignkit.states.opening import open_store

        store = open_store(self.path, environment=self.environment.name, origin=self.environment.base_url, lineage=self._lineage())
        try:
            self._not_rolled_back(store)
        except BaseException:
            store.close()
            raise
        return store

    def spill_file(self, store: Store) -> SpillFile:
        """Where the outcomes of a run go that the state can't take; a context manager that reserves the room."""
        from campaignkit.states.highwater import marks_folder
        from campaignkit.states.spills import SpillFile

        return SpillFile(self.path, lineage=store.info().lineage, run=secrets.token_hex(4), elsewhere=marks_folder())

    def _not_rolled_back(self, opened: StateReader) -> None:
        """Refuse an older copy of a state that was used here; the sandbox's may come and go."""
        if self.environment.is_sandbox:
            return
        from campaignkit.states import highwater

        highwater.check(opened.info(), highwater.marks_folder())

    def remember(self, store: Store) -> None:
        """Keep, apart from the state, how far it has come; before the first message of a run leaves."""
        if not self.environment.is_sandbox:
            from campaignkit.states import highwater

            highwater.raise_to(store.info(), highwater.marks_folder())

    def _lineage(self) -> str | None:
        lineage = self.recorded_lineage
        if lineage is None and not self.environment.is_sandbox and self.path.exists():
            raise StateError(
                f"{self.environment.state} stands here, but campaignkit.lock names no state for {self.environment.name}. Nothing was "
                "sent. Restore the committed campaignkit.lock; a state that nobody recorded may be the wrong one."
            )
        return lineage

    @contextlib.contextmanager
    def locked_store(self, command: str, *, timeout: float = 0.0, say: Callable[[str], None] = lambda _text: None) -> Iterator[Store]:
        """The state for changing, with its lock held.

        Args:
            command: What others are told that is being done.
            timeout: Seconds to wait for another run.
            say: Told for whom it waits.

        Raises:
            StateError: It is missing, damaged or of something else.
            LockedError: Another run holds it still.
        """
        self.ensure_sandbox()
        self.open_reader().close()  # what is wrong with the state is said before who holds it
        with self.locked(command, timeout=timeout, say=say):
            store = self.open_store()
            try:
                yield store
            finally:
                # Whatever was decided now is not in any copy made before.
                with contextlib.suppress(StateError):
                    self.remember(store)
                store.close()

    @contextlib.contextmanager
    def locked(self, command: str, *, timeout: float, say: Callable[[str], None]) -> Iterator[None]:
        """The lock of the state alone, whatever stands in its place; arguments and errors as of `locked_store`."""
        from campaignkit.states.lock import StateLock

        lock = StateLock(self.path, clock=self.clock)
        try:
            lock.acquire(timeout, command, waiting=lambda found: say(f"Waiting up to {timeout:g} s for {found}."))
        except LockedError as error:
            raise self._advised(error) from None
        self._lock = lock
        try:
            yield
        finally:
            self._lock = None
            lock.release()

    def _advised(self, error: LockedError) -> LockedError:
        found = self.holder()
        if found is None or not found.id:
            return error
        way = f"campaignkit state unlock {found.id} --env {self.environment.name}"
        return LockedError(f"{error.message} If it is stuck and does nothing any more, take the lock away: {way}")

    def still_ours(self) -> bool:
        """Whether the lock is held, and nobody took it away meanwhile."""
        return self._lock is not None and self._lock.still_ours()

    def demand_lock(self) -> None:
        """To be asked before anything is decided under the lock.

        Raises:
            LockedError: `state unlock` took it away, and another run may be at work.
        """
        if not self.still_ours():
            raise LockedError(
                "the lock was taken away from this run by `state unlock`, so it stops here. Nothing was sent or changed by it."
            )

    def holder(self) -> Holder | None:
        """The living process that holds the lock, if any."""
        from campaignkit.states.lock import holder

        return holder(self.path)

    @contextlib.contextmanager
    def shared_store(self) -> Iterator[Store]:
        """The state for storing statuses beside a running apply: no lock is taken, each poll is its own transaction."""
        store = self.open_store()
        try:
            yield store
        finally:
            store.close()

    @contextlib.contextmanager
    def inbox_store(self) -> Iterator[Store]:
        """The state for keeping callbacks: no lock is taken, and what dead runs left is not taken in, as that decides outcomes."""
        store = self._open_store()
        try:
            yield store
        finally:
            store.close()

    def alive(self) -> bool:
        """Whether a living run holds the state."""
        return self.holder() is not None


def new_lineage() -> str:
    """A random id for a new state."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Reachable:
    """Where the provider is, and the token for it."""

    base_url: str
    token: str
    environment: Environment

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Reads only; nothing that can send."""
        from campaignkit.provider.records import RecordClient

        environment = self.environment
        with RecordClient(
            self.base_url, self.token, token_in=environment.token_in,
            connect_timeout=environment.connect_timeout, read_timeout=environment.deadline,
        ) as client:  # fmt: skip
            yield client

    @contextlib.contextmanager
    def marker(self) -> Iterator[Marker]:
        """Marks replies as read; `inbox ack` alone does."""
        from campaignkit.provider.records import MarkClient

        environment = self.environment
        with MarkClient(
            self.base_url, self.token, token_in=environment.token_in,
            connect_timeout=environment.connect_timeout, read_timeout=environment.deadline,
        ) as client:  # fmt: skip
            yield client


@contextlib.contextmanager
def provider(holding: Holding, token: str) -> Iterator[Reachable]:
    """The provider of an environment; the embedded sandbox runs for as long as the block does.

    Beside the sandbox's state, `NAME.scenario.json` scripts its faults, and `NAME.sandbox` is what it remembers.
    """
    environment = holding.environment
    if not environment.is_sandbox:
        yield Reachable(environment.base_url, token, environment)
        return
    from campaignkit.sandbox.scenario import ScenarioError, load_scenario
    from campaignkit.sandbox.server import EmbeddedServer

    script = holding.path.with_suffix(".scenario.json")
    try:
        scenario = load_scenario(script) if script.exists() else None
    except ScenarioError as error:
        raise RefusedError(f"{script.name}: {error}. Nothing was sent.") from None
    with EmbeddedServer(holding.path.with_suffix(".sandbox"), scenario=scenario) as server:
        yield Reachable(server.url, token, environment)
