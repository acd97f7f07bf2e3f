"""Exact OBS: zeros taken one at a time, each where it costs least after all before it (Frantar and Alistarh 2022).

Greedy within a row, and over the rows together by what each next zero of a row costs. Removing inputs P from H⁻¹ leaves
H⁻¹ − VᵀV with the rows V of a Cholesky factor that is pivoted by the choices, so a step reads the factor and writes one
row of it. Takes o·k²·d multiplications for k zeros a row: for layers of a few hundred inputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surgdsl.curvature.factor import DAMPING, curvature
from surgdsl.curvature.solution import Mask, Values
from surgdsl.curvature.sparse import Sparse, refit

MEMORY = 1 << 27
"""Bytes of the factors that are held at a time."""


def exact_obs(weight: Values, gram: Values, count: int, damping: float = DAMPING, most: float = 1.0) -> Sparse:
    """Keep exactly `count` elements of the weight, greedily by the exact loss, and refit them.

    Args:
        weight: float64[o, d].
        gram: H = Σ x xᵀ, float64[d, d].
        count: how many elements stay.
        damping: the share of the mean diagonal that is added to the diagonal.
        most: the largest share of a row that may become zero; less than 1 saves time.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    rows, columns = weight.shape
    bent = curvature(gram, damping)
    inverse, alive = bent.inverse, np.where(bent.dead, 0.0, weight)
    depth = max(min(columns, int(np.ceil(columns * most))), -(-(weight.size - count) // rows))
    chunk = max(1, MEMORY // (8 * depth * columns))
    found = [greedy(alive[start : start + chunk], inverse, depth) for start in range(0, rows, chunk)]
    order, costs = np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])
    return refit(weight, gram, _merged(order, costs, weight.size - count, columns), damping)


def greedy(weight: Values, inverse: Values, depth: int) -> tuple[NDArray[np.intp], Values]:
    """The first `depth` zeros of each row in the order in which OBS takes them, and what each costs.

    Args:
        weight: float64[o, d].
        inverse: H⁻¹, float64[d, d].
        depth: up to d.

    Returns:
        intp[o, depth], and float64[o, depth]: w² / [H⁻¹]ₚₚ, that is twice the loss of OBS.
    """
    rows, columns = weight.shape
    values, diagonal = weight.copy(), np.tile(np.diagonal(inverse), (rows, 1))
    factors = np.empty((rows, depth, columns))
    order, costs = np.empty((rows, depth), dtype=np.intp), np.empty((rows, depth))
    every = np.arange(rows)
    for step in range(depth):
        scores = np.square(values) / diagonal
        place = np.argmin(scores, axis=1)
        order[:, step], costs[:, step] = place, scores[every, place]
        before = factors[:, :step]
        taken = before[every, :, place]
        left = inverse[place] - np.matmul(taken[:, None, :], before)[:, 0]
        pivot = np.sqrt(diagonal[every, place])[:, None]
        row = np.divide(left, pivot, out=factors[:, step])
        values -= row * (values[every, place][:, None] / pivot)
        diagonal -= np.square(row)
        values[every, place], diagonal[every, place] = np.inf, 1.0  # never chosen again
        np.maximum(diagonal, np.finfo(np.float64).tiny, out=diagonal)
    return order, costs


def _merged(order: NDArray[np.intp], costs: Values, zeros: int, columns: int) -> Mask:
    """What stays when the cheapest next zero of any row is taken `zeros` times; among equals that of the first row."""
    steps = np.maximum.accumulate(costs, axis=1)  # a later zero of a row waits for those before it
    taken = np.zeros(steps.size, dtype=np.bool_)
    taken[np.argsort(steps, axis=None, kind="stable")[:zeros]] = True
    kept = np.ones((len(order), columns), dtype=np.bool_)
    row, step = np.nonzero(taken.reshape(steps.shape))
    kept[row, order[row, step]] = False
    return kept
