"""Single: what every action of one rewrite has in common.

Planning tries an action on forms and execution carries it out; where it is one rewrite that reads nothing but the
state, both are the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from surgdsl.bridge.weight import State
from surgdsl.surgery.rewrite import Rewrite

Heard = Callable[[str], None]
"""Told how far a long action is."""


class Single(ABC):
    """An action of one rewrite."""

    __slots__ = ()

    @property
    @abstractmethod
    def note(self) -> str:
        """One line for people."""

    @abstractmethod
    def rewrite(self, state: State, number: int, step: str) -> Rewrite:
        """Do it in `state`, as rewrite `number` of the derivation."""

    def foresee(self, state: State, number: int, step: str) -> Iterator[Rewrite]:
        """What it does to forms, no data being read."""
        yield self.rewrite(state, number, step)

    def rewrites(self, state: State, number: int, step: str, heard: Heard) -> Iterator[Rewrite]:
        """Everything that it does, in order."""
        del heard
        yield self.rewrite(state, number, step)
