"""Apply over real sockets: what the outcome table says of a request, kept in a real state."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from campaignkit.engine.applier import Applied, ApplyJob
from campaignkit.engine.sending import StopFlag
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.send import BulkSender
from tests.canary import TOKEN
from tests.engine.conftest import Bench, mailing
from tests.fakes.clock import FakeClock
from tests.provider.peers import Peer, answer, says, serving

Serve = Callable[..., Peer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start


def apply(bench: Bench, peer: Peer, people: int) -> Applied:
    one, tags = mailing(), iter(range(1, 1000))
    return ApplyJob(
        plan=bench.plan(one), batches=bench.batches(one, people), spool=bench.spool, store=bench.store, clock=FakeClock(),
        sender=BulkSender(peer.url, TOKEN, connect_timeout=5, deadline=5, policy=ProviderBehaviour()), token=TOKEN,
        entropy=lambda count: next(tags).to_bytes(count, "little"), chance=random.Random(1), stop=StopFlag(), tell=lambda _: None,
        spill=lambda *_: None,
    ).run()  # fmt: skip


def test_row_32_a_uuid_that_another_request_has_is_unknown_and_halts(bench: Bench, serve: Serve) -> None:
    """A cache in between, or a fault of the provider: its first answer may be true, the second is not."""
    peer = serve(says(answer()))
    done = apply(bench, peer, 45)
    assert (done.accepted, done.unknown, done.not_sent) == (10, 10, 25)
    assert len(peer.requests) == 2
    assert "belongs to another request" in done.stopped
    assert [str(row.state) for row in bench.store.requests()] == ["accepted", "unknown", "dissolved", "dissolved", "dissolved"]
