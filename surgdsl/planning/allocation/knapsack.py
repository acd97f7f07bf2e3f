"""The multiple-choice knapsack: one option of each class, the least total cost, at most a given total load; exactly.

What is chosen decides what a model is worth at its size, and "the best of all allocations" is a claim that can be kept:
the linear relaxation gives a bound, reduced costs rule out nearly all options, and a dynamic program over integer loads
with dominance looks at all that is left. It widens its view until nothing outside can be better. Sources: Sinha and
Zoltners 1979 (dominance and relaxation), Pisinger 1995 (reduced costs and a core).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Naturals = NDArray[np.int64]
Row = tuple[int, tuple[int, ...], tuple[float, ...]]
"""A class by its place, some of its options, and their reduced costs."""

STATES = 1 << 15
"""Partial choices that are held at once. Where more would be needed the most promising are, and the gap is told."""
FEW = 1 << 10
"""As many are held in a first dive, which finds a good choice and proves nothing."""
FIRST_VIEW = 64
"""The first view is this part of the gap between the greedy choice and the bound; each is twice the one before."""
ROUNDING = 2.0**-40
"""Of the greedy cost: far more than float64 loses in a reduced cost, so that nothing is ruled out by rounding."""


@frozen
class Choices:
    """For each class, the cost and the load of each option: integers, both at least 0 and below 2^60 in total."""

    costs: tuple[tuple[int, ...], ...]
    loads: tuple[tuple[int, ...], ...]
    limit: int

    @property
    def least(self) -> int:
        """The smallest load that can be reached."""
        return sum(map(min, self.loads))

    def cost(self, picks: Sequence[int]) -> int:
        """The total cost of the options at these positions."""
        return sum(row[pick] for row, pick in zip(self.costs, picks, strict=True))

    def load(self, picks: Sequence[int]) -> int:
        """The total load of the options at these positions."""
        return sum(row[pick] for row, pick in zip(self.loads, picks, strict=True))


@frozen
class Optimum:
    """A choice, what it costs, and a number that no choice within the limits costs less than."""

    picks: tuple[int, ...]
    cost: int
    bound: Fraction

    @property
    def gap(self) -> Fraction:
        """How far the choice may be from the best, as a share of its cost; 0 where it is the best."""
        return (self.cost - self.bound) / self.cost if self.cost else Fraction(0)


class Infeasible(Exception):
    """No choice keeps the limit; the smallest load that there is."""

    def __init__(self, least: int) -> None:
        super().__init__(f"the least load is {least}")
        self.least = least


def solve(choices: Choices, states: int = STATES) -> Optimum:
    """The choice of least cost within the limit; among equals the one of least load, then the first that was found.

    >>> solve(Choices(((9, 1, 0), (5, 4, 0)), ((1, 2, 4), (1, 2, 3)), 5))
    Optimum(picks=(1, 2), cost=1, bound=Fraction(1, 1))

    Args:
        choices: what there is to choose from.
        states: partial choices that may be held at once.

    Raises:
        Infeasible: the limit is below the least load.
    """
    if choices.least > choices.limit:
        raise Infeasible(choices.least)
    relaxed = relax(choices)
    best, bound = relaxed.greedy, relaxed.bound
    gap = choices.cost(best) - bound
    best = _better(choices, best, Core(choices, relaxed, float(gap), FEW).best()[0])
    view = gap / FIRST_VIEW
    while bound < choices.cost(best):
        found, complete = Core(choices, relaxed, float(view), states).best()
        best = _better(choices, best, found)
        if not complete:
            break
        bound = min(relaxed.bound + view, Fraction(choices.cost(best)))
        view = min(2 * view, gap)
    return Optimum(tuple(best), choices.cost(best), min(bound, Fraction(choices.cost(best))))


def _better(choices: Choices, one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """The cheaper of two choices, by their load where both cost the same; the first where `other` is empty."""
    ranked = [one, other] if other else [one]
    return min(ranked, key=lambda picks: (choices.cost(picks), choices.load(picks)))


# ---- the linear relaxation ----------------------------------------------------------------------


@frozen
class Relaxed:
    """The linear relaxation: its value, what one unit of load is worth at it, and a choice made along it.

    An option's reduced cost is by how much more it costs at this price than the best of its class.
    """

    bound: Fraction
    price: Fraction
    greedy: tuple[int, ...]
    reduced: tuple[tuple[float, ...], ...]


def relax(choices: Choices) -> Relaxed:
    """Walk every class along its lower convex hull, the most saved per unit of load first, until the limit is met.

    The last step that does not fit whole gives the price. What still fits afterwards is taken too, in the same order.
    """
    hulls = [hull(costs, loads) for costs, loads in zip(choices.costs, choices.loads, strict=True)]
    picks = [corners[0] for corners in hulls]
    steps = sorted(
        (Fraction(costs[after] - costs[before], loads[after] - loads[before]), place, rung)
        for place, (corners, costs, loads) in enumerate(zip(hulls, choices.costs, choices.loads, strict=True))
        for rung, (before, after) in enumerate(pairwise(corners), 1)
    )
    room, price, stuck = choices.limit - choices.load(picks), Fraction(0), set[int]()
    for slope, place, rung in steps:
        after = hulls[place][rung]
        more = choices.loads[place][after] - choices.loads[place][picks[place]]
        if place in stuck or more > room:
            price = price or -slope
            stuck.add(place)  # the rungs of a hull are climbed one after the other
            continue
        room -= more
        picks[place] = after
    over, under = price.numerator, price.denominator
    scaled = [
        [cost * under + over * load for cost, load in zip(costs, loads, strict=True)]
        for costs, loads in zip(choices.costs, choices.loads, strict=True)
    ]
    least = [min(row) for row in scaled]
    reduced = tuple(tuple((one - low) / under for one in row) for row, low in zip(scaled, least, strict=True))
    return Relaxed(Fraction(sum(least), under) - price * choices.limit, price, tuple(picks), reduced)


def hull(costs: Sequence[int], loads: Sequence[int]) -> tuple[int, ...]:
    """The options on the lower convex hull, by rising load and falling cost.

    >>> hull((9, 8, 1, 0), (1, 2, 3, 9))
    (0, 2, 3)
    """
    order = sorted(range(len(costs)), key=lambda place: (loads[place], costs[place], place))
    corners: list[int] = []
    for place in order:
        if corners and costs[place] >= costs[corners[-1]]:
            continue
        while len(corners) > 1 and _above(corners[-2], corners[-1], place, costs, loads):
            corners.pop()
        corners.append(place)
    return tuple(corners)


def _above(first: int, middle: int, last: int, costs: Sequence[int], loads: Sequence[int]) -> bool:
    """Whether the middle of three options lies on or above the line between the others."""
    rise = (costs[middle] - costs[first]) * (loads[last] - loads[first])
    return rise >= (costs[last] - costs[first]) * (loads[middle] - loads[first])


# ---- the dynamic program ------------------------------------------------------------------------


@frozen(slots=False)
class Core:
    """All choices that cost at most `view` more than the relaxation, without those that another one dominates."""

    choices: Choices
    relaxed: Relaxed
    view: float
    states: int

    @cached_property
    def allowed(self) -> float:
        """How much more than the relaxation a choice may cost, rounding included."""
        return self.view + ROUNDING * max(1, self.choices.cost(self.relaxed.greedy))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Each class by its place, its options within the view, and their reduced costs; few options first."""
        found: list[Row] = []
        for place, reduced in enumerate(self.relaxed.reduced):
            near = [option for option, one in enumerate(reduced) if one <= self.allowed]
            found.append((place, tuple(near), tuple(reduced[option] for option in near)))
        return tuple(sorted(found, key=lambda row: (len(row[1]), row[0])))

    def best(self) -> tuple[tuple[int, ...], bool]:
        """The best choice in view, empty where there is none; and whether no partial choice had to be dropped."""
        held, trail, complete = Held.start(), list[tuple[NDArray[np.int32], NDArray[np.uint8]]](), True
        for (place, options, reduced), rest in zip(self.rows, self._rests, strict=True):
            own = [(self.choices.costs[place][one], self.choices.loads[place][one]) for one in options]
            count, held = len(held.loads), held.widened(own, reduced)
            chosen = self._kept(held, rest)
            if chosen.size > self.states:
                chosen, complete = chosen[self._promising(held, chosen, rest)], False
            if not chosen.size:
                return (), complete
            held = held.taken(chosen)
            trail.append(((chosen % count).astype(np.int32), (chosen // count).astype(np.uint8)))
        return self._traced(trail, int(np.lexsort((held.loads, held.costs))[0])), complete

    @cached_property
    def _rests(self) -> list[tuple[int, int]]:
        """The least and the greatest load of all classes after each."""
        own = [[self.choices.loads[place][one] for one in options] for place, options, _ in self.rows]
        least = list(accumulate(reversed([min(row) for row in own]), initial=0))[-2::-1]
        most = list(accumulate(reversed([max(row) for row in own]), initial=0))[-2::-1]
        return list(zip(least, most, strict=True))

    def _worst(self, held: Held, rest: tuple[int, int]) -> NDArray[np.float64]:
        """By how much every completion of each partial choice costs more than the relaxation, at least."""
        unused = np.maximum(0, self.choices.limit - held.loads - rest[1])
        return held.extra + unused * float(self.relaxed.price)

    def _kept(self, held: Held, rest: tuple[int, int]) -> NDArray[np.intp]:
        """Partial choices that can be completed within limit and view, and that no other one dominates."""
        fits = self.choices.limit - held.loads >= rest[0]
        near = np.flatnonzero(fits & (self._worst(held, rest) <= self.allowed))
        order = near[np.lexsort((near, held.costs[near], held.loads[near]))]
        costs = held.costs[order]
        better = np.ones(len(order), dtype=np.bool_)
        better[1:] = costs[1:] < np.minimum.accumulate(costs)[:-1]
        return order[better]

    def _promising(self, held: Held, chosen: NDArray[np.intp], rest: tuple[int, int]) -> NDArray[np.intp]:
        """The places in `chosen` of as many as may be held, in their order."""
        return np.sort(np.argsort(self._worst(held, rest)[chosen], kind="stable")[: self.states])

    def _traced(self, trail: Sequence[tuple[NDArray[np.int32], NDArray[np.uint8]]], state: int) -> tuple[int, ...]:
        picks = [0] * len(self.choices.costs)
        for (place, options, _), (parents, chosen) in zip(reversed(self.rows), reversed(trail), strict=True):
            picks[place] = options[int(chosen[state])]
            state = int(parents[state])
        return tuple(picks)


@frozen(eq=False)
class Held:
    """Partial choices: what each costs and loads, and how much more it costs than the relaxation so far."""

    costs: Naturals
    loads: Naturals
    extra: NDArray[np.float64]

    @classmethod
    def start(cls) -> Held:
        """Nothing is chosen yet."""
        return cls(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(1))

    def widened(self, options: Sequence[tuple[int, int]], reduced: Sequence[float]) -> Held:
        """Every partial choice with every option of one more class, option by option."""
        return Held(
            np.concatenate([self.costs + cost for cost, _ in options]),
            np.concatenate([self.loads + load for _, load in options]),
            np.concatenate([self.extra + more for more in reduced]),
        )

    def taken(self, chosen: NDArray[np.intp]) -> Held:
        """Those at these places."""
        return Held(self.costs[chosen], self.loads[chosen], self.extra[chosen])
