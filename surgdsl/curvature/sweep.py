"""Sweeps: fix the columns of a weight one after the other and let those that follow make up for each (OBS, blocked).

With H⁻¹ = UᵀU and column j fixed to q, every later column k moves by −(w − q)·U[j, k]/U[j, j] (Frantar et al. 2023).
When all are fixed, each may be fixed again to what is best while all others stay (coordinate descent, Behdin et al.
2023), which never loses. Columns are halved recursively: nearly all work is products of large matrices.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from attrs import frozen

from surgdsl.curvature.solution import Values

LEAF = 16
"""How many columns are worked on one by one."""
DESCENTS = 1
"""How often all columns are fixed again, by default."""


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
    """Transposed weights on their way: `columns` float64[d, o] become fixed one after the other, in place.

    A column k that is still free follows the change of column j, which is `before` − fixed, by `feedback`[j, k] of it.
    """

    columns: Values
    before: Values
    feedback: Values
    changes: Values
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
        self.columns[middle:end] += self.feedback[start:middle, middle:end].T @ self.changes[start:middle]
        self.run(middle, end)

    def _leaf(self, start: int, end: int) -> None:
        for place in range(start, end):
            if place % self.period == 0:
                self.decision.open(place, self.columns[place : place + self.period])
            fixed = self.decision.fixed(place, self.columns[place])
            change = np.subtract(self.before[place], fixed, out=self.changes[place])
            self.columns[place] = fixed
            if place + 1 < end:
                self.columns[place + 1 : end] += self.feedback[place, place + 1 : end, None] * change


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
    feedback = upper / -np.diagonal(upper)[:, None]
    Sweep(columns, columns, feedback, np.empty_like(columns), decision, period).run(0, len(columns))
    return columns.T


def descend(weight: Values, values: Values, gram: Values, decision: Decision, times: int) -> Values:
    """The values after every column, in order, was fixed again `times` times; the loss tr((V − W) H (V − W)ᵀ) falls.

    Args:
        weight: float64[o, d], as it was.
        values: float64[o, d], as the decision fixed them.
        gram: H, float64[d, d], without damping: what data say too weakly still tells equals apart.
        decision: what columns are fixed to: that value of its own which is nearest.
        times: how often.
    """
    if not times:
        return values
    diagonal = np.diagonal(gram)
    feedback, held = gram / np.where(diagonal > 0.0, diagonal, 1.0), values
    for _ in range(times):
        before = np.array(held.T, order="C")
        columns = before - feedback.T @ (held - weight).T
        Sweep(columns, before, feedback, np.empty_like(columns), decision, len(columns)).run(0, len(columns))
        held = columns.T
    return held
