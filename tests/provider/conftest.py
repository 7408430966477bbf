"""Fixtures of the provider's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .authority import Authority
from .peers import Peer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def serve() -> Iterator[Callable[..., Peer]]:
    """Starts peers and stops them all."""
    with serving() as start:
        yield start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of the tests' own, whose certificates the peers show."""
    folder: Path = tmp_path_factory.mktemp("authority")
    return Authority(folder)
