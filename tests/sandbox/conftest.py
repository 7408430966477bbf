"""A sandbox whose time stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from campaignkit.sandbox.scenario_reading import read_scenario
from campaignkit.sandbox.server import EmbeddedServer

NOON = 1730278800.0  # 2024-10-30 12:00 in Minsk
FOUR = ["375291111111", "375292222222", "375293333333", "375294444444"]


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def scripted(clock: Clock, **keys: Any) -> EmbeddedServer:
    return EmbeddedServer(clock=clock, scenario=read_scenario(keys))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(seed=1, clock=clock) as running:
        yield running
