"""How the operator starts the child: `python -m campaignkit.front FD`, with an empty environment."""

from __future__ import annotations

import socket
import sys
import traceback

from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.front.jail import EndlessError, limit_memory
from campaignkit.protocol.codec import encode
from campaignkit.protocol.frames import Channel, ChannelClosedError
from campaignkit.protocol.messages import Kind


def main(descriptor: int) -> int:
    """Serve one talk over an inherited socket; returns the exit code."""
    limit_memory()
    with Channel(socket.socket(fileno=descriptor), timeout=None) as channel:
        try:
            from campaignkit.front.child import Child

            Child(channel).serve()
        except ChannelClosedError:
            return 1
        except Exception as error:  # noqa: BLE001 - whatever broke, the operator must hear of it, without any value of a row
            _confess(channel, error)
            return 2
    return 0


def _confess(channel: Channel, error: Exception) -> None:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
    known = str(error) if isinstance(error, EndlessError) else f"{type(error).__name__} at {where}"
    what = "it ran out of memory" if isinstance(error, MemoryError) else known
    hint = "this is a fault of campaignkit or a bomb in a file; nothing was sent"
    message = Diagnostic(Severity.ERROR, "CK000", f"reading the project broke down: {what}", Place("campaignkit.yaml"), hint)
    try:
        channel.send(Kind.DIAGNOSTIC, encode(message))
    except ChannelClosedError:
        return


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
