"""Factors: the upper Cholesky factor of the inverse of a damped Gram matrix, from which all second-order solvers work.

A matrix that cannot be factored is never worked around in silence: the damping doubles, every attempt is counted, and
after the last one there is an error.
"""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from surgdsl.curvature.solution import Mask, Values
from surgdsl.diagnostic import Diagnostic, Refusal

POTRF, TRTRI = get_lapack_funcs(("potrf", "trtri"), dtype=np.float64)
DAMPING = 0.01
"""The share of the mean diagonal that is added to the diagonal, as GPTQ and SparseGPT do."""
DOUBLINGS = 10
"""How often the damping is doubled before the matrix is given up."""
LEAST = 2.0**-26
"""The share of the mean diagonal that is tried next where no damping at all was asked for and that failed."""


@frozen(eq=False)
class Curvature:
    """H⁻¹ = UᵀU for the damped Gram matrix H of a layer, its rows and columns in `order`."""

    upper: Values
    """U, float64[d, d], zero below the diagonal."""
    order: NDArray[np.intp]
    """Which input each row of U belongs to, intp[d]."""
    dead: Mask
    """Which inputs were zero in every row of the data, bool[d], in the order of the inputs."""
    damping: float
    """What was added to the diagonal."""
    attempts: int
    """How many factorizations were tried; the damping doubled after each that failed."""

    @property
    def inverse_diagonal(self) -> Values:
        """The diagonal of H⁻¹ in `order`, float64[d]."""
        return np.einsum("kj,kj->j", self.upper, self.upper)


def curvature(
    gram: Values, damping: float = DAMPING, order: NDArray[np.intp] | None = None, doublings: int = DOUBLINGS
) -> Curvature:
    """Damp a Gram matrix and factor its inverse.

    With J the reversal of the order, J H J = L Lᵀ gives H = R Rᵀ for the upper triangle R = J L J, hence U = R⁻¹: one
    factorization and one triangular inverse, and H⁻¹ itself is never formed.

    Args:
        gram: float64[d, d].
        damping: the share of the mean diagonal of live inputs that is added to their diagonal.
        order: how rows and columns are permuted first.
        doublings: how often the damping may double.

    Raises:
        Refusal: E0806, the matrix is not finite or cannot be factored.
    """
    diagonal = np.diagonal(gram)
    dead = ~(diagonal > 0.0)
    if not np.isfinite(gram).all() or bool((diagonal < 0.0).any()):
        raise _refused("what the layer reads is not finite")
    mean = float(diagonal[~dead].mean()) if not dead.all() else 1.0
    taken = np.arange(len(gram)) if order is None else order
    added = damping * mean
    for attempt in range(1, doublings + 2):
        inverse = _inverse_factor(gram, dead, added, taken)
        if inverse is not None:
            return Curvature(inverse, taken, dead, added, attempt)
        added = max(2 * added, LEAST * mean)
    raise _refused(f"no Cholesky factor with {damping:g} of its mean diagonal, doubled {doublings} times")


def _inverse_factor(gram: Values, dead: Mask, added: float, order: NDArray[np.intp]) -> Values | None:
    """U of the matrix damped by `added`, or nothing where it is not positive definite in float64."""
    backwards = order[::-1]
    damped = np.asfortranarray(gram[np.ix_(backwards, backwards)])
    places = np.arange(len(gram))
    damped[places, places] += np.where(dead[backwards], 1.0, added)
    lower, failed = POTRF(damped, lower=1, clean=1, overwrite_a=1)
    if failed:
        return None
    inverse, singular = TRTRI(lower, lower=1, overwrite_c=1)
    if singular or not math.isfinite(float(np.abs(inverse).sum())):
        return None
    return np.ascontiguousarray(inverse[::-1, ::-1])


def _refused(label: str) -> Refusal:
    help_ = ("give more rows to calibrate with, or more damping",)
    return Refusal(Diagnostic("E0806", "the curvature of a layer cannot be used", label=label, help=help_), exit_code=3)
