"""Interruptions: being told to stop unwinds a command as Ctrl-C does, so that it cleans up behind itself.

A program that is terminated dies on the spot by default, and would leave its drafts on the disk.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """The process was told to stop by a signal; what lets Ctrl-C through lets this through."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopping() -> Generator[None]:
    """Signals to stop raise `Stopped` for a while; those that the process was started to ignore stay ignored."""
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def exit_code(interruption: KeyboardInterrupt) -> int:
    """What a shell expects of a process that a signal ended: 130 for Ctrl-C, 143 for being terminated.

    >>> exit_code(KeyboardInterrupt()), exit_code(Stopped(signal.SIGTERM))
    (130, 143)
    """
    return 128 + (interruption.number if isinstance(interruption, Stopped) else signal.SIGINT)


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    raise Stopped(number)
