"""Actions: what a step of the file comes to, one rewrite each.

Every surgery gives a frozen value that can say what it will do and do it; planning and execution know no more of it.
"""

from __future__ import annotations

from typing import Protocol

from attrs import field, frozen

from surgdsl.bridge.weight import State
from surgdsl.surgery.rewrite import Rewrite


class Action(Protocol):
    """A rewrite that is decided and not done yet."""

    @property
    def note(self) -> str:
        """One line for people."""
        ...

    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Do it."""
        ...


@frozen
class Resolved:
    """The actions of a step, in order, and what the selector meant that is left alone, each with the reason."""

    actions: tuple[Action, ...]
    left_alone: tuple[str, ...] = field(default=())


class Unforeseen(Exception):
    """What a step does depends on values that a rehearsal does not have."""
