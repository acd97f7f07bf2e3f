"""Choosing under several limits at once: the multiple-choice knapsack as an integer program, solved by HiGHS.

Branch and bound stops with the best choice found and a bound below all others. Its arithmetic is rounded, so what it
returns is checked in integers. Source: Huangfu and Hall 2018 (HiGHS), through scipy.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any, cast

import numpy as np
from attrs import frozen

from surgdsl.planning.allocation.knapsack import Infeasible, Optimum

SCALE = 1e6
"""What the costs come to at most: HiGHS compares them to 1e-6, which is then 1e-12 of the whole."""
ROUNDING = Fraction(1, 10**9)
"""Of the cost: below this a gap is that of float64 and no gap."""


@frozen
class Program:
    """For each class, the cost of each option and its load in every limit; and the limits."""

    costs: tuple[tuple[int, ...], ...]
    loads: tuple[tuple[tuple[int, ...], ...], ...]
    """By limit, class and option."""
    limits: tuple[int, ...]

    def keeps(self, picks: Sequence[int]) -> bool:
        """Whether a choice is within every limit."""
        return all(
            sum(row[pick] for row, pick in zip(loads, picks, strict=True)) <= limit
            for loads, limit in zip(self.loads, self.limits, strict=True)
        )


def solve(program: Program) -> Optimum:
    """The choice of least cost within all limits.

    Raises:
        Infeasible: there is none; with the smallest load by the first limit that cannot be kept alone, if one cannot.
    """
    for loads, limit in zip(program.loads, program.limits, strict=True):
        if sum(map(min, loads)) > limit:
            raise Infeasible(sum(map(min, loads)))
    picks, bound = _searched(program, program.limits)
    limits = program.limits
    while not program.keeps(picks):  # by less than one unit, as rounded: a little less room, and the same bound
        limits = tuple(limit - 1 for limit in limits)
        picks, _ = _searched(program, limits)
    cost = sum(row[pick] for row, pick in zip(program.costs, picks, strict=True))
    bound = min(Fraction(cost), bound)
    return Optimum(picks, cost, Fraction(cost) if cost - bound <= ROUNDING * cost else bound)


def _searched(program: Program, limits: Sequence[int]) -> tuple[tuple[int, ...], Fraction]:
    """What HiGHS finds, and its bound."""
    from scipy import optimize, sparse  # loaded where several limits meet, which is seldom

    sizes = [len(row) for row in program.costs]
    costs = np.array([cost for row in program.costs for cost in row], dtype=np.float64)
    unit = max(1.0, float(sum(map(max, program.costs)))) / SCALE
    places = np.repeat(np.arange(len(sizes)), sizes), np.arange(len(costs))
    one_each = sparse.csr_array((np.ones(len(costs)), places), shape=(len(sizes), len(costs)))
    loads = np.array([[load for row in rows for load in row] for rows in program.loads], dtype=np.float64)
    top: Any = np.array(limits, dtype=np.float64)
    within = [optimize.LinearConstraint(one_each, 1, 1), optimize.LinearConstraint(loads, -np.inf, top)]
    found: Any = cast("Any", optimize).milp(
        costs / unit,
        integrality=np.ones(len(costs)),
        bounds=optimize.Bounds(0, 1),
        constraints=within,
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:
        raise Infeasible(min(sum(map(min, rows)) for rows in program.loads))
    ends = accumulate(sizes, initial=0)
    picks = tuple(int(np.argmax(found.x[start:end])) for start, end in pairwise(ends))
    return picks, Fraction(float(found.mip_dual_bound) * unit)
