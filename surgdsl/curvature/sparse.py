"""SparseGPT: zeros in a weight, and the elements that stay made up for them (Frantar and Alistarh 2023).

An element's score is (w / U[j, j])², the loss that fixing it to zero brings while the later columns of its row follow.
`masked` takes the zeros from elsewhere, from any criterion, and `refit` gives the best values there are for them.
"""

from __future__ import annotations

import numpy as np
from attrs import define, field, frozen
from scipy.linalg import cho_factor, cho_solve

from surgdsl.curvature.factor import DAMPING, Curvature, curvature
from surgdsl.curvature.pattern import Pattern
from surgdsl.curvature.solution import Mask, Solution, Values
from surgdsl.curvature.sweep import DESCENTS, descend, sweep


@frozen(slots=False, eq=False)
class Sparse(Solution):
    """A weight with zeros: `kept` says where it may be something else, bool[o, d]."""

    kept: Mask = field(kw_only=True)


@define(eq=False)
class _Choosing:
    """Zeros as a pattern chooses them, with the columns as they have become."""

    pattern: Pattern
    diagonal: Values
    kept: Mask
    """bool[d, o], filled as columns are reached."""

    def open(self, start: int, columns: Values) -> None:
        end = start + len(columns)
        scores = np.square(columns / self.diagonal[start:end, None])
        self.kept[start:end] = self.pattern.kept(scores.T, start, len(self.kept)).T

    def fixed(self, place: int, column: Values) -> Values:
        return column * self.kept[place]


@frozen(eq=False)
class _Chosen:
    """Zeros that are known: bool[d, o]."""

    kept: Mask

    def open(self, start: int, columns: Values) -> None:
        del start, columns

    def fixed(self, place: int, column: Values) -> Values:
        return column * self.kept[place]


def sparsegpt(
    weight: Values, gram: Values, pattern: Pattern, damping: float = DAMPING, descents: int = DESCENTS
) -> Sparse:
    """Choose zeros and make up for them, columns from first to last, then let what stays descend further.

    Args:
        weight: float64[o, d].
        gram: H = Σ x xᵀ, float64[d, d].
        pattern: how many stay, and among which.
        damping: the share of the mean diagonal that is added to the diagonal.
        descents: how often all columns are fitted again, see `descend`; 0 is the paper's algorithm.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    bent = curvature(gram, damping)
    alive = np.where(bent.dead, 0.0, weight)
    choosing = _Choosing(pattern, np.diagonal(bent.upper), np.empty(weight.T.shape, dtype=np.bool_))
    values = sweep(alive, bent.upper, choosing, pattern.width(weight.shape[1]))
    kept = choosing.kept.T
    return _sparse(weight, gram, descend(alive, values, gram, _Chosen(choosing.kept), descents), kept, bent)


def masked(weight: Values, gram: Values, kept: Mask, damping: float = DAMPING, descents: int = DESCENTS) -> Sparse:
    """Zeros where `kept`, bool[o, d], is false, and the others make up for them as in `sparsegpt`.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    bent = curvature(gram, damping)
    alive, chosen = np.where(bent.dead, 0.0, weight), _Chosen(kept.T)
    values = descend(alive, sweep(alive, bent.upper, chosen, weight.shape[1]), gram, chosen, descents)
    return _sparse(weight, gram, values, kept, bent)


def refit(weight: Values, gram: Values, kept: Mask, damping: float = DAMPING) -> Sparse:
    """Zeros where `kept`, bool[o, d], is false, and the least squares over all values of the others, row by row.

    For the kept inputs K of a row w the minimum of (v − w)ᵀH(v − w) solves H[K, K] v = H[K, :] w. Takes o·|K|³/3
    multiplications.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    bent = curvature(gram, damping)
    damped = gram + np.diag(np.where(bent.dead, 1.0, bent.damping))
    alive = np.where(bent.dead, 0.0, weight)
    asked, values = alive @ damped, np.zeros_like(weight)
    patterns, inverse = np.unique(np.packbits(kept, axis=1), axis=0, return_inverse=True)
    for number in range(len(patterns)):
        rows = np.flatnonzero(inverse.reshape(-1) == number)
        chosen = np.flatnonzero(kept[rows[0]])
        if len(chosen):
            factor = cho_factor(damped[np.ix_(chosen, chosen)], overwrite_a=True, check_finite=False)
            values[np.ix_(rows, chosen)] = cho_solve(factor, asked[np.ix_(rows, chosen)].T, check_finite=False).T
    return _sparse(weight, gram, values, kept, bent)


def _sparse(weight: Values, gram: Values, values: Values, kept: Mask, bent: Curvature) -> Sparse:
    return Sparse(weight, gram, values, bent.damping, bent.attempts, int(bent.dead.sum()), kept=kept)
