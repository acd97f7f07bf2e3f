"""Structured OBS: whole groups of input columns removed, and all others made up for them (Kurtic et al. 2023, ZipLM).

Removing the columns S costs tr(W_S ([H⁻¹]_SS)⁻¹ W_Sᵀ), and W moves by −W_S ([H⁻¹]_SS)⁻¹ [H⁻¹]_S. One group after the
other goes, with what is left of H⁻¹ kept as H⁻¹ − VᵀV; then removed groups may be exchanged with kept ones as long as
that lowers the loss, which a greedy choice never reconsiders.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from surgdsl.curvature.factor import DAMPING, Curvature, curvature
from surgdsl.curvature.solution import Solution, Values

Columns = NDArray[np.intp]


@frozen(slots=False, eq=False)
class Narrowed(Solution):
    """A weight of which whole columns are zero: `removed` are the groups, in the order in which they went."""

    removed: tuple[int, ...] = field(kw_only=True)
    scores: Values = field(kw_only=True)
    """What removing each group alone would cost, its others making up for it; float64[number of groups]."""


def structured(
    weight: Values,
    gram: Values,
    groups: Columns,
    count: int,
    damping: float = DAMPING,
    swaps: int = 0,
) -> Narrowed:
    """Remove `count` groups of columns and refit the others.

    Args:
        weight: float64[o, d].
        gram: H = Σ x xᵀ, float64[d, d].
        groups: the columns of each group, intp[number of groups, size]; columns in none of them stay.
        count: how many groups go.
        damping: the share of the mean diagonal that is added to the diagonal.
        swaps: how many exchanges may follow.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    bent = curvature(gram, damping)
    alive = np.where(bent.dead, 0.0, weight)
    removed, scores = _greedy(alive, bent.inverse, groups, count)
    damped = _damped(gram, bent)
    for _ in range(swaps if 0 < count < len(groups) else 0):
        better = _exchanged(alive, damped, groups, removed)
        if better is None:
            break
        removed = better
    values = _least_squares(alive, damped, _columns(groups, removed))
    dead = int(bent.dead.sum())
    return Narrowed(weight, gram, values, bent.damping, bent.attempts, dead, removed=tuple(removed), scores=scores)


