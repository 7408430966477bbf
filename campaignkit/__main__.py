"""`python -m campaignkit`, and the installed command: hears signals before the slow imports begin."""

import gc
import sys

from campaignkit.cli.interrupts import CURRENT

COLLECT_AFTER = 20_000
"""New objects after which Python looks for garbage; at 700, its own choice, that takes a tenth of a short command."""


def entry() -> None:
    """Run the command line of this process."""
    CURRENT.listen()
    gc.set_threshold(COLLECT_AFTER)
    try:
        from campaignkit.cli.main import entry as command
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Nothing was sent.\n")
        sys.exit(9)
    command()


if __name__ == "__main__":
    entry()
