"""The console script: loads the commands, and answers an interruption that comes while they are still being loaded."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Runs `surg`; a Ctrl-C in the first moment ends it as quietly as one later."""
    try:
        from surgdsl.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("surg: interrupted; nothing was left half done\n")
        sys.exit(INTERRUPTED)
