"""Levels: weights moved onto whatever values they may take, the columns that follow made up for each.

GPTQ rounds to uniform grids (`grid`); the same sweep serves codebooks, and weights some of whose elements are zero and
stay it: only what a column is fixed to differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.curvature.factor import DAMPING, curvature
from surgdsl.curvature.solution import Mask, Solution, Values
from surgdsl.curvature.sweep import DESCENTS, descend, sweep

Order = Literal["activation", "given"]
Nearest = Callable[[int, Values], Values]
"""What the elements of a column, float64[o], are fixed to; the column is told by its place in the weight."""


def in_codebook(entries: Values) -> Nearest:
    """The nearest entry of a rising codebook, float64[k]; ties to the lower."""
    middles = (entries[1:] + entries[:-1]) / 2

    def nearest(column: int, values: Values) -> Values:
        del column
        return entries[np.searchsorted(middles, values)]

    return nearest


def keeping(nearest: Nearest, kept: Mask) -> Nearest:
    """The same where `kept`, bool[o, d], is true, and zero elsewhere."""
    return lambda column, values: np.where(kept[:, column], nearest(column, values), 0.0)


@frozen(eq=False)
class _Fixing:
    """Columns fixed to the nearest level, in the order of the sweep."""

    nearest: Nearest
    order: NDArray[np.intp]

    def open(self, start: int, columns: Values) -> None:
        del start, columns

    def fixed(self, place: int, column: Values) -> Values:
        return self.nearest(int(self.order[place]), column)


def fixed(
    weight: Values,
    gram: Values,
    nearest: Nearest,
    order: Order = "activation",
    damping: float = DAMPING,
    descents: int = DESCENTS,
) -> Solution:
    """Fix a weight to levels, every column making up for those before it; then fix each again given all others.

    Args:
        weight: float64[o, d].
        gram: H = Σ x xᵀ, float64[d, d].
        nearest: the levels. Elements of an input that is zero in every row are fixed as if they were zero.
        order: ``activation`` takes the columns with the largest H[j, j] first, ``given`` as they are.
        damping: the share of the mean diagonal that is added to the diagonal.
        descents: how often every column is fixed again, see `descend`; 0 is the algorithm of the paper.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    columns = weight.shape[1]
    taken = np.argsort(-np.diagonal(gram), kind="stable") if order == "activation" else np.arange(columns)
    bent = curvature(gram, damping, taken)
    alive, fixing = np.where(bent.dead, 0.0, weight)[:, taken], _Fixing(nearest, taken)
    swept = sweep(alive, bent.upper, fixing, columns)
    values = np.empty_like(weight)
    values[:, taken] = descend(alive, swept, gram[taken][:, taken], fixing, descents) if descents else swept
    return Solution(weight, gram, values, bent.damping, bent.attempts, int(bent.dead.sum()))
