"""Rules for every test: no network but loopback, no settings from outside."""

from __future__ import annotations

import ipaddress
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.canary import leaking_files

# `make test` takes a sample, `make fuzz` looks for longer; the machine may be busy, so that no example has a deadline.
_CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("quick", deadline=None, max_examples=100, suppress_health_check=_CHECKS)
settings.register_profile("long", deadline=None, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "20000")), suppress_health_check=_CHECKS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

_connect = socket.socket.connect
_leaks = pytest.StashKey[list[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Whatever the tests left behind (states, outputs, marks, sandbox data) holds the token in no form; else the run fails."""
    found = session.config.stash.setdefault(_leaks, [])
    worker = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker["leaks"] = list(leaking_files(_left_behind(session.config)))
        return
    if not getattr(session.config.option, "dist", None) or session.config.option.dist == "no":
        found += leaking_files(_left_behind(session.config))
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker of pytest-xdist found."""
    node.config.stash.setdefault(_leaks, []).extend(getattr(node, "workeroutput", {}).get("leaks", []))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the token got to."""
    if found := config.stash.get(_leaks, []):
        terminalreporter.section("the token of the tests leaked", red=True, bold=True)
        for line in found:
            terminalreporter.write_line(line)


def _left_behind(config: pytest.Config) -> Path:
    folder: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # pytest has no public way
    return folder


def _loopback_only(self: socket.socket, address: Any) -> None:
    if self.family in {socket.AF_INET, socket.AF_INET6}:
        host = address[0]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"a test reaches for {host}")
    _connect(self, address)


@pytest.fixture(scope="session", autouse=True)
def _no_marks_at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fixtures older than a test keep their marks apart from the user's, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "marks"))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "caches"))
        yield


@pytest.fixture(autouse=True)
def _closed_world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the machine reaches a test, and no test reaches beyond loopback."""
    for name in list(os.environ):
        if name.startswith("CAMPAIGNKIT_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / f"marks-{uuid.uuid4().hex}"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / f"caches-{uuid.uuid4().hex}"))
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