def without(weight: Values, gram: Values, columns: Columns, damping: float = DAMPING) -> Solution:
    """The weight with some columns zero, chosen by whatever criterion, and the least squares over all others.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    bent = curvature(gram, damping)
    values = _least_squares(np.where(bent.dead, 0.0, weight), _damped(gram, bent), columns)
    return Solution(weight, gram, values, bent.damping, bent.attempts, int(bent.dead.sum()))


def _greedy(weight: Values, inverse: Values, groups: Columns, count: int) -> tuple[list[int], Values]:
    """The groups in the order in which they go, and the cost of each at the start; among equals the first.

    Neither W nor H⁻¹ is written to. After k columns they are W − C V and H⁻¹ − VᵀV, and of both only the blocks of the
    groups are kept up to date, WᵀW and H⁻¹, since the costs need no more.
    """
    size, depth = groups.shape[1], count * groups.shape[1]
    products = np.einsum("ogs,ogt->gst", weight[:, groups], weight[:, groups])
    blocks = inverse[groups[:, :, None], groups[:, None, :]]
    factors, moves = np.empty((depth, len(inverse))), np.empty((depth, len(weight)))
    columns, removed = np.ascontiguousarray(weight.T), list[int]()
    first = scores = _costs(products, blocks)
    for start in range(0, depth, size):
        removed.append(int(np.argmin(scores)))
        where, before, moved = groups[removed[-1]], factors[:start], moves[:start]
        lower = np.linalg.cholesky(blocks[removed[-1]])
        rows = np.linalg.solve(lower, inverse[where] - before[:, where].T @ before)
        move = np.linalg.solve(lower, columns[where] - before[:, where].T @ moved)
        factors[start : start + size], moves[start : start + size] = rows, move
        crossed = (columns @ move.T - before.T @ (moved @ move.T))[groups] @ rows[:, groups].transpose(1, 0, 2)
        taken = rows[:, groups].transpose(1, 0, 2)
        products += taken.transpose(0, 2, 1) @ (move @ move.T) @ taken - crossed - crossed.transpose(0, 2, 1)
        blocks -= taken.transpose(0, 2, 1) @ taken
        blocks[removed], products[removed] = np.eye(size), 0.0
        scores = _costs(products, blocks)
        scores[removed] = np.inf
    return removed, first


def _costs(products: Values, blocks: Values) -> Values:
    """tr(W_S ([H⁻¹]_SS)⁻¹ W_Sᵀ) for each group S, from W_SᵀW_S and [H⁻¹]_SS, both float64[g, s, s]."""
    if blocks.shape[1] == 1:
        return np.maximum(products / blocks, 0.0)[:, 0, 0]
    return np.maximum(np.einsum("gss->g", np.linalg.solve(blocks, products)), 0.0)


def _exchanged(weight: Values, damped: Values, groups: Columns, removed: Sequence[int]) -> list[int] | None:
    """The removed groups after the exchange that lowers the loss most; nothing where none does.

    With K the kept columns, C = H_KK⁻¹ H_KR and the Schur complement T = H_RR − H_RK C, a group R that comes back
    takes the values G = T⁻¹ slope, lowers the loss by tr(Gᵀ T G), moves the others by −C G and changes H_KK⁻¹ to
    H_KK⁻¹ + C T⁻¹ Cᵀ; what removing any kept group costs then is read off as ever.
    """
    gone = _columns(groups, removed)
    kept = np.setdiff1d(np.arange(weight.shape[1]), gone)
    values, inverse = _least_squares(weight, damped, gone), np.zeros_like(damped)
    inverse[np.ix_(kept, kept)] = np.linalg.inv(damped[np.ix_(kept, kept)])
    slope = damped @ (weight - values).T
    inside = np.setdiff1d(np.arange(len(groups)), removed)
    blocks = inverse[groups[inside][:, :, None], groups[inside][:, None, :]]
    best, exchange = -1e-12 * float(np.vdot(weight @ damped, weight)), None
    for place, group in enumerate(removed):
        back = groups[group]
        across = inverse @ damped[:, back]
        schur = damped[np.ix_(back, back)] - damped[back] @ across
        taken = np.linalg.solve(schur, slope[back])
        moved = (values.T - across @ taken)[groups[inside]]  # [g, s, o]
        wide = across[groups[inside]]
        widened = blocks + wide @ np.linalg.solve(schur, wide.transpose(0, 2, 1))
        change = _costs(moved @ moved.transpose(0, 2, 1), widened) - float(np.vdot(taken, slope[back]))
        cheapest = int(np.argmin(change))
        if change[cheapest] < best:
            best, exchange = float(change[cheapest]), (place, int(inside[cheapest]))
    if exchange is None:
        return None
    return [*removed[: exchange[0]], *removed[exchange[0] + 1 :], exchange[1]]


def _columns(groups: Columns, chosen: Sequence[int]) -> Columns:
    return groups[list(chosen)].reshape(-1) if len(chosen) else np.zeros(0, dtype=np.intp)


def _damped(gram: Values, bent: Curvature) -> Values:
    return gram + np.diag(np.where(bent.dead, 1.0, bent.damping))


def _least_squares(weight: Values, damped: Values, columns: Columns) -> Values:
    """The weight with `columns` zero that minimises tr((V − W) H (V − W)ᵀ)."""
    values, kept = np.zeros_like(weight), np.setdiff1d(np.arange(weight.shape[1]), columns)
    if len(kept):
        factor = cho_factor(damped[np.ix_(kept, kept)], overwrite_a=True, check_finite=False)
        moved = cho_solve(factor, damped[np.ix_(kept, columns)] @ weight[:, columns].T, check_finite=False)
        values[:, kept] = weight[:, kept] + moved.T
    return values
