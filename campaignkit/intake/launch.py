"""The front child as a process: begun with next to nothing imported, so that its imports and the operator's go on side by side."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

from campaignkit import COLLECT_AFTER

_START = "from campaignkit.front.__main__ import main; sys.exit(main(int(sys.argv[1])))"


class Launched:
    """A front child under way; `end` is our end of its socket pair, `process` the process. It reads nothing before it is told to."""

    def __init__(self) -> None:
        self.end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        package = Path(__file__).resolve().parents[2]
        code = f"import gc, sys; gc.set_threshold({COLLECT_AFTER}); sys.path.insert(0, {str(package)!r}); {_START}"
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-E", "-s", "-P", "-X", "utf8", "-c", code, str(theirs.fileno())],
                env={}, pass_fds=(theirs.fileno(),), close_fds=True, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def stop(self) -> None:
        """End it, whatever it does."""
        self.end.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
