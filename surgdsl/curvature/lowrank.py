"""Low rank: the matrix of a given rank whose outputs differ least, with and without knowing what the layer reads.

Whitened: with H = S Sᵀ the loss of V is ‖(V − W) S‖², so the best V of rank r is the truncated decomposition of W S
times S⁻¹ (Wang et al. 2024, SVD-LLM). That is the projection U Uᵀ W onto the r strongest directions of the outputs, the
leading eigenvectors of W H Wᵀ: neither S nor its inverse is needed, and H may be singular.
"""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from surgdsl.curvature.solution import Solution, Values


@frozen(slots=False, eq=False)
class LowRank(Solution):
    """A weight of low rank, `values` = `left` · `right`."""

    left: Values = field(kw_only=True)
    """float64[o, r], with orthonormal columns."""
    right: Values = field(kw_only=True)
    """float64[r, d]."""
    discarded: float = field(kw_only=True)
    """Σ σ² of the directions left out: the loss, for the measure that was minimised."""


def saves(outputs: int, inputs: int, rank: int) -> bool:
    """Whether two layers of this rank have fewer weights than one: r(o + d) < o·d."""
    return rank * (outputs + inputs) < outputs * inputs


def rank_for(outputs: int, inputs: int, share: float) -> int:
    """The largest rank, at least 1, whose two layers have at most `share` of the weights.

    >>> rank_for(512, 512, 0.5)
    128
    """
    return max(1, int(share * outputs * inputs / (outputs + inputs)))


def svd(weight: Values, gram: Values, rank: int) -> LowRank:
    """The nearest matrix of rank r, whatever the layer reads (Eckart and Young 1936). float64[o, d]."""
    left, sigma, _ = np.linalg.svd(weight, full_matrices=False)
    return _projected(weight, gram, left[:, :rank], float(np.square(sigma[rank:]).sum()))


def whitened(weight: Values, gram: Values, rank: int) -> LowRank:
    """The matrix of rank r whose outputs over all rows differ least.

    Args:
        weight: float64[o, d].
        gram: H = Σ x xᵀ, float64[d, d].
        rank: 1 to min(o, d).

    Returns:
        `discarded` is the loss exactly: the sum of the eigenvalues of W H Wᵀ that are left out.
    """
    outputs, inputs = weight.shape
    if outputs <= inputs:
        power, directions = np.linalg.eigh(weight @ gram @ weight.T)
        return _projected(weight, gram, directions[:, ::-1][:, :rank], _sum(power[: outputs - rank]))
    spread, axes = np.linalg.eigh(gram)
    left, sigma, _ = np.linalg.svd(weight @ (axes * np.sqrt(np.maximum(spread, 0.0))), full_matrices=False)
    return _projected(weight, gram, left[:, :rank], _sum(np.square(sigma[rank:])))


def spectrum(weight: Values, gram: Values) -> Values:
    """The loss of the whitened decomposition at rank 0, 1, …, min(o, d): float64[min(o, d) + 1], falling to 0.

    What a choice of ranks over several layers needs, without making any of them.
    """
    outputs, inputs = weight.shape
    power = np.maximum(np.linalg.eigvalsh(weight @ gram @ weight.T), 0.0)[max(0, outputs - inputs) :]
    return np.concatenate([np.cumsum(power)[::-1], [0.0]])


def _projected(weight: Values, gram: Values, basis: Values, discarded: float) -> LowRank:
    left = np.ascontiguousarray(basis)
    right = left.T @ weight
    return LowRank(weight, gram, left @ right, left=left, right=right, discarded=discarded)


def _sum(power: Values) -> float:
    return float(np.maximum(power, 0.0).sum())
