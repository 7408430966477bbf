"""A provider and a stage for the samples that run with every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proofs.crash.driving import Stage
from tests.proofs.crash.rooms import fast_folder
from tests.proofs.crash.upstream import Upstream


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """One provider process for all of them."""
    with fast_folder() as folder, Upstream(folder / "log") as upstream:
        yield Stage(upstream, folder / "states")
