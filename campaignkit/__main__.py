"""`python -m campaignkit`, and the installed command: hears signals before the slow imports begin."""

import gc
import sys

from campaignkit import COLLECT_AFTER
from campaignkit.cli.interrupts import CURRENT


def entry() -> None:
    """Run the command line of this process."""
    gc.set_threshold(COLLECT_AFTER)
    CURRENT.listen()
    try:
        from campaignkit.cli.main import entry as command
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Nothing was sent.\n")
        sys.exit(9)
    command()


if __name__ == "__main__":
    entry()
