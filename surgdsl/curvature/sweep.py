"""Sweeps: fix the columns of a weight one after the other and let those that follow make up for each (OBS, blocked).

With H⁻¹ = UᵀU and column j fixed to q, e = (w − q)/U[j, j] and every later column k moves by −e·U[j, k] (Frantar and
Alistarh 2023, section 3; Frantar et al. 2023, eq. 2 and 3). The columns are halved recursively, so that nearly all work
is products of large matrices.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from attrs import frozen

from surgdsl.curvature.solution import Values

LEAF = 16
"""How many columns are worked on one by one."""


class Decision(Protocol):
    """What the columns of a sweep are fixed to."""

    def open(self, start: int, columns: Values) -> None:
        """The columns from `start` on are reached: float64[w, o], as they have become; they will change."""
        ...

    def fixed(self, place: int, column: Values) -> Values:
        """What the column in `place`, float64[o], is fixed to."""
        ...


@frozen(eq=False)
class Sweep:
    """Transposed weights on their way: `columns` float64[d, o] become fixed one after the other, in place."""

    columns: Values
    upper: Values
    errors: Values
    decision: Decision
    period: int

    def run(self, start: int, end: int) -> None:
        """Fix the columns from `start` to before `end`; what came before has been made up for already."""
        if end - start <= max(LEAF, self.period if self.period <= LEAF else 0):
            self._leaf(start, end)
            return
        half = (end - start + 1) // 2
        if self.period < end - start:
            half = max(1, half // self.period) * self.period
        middle = start + half
        self.run(start, middle)
        self.columns[middle:end] -= self.upper[start:middle, middle:end].T @ self.errors[start:middle]
        self.run(middle, end)

    def _leaf(self, start: int, end: int) -> None:
        for place in range(start, end):
            if place % self.period == 0:
                self.decision.open(place, self.columns[place : place + self.period])
            column, row = self.columns[place], self.upper[place]
            fixed = self.decision.fixed(place, column)
            error = np.subtract(column, fixed, out=self.errors[place])
            error /= row[place]
            self.columns[place] = fixed
            if place + 1 < end:
                self.columns[place + 1 : end] -= row[place + 1 : end, None] * error


def sweep(weight: Values, upper: Values, decision: Decision, period: int) -> Values:
    """The weight, all of its columns fixed in their order.

    Args:
        weight: float64[o, d].
        upper: U, float64[d, d].
        decision: what columns are fixed to; it is shown `period` columns at a time.
        period: how many columns are decided together.

    Returns:
        float64[o, d].
    """
    columns = np.array(weight.T, order="C")
    Sweep(columns, upper, np.empty_like(columns), decision, period).run(0, len(columns))
    return columns.T
