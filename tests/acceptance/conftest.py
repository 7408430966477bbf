"""What the acceptance tests start from: projects on disk, a provider in another process, and one that does as it is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.bench import Bench, Tap, built, copied, tapped
from tests.acceptance.places import BULK, PROJECT, Provider, Workplace, phones
from tests.canary import TOKEN, Watched


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """An empty project."""
    root = tmp_path / "project"
    root.mkdir()
    return Workplace(root)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Provider]]:
    """Start `campaignkit sandbox serve` in a process of its own, with a scenario if given."""
    running: list[Provider] = []

    def start(scenario: dict[str, Any] | None = None, port: int = 0) -> Provider:
        words = ["sandbox", "serve", "--port", str(port), "--data", str(tmp_path / "provider.data")]
        if scenario is not None:
            script = tmp_path / f"scenario-{len(running)}.json"
            script.write_text(json.dumps(scenario), "utf-8")
            words += ["--scenario", str(script)]
        process = Watched([sys.executable, "-m", "campaignkit", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"http://\S+", line)
        assert match, line
        provider = Provider(match[0], process)
        running.append(provider)
        return provider

    yield start
    for provider in running:
        provider.stop()


@pytest.fixture
def live(place: Workplace, serve: Callable[..., Provider]) -> Callable[..., Provider]:
    """A project whose environment `live` reaches a served sandbox over real HTTP, its state made."""

    def start(
        *,
        people: int = 25,
        batch: int = 10,
        first: int = 10,
        scenario: dict[str, Any] | None = None,
        extra: str = "",
        text: str = "Only today",
    ) -> Provider:
        provider = serve(scenario)
        place.env |= {"CAMPAIGNKIT_TOKEN_LIVE": TOKEN, "CAMPAIGNKIT_ENV": "live"}
        place.write("campaignkit.yaml", PROJECT.format(batch=batch, first=first, url=provider.url, extra=extra))
        place.write("campaigns/spring.yaml", BULK.format(campaign="spring", mailing="invitation", file="people.csv", text=text))
        place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(people)) + "\n")
        place.ok("state", "init")
        return provider

    return start


@pytest.fixture(scope="module")
def wire() -> Iterator[Tap]:
    """A provider that does as it is told."""
    with tapped() as tap:
        yield tap


@pytest.fixture(scope="module")
def sound(wire: Tap, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A project before it, with which nothing is wrong."""
    return built(tmp_path_factory.mktemp("sound") / "project", wire.url)


@pytest.fixture
def tap(wire: Tap) -> Iterator[Tap]:
    """That provider, as if nobody had called it yet."""
    wire.reset()
    yield wire
    if wire.hold is not None:
        wire.hold.set()


@pytest.fixture
def bench(sound: Bench, tap: Tap, tmp_path: Path) -> Bench:
    """A copy of that project."""
    assert not tap.calls
    return copied(sound, tmp_path / "project")
