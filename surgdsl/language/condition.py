"""Conditions on places: what `where` in a selector asks of a layer, besides how it is called.

What a layer is, is known when a model is; here stands what can be asked of it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from attrs import field, frozen

from surgdsl.diagnostic import NOWHERE, Span
from surgdsl.language.pattern import PathPattern

RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@frozen
class Place:
    """A layer: its path, the kinds of its operations, its weights counted and their stored bytes."""

    path: str
    kinds: frozenset[str] = frozenset()
    params: int = 0
    size: int = 0


@frozen
class Kind:
    """``kind == linear``: one of the operations is called so."""

    name: str
    positive: bool = True
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

    def holds(self, place: Place) -> bool:
        """Whether `place` is meant."""
        return (self.name in place.kinds) == self.positive


@frozen
class Called:
    """``path == @blocks.*.attn``."""

    pattern: PathPattern
    positive: bool = True

    def holds(self, place: Place) -> bool:
        """Whether `place` is meant."""
        return self.pattern.matches(place.path) == self.positive


@frozen
class Measure:
    """``size >= 4KiB``, in bytes, or ``params < 1000``."""

    name: str
    relation: str
    limit: Fraction

    def holds(self, place: Place) -> bool:
        """Whether `place` is meant."""
        return RELATIONS[self.relation](place.size if self.name == "size" else place.params, self.limit)


@frozen
class Joined:
    """Both of two conditions, or either."""

    word: str
    left: Condition
    right: Condition

    def holds(self, place: Place) -> bool:
        """Whether `place` is meant."""
        sides = self.left.holds(place), self.right.holds(place)
        return all(sides) if self.word == "and" else any(sides)


@frozen
class Denied:
    """Not a condition."""

    inner: Condition

    def holds(self, place: Place) -> bool:
        """Whether `place` is meant."""
        return not self.inner.holds(place)


Condition = Kind | Called | Measure | Joined | Denied


def kinds(condition: Condition) -> tuple[Kind, ...]:
    """The kinds that a condition names."""
    match condition:
        case Kind():
            return (condition,)
        case Joined(_, left, right):
            return (*kinds(left), *kinds(right))
        case Denied(inner):
            return kinds(inner)
        case _:
            return ()
