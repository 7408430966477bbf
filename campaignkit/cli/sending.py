"""The client that can send, made here and nowhere else: an import law lets only apply, confirm and send-test in."""

from __future__ import annotations

from campaignkit.cli.holding import Reachable
from campaignkit.provider.send import BulkSender


def sender(reachable: Reachable) -> BulkSender:
    """The one thing in the program that can cost money."""
    environment = reachable.environment
    return BulkSender(
        reachable.base_url,
        reachable.token,
        connect_timeout=environment.connect_timeout,
        deadline=environment.deadline,
        policy=environment.provider,
        token_in=environment.token_in,
    )
