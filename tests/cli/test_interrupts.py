"""Signals by the clock: which is the first, which is its echo, and what each does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from campaignkit.cli.interrupts import ECHO, Interrupts


class Watch:
    """Seconds as a test sets them."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def interrupts(watch: Watch) -> Interrupts:
    return Interrupts(monotonic=watch)


def test_before_anything_is_sent_a_signal_ends_the_command(interrupts: Interrupts, watch: Watch) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupts.handle(signal.SIGINT, None)
    interrupts.handle(signal.SIGINT, None)  # what a wrapper hands on
    watch.now += ECHO
    with pytest.raises(KeyboardInterrupt):
        interrupts.handle(signal.SIGTERM, None)


def test_the_first_stops_the_second_gives_up_the_third_breaks_off(
    interrupts: Interrupts, watch: Watch, capfd: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []
    with interrupts.stopping(lambda: done.append("stop"), lambda: done.append("give up"), "Stopping."):
        interrupts.handle(signal.SIGINT, None)
        watch.now += ECHO - 0.01
        interrupts.handle(signal.SIGINT, None)
        assert done == ["stop"]
        watch.now += 0.01
        interrupts.handle(signal.SIGHUP, None)
        assert done == ["stop", "give up"]
        watch.now += ECHO
        with pytest.raises(KeyboardInterrupt):
            interrupts.handle(signal.SIGINT, None)
        watch.now += ECHO
        interrupts.handle(signal.SIGINT, None)
    assert done == ["stop", "give up"]
    assert capfd.readouterr().err == "Stopping.\n"


def test_an_echo_of_an_echo_counts_from_the_first(interrupts: Interrupts, watch: Watch) -> None:
    """A person who presses again and again is heard, however fast."""
    done: list[str] = []
    with interrupts.stopping(lambda: done.append("stop"), lambda: done.append("give up"), ""):
        for _ in range(4):
            interrupts.handle(signal.SIGINT, None)
            watch.now += ECHO / 2
    assert done == ["stop", "give up"]


def test_afterwards_signals_are_noted_only(interrupts: Interrupts, watch: Watch) -> None:
    with interrupts.stopping(lambda: None, lambda: None, ""):
        pass
    watch.now += 10
    interrupts.handle(signal.SIGINT, None)
    assert interrupts.heard == 1


@pytest.mark.usefixtures("handlers")
def test_waits_end_with_the_first_signal(interrupts: Interrupts) -> None:
    interrupts.listen()
    with interrupts.stopping(lambda: None, lambda: None, "") as clock:
        slept = threading.Thread(target=clock.sleep, args=(3600.0,))
        slept.start()
        signal.raise_signal(signal.SIGTERM)
        slept.join(20)
        assert not slept.is_alive()
        clock.sleep(3600.0)


@pytest.mark.usefixtures("handlers")
def test_a_signal_ends_the_wait_for_an_answer_and_its_echo_does_not(interrupts: Interrupts, watch: Watch) -> None:
    interrupts.listen()
    heard, tell = os.pipe()
    watch.now += 10
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    os.write(tell, b"yes\n")
    interrupts.wait_for(heard)
    assert os.read(heard, 10) == b"yes\n"
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    watch.now += 10
    with pytest.raises(KeyboardInterrupt):
        interrupts.wait_for(heard)
    for end in (heard, tell):
        os.close(end)


@pytest.fixture
def handlers(interrupts: Interrupts) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    tell = signal.set_wakeup_fd(-1)
    for end in (tell, *interrupts._wake):
        os.close(end)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_what_ignores_a_hang_up_goes_on_ignoring_it(interrupts: Interrupts) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupts.listen()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) == interrupts.handle
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    interrupts.listen()
    assert signal.getsignal(signal.SIGHUP) == interrupts.handle


def test_a_terminal_that_has_gone_is_no_reason_to_stop_half_way(interrupts: Interrupts, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(descriptor: int, data: bytes) -> int:
        if descriptor == 2:
            raise OSError(5, "Input/output error")
        return write(descriptor, data)

    write = os.write
    monkeypatch.setattr(os, "write", gone)
    done: list[str] = []
    with interrupts.stopping(lambda: done.append("stop"), lambda: None, "Stopping."):
        interrupts.handle(signal.SIGHUP, None)
    assert done == ["stop"]
