"""Compositions: how the steps of a surgery make one morphism, by `>>` (one after the other) and `|` (side by side).

What is composed by `>>` runs so. What stands side by side is claimed to be independent, which planning checks.

>>> a, b, c, d, e = map(Arrow, "abcde")
>>> then(then(a, b), c) == then(a, then(b, c)), side_by_side(a, side_by_side(b, c)) == side_by_side(a, b, c)
(True, True)
>>> print(made := then(a, side_by_side(then(d, c), b), e))
a >> (d >> c | b) >> e
>>> beside(made)
(('d', 'b'), ('c', 'b'))
>>> extension("abcde", before(made)), layers("abcde", before(made))
(('a', 'b', 'd', 'c', 'e'), (('a',), ('b', 'd'), ('c',), ('e',)))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from attrs import field, frozen

from surgdsl.diagnostic import NOWHERE, Span

Pair = tuple[str, str]


@frozen
class Arrow:
    """A step, by its name."""

    name: str
    span: Span = field(default=NOWHERE, eq=False, repr=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


@frozen
class Then:
    """``a >> b``: each stage after the one before. Make one with `then`."""

    stages: tuple[Composition, ...]

    def __str__(self) -> str:
        return " >> ".join(f"({one})" if isinstance(one, Beside) else str(one) for one in self.stages)


@frozen
class Beside:
    """``a | b``: no part after another. Make one with `side_by_side`."""

    parts: tuple[Composition, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


Composition = Arrow | Then | Beside


def then(*stages: Composition) -> Composition:
    """The stages one after the other; composition is associative."""
    flat = tuple(part for one in stages for part in (one.stages if isinstance(one, Then) else (one,)))
    return flat[0] if len(flat) == 1 else Then(flat)


def side_by_side(*parts: Composition) -> Composition:
    """The parts side by side, which is associative, too."""
    flat = tuple(part for one in parts for part in (one.parts if isinstance(one, Beside) else (one,)))
    return flat[0] if len(flat) == 1 else Beside(flat)


def arrows(composition: Composition) -> tuple[Arrow, ...]:
    """Every step, from the left."""
    match composition:
        case Arrow():
            return (composition,)
        case Then(inner) | Beside(inner):
            return tuple(arrow for one in inner for arrow in arrows(one))


def before(composition: Composition) -> frozenset[Pair]:
    """Every pair of steps of which the first comes before the second."""
    match composition:
        case Arrow():
            return frozenset()
        case Beside(parts):
            return frozenset[Pair]().union(*map(before, parts))
        case Then(stages):
            inside = frozenset[Pair]().union(*map(before, stages))
            return inside | frozenset(_across(stages))


def beside(composition: Composition) -> tuple[Pair, ...]:
    """Every pair of steps that stand side by side, from the left."""
    match composition:
        case Arrow():
            return ()
        case Then(stages):
            return tuple(pair for one in stages for pair in beside(one))
        case Beside(parts):
            return (*(pair for one in parts for pair in beside(one)), *_across(parts))


def _across(parts: Iterable[Composition]) -> Iterator[Pair]:
    for left, right in combinations(parts, 2):
        yield from ((one.name, other.name) for one in arrows(left) for other in arrows(right))


def extension(names: Sequence[str], order: frozenset[Pair]) -> tuple[str, ...]:
    """The least linear extension: of the steps that may come next, always the one that `names` has first."""
    left, done = list(names), list[str]()
    while left:
        follow = {last for first, last in order if first in left}
        done.append(next(name for name in left if name not in follow))
        left.remove(done[-1])
    return tuple(done)


def layers(names: Sequence[str], order: frozenset[Pair]) -> tuple[tuple[str, ...], ...]:
    """Foata's normal form: each step in the first layer that lies behind all that must come before it."""
    depth: dict[str, int] = {}
    for name in extension(names, order):
        depth[name] = 1 + max((depth[first] for first, last in order if last == name), default=-1)
    return tuple(
        tuple(name for name in names if depth[name] == layer) for layer in range(1 + max(depth.values(), default=-1))
    )
