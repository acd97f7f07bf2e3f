"""Progress of long work, on stderr: one line that moves on a terminal, plain lines elsewhere.

Standard output stays clean for results.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class Progress:
    """Says what is going on until it is over."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent
        self.console = Console(stderr=True, highlight=False)
        self.status: Status | None = None
        self.last = ""

    def __enter__(self) -> Self:
        if not self.silent and self.console.is_terminal:
            self.status = self.console.status("")
            self.status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status:
            self.status.stop()

    def stage(self, text: str, detail: str = "") -> None:
        """What is being done now; a detail changes on a terminal and is left out elsewhere."""
        if self.silent:
            return
        if self.status:
            self.status.update(f"{text} {detail}".rstrip())
        elif text != self.last:
            sys.stderr.write(f"{text} …\n")
        self.last = text
