"""Rules for every test: no network but loopback, no settings from outside."""

from __future__ import annotations

import ipaddress
import os
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# `make test` takes a sample, `make fuzz` looks for longer; the machine may be busy, so that no example has a deadline.
_CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("quick", deadline=None, max_examples=100, suppress_health_check=_CHECKS)
settings.register_profile("long", deadline=None, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "20000")), suppress_health_check=_CHECKS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

_connect = socket.socket.connect


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
        yield


@pytest.fixture(autouse=True)
def _closed_world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the machine reaches a test, and no test reaches beyond loopback."""
    for name in list(os.environ):
        if name.startswith("CAMPAIGNKIT_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / f"marks-{uuid.uuid4().hex}"))
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
