"""Actions: what a step of the file comes to, one rewrite each or a few that belong together.

Every surgery gives a frozen value that can say what it will do and do it; planning and execution know no more of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from attrs import field, frozen

from surgdsl.bridge.weight import State
from surgdsl.surgery.rewrite import Rewrite
from surgdsl.surgery.single import Heard


class Action(Protocol):
    """Something that is decided and not done yet."""

    @property
    def note(self) -> str:
        """One line for people."""
        ...

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """What it will do to forms, rewrite after rewrite from `number` on. No data is read.

        Where data will decide the values of a weight, those that it has stay; a bare weight stays bare.
        """
        ...

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """Do it: as many rewrites, of the same forms, as were foreseen."""
        ...


@frozen
class Resolved:
    """The actions of a step, in order, and what the selector meant that is left alone, each with the reason."""

    actions: tuple[Action, ...]
    left_alone: tuple[str, ...] = field(default=())


class Unforeseen(Exception):
    """What a step does depends on values that a rehearsal does not have."""
