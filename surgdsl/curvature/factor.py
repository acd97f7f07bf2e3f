"""Factors: the upper Cholesky factor of a damped Gram matrix, from which all second-order solvers work.

A matrix that cannot be factored is never worked around in silence: the damping doubles, every attempt is counted, and
after the last one there is an error.
"""

from __future__ import annotations

import math
from functools import cached_property

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


@frozen(slots=False, eq=False)
class Curvature:
    """H = R Rᵀ for the damped Gram matrix H of a layer, its rows and columns in `order`.

    Its inverse U is the factor that the literature works with, H⁻¹ = UᵀU.
    """

    root: Values
    """R, float64[d, d], zero below the diagonal."""
    order: NDArray[np.intp]
    """Which input each row of R belongs to, intp[d]."""
    dead: Mask
    """Which inputs were zero in every row of the data, bool[d], in the order of the inputs."""
    damping: float
    """What was added to the diagonal."""
    attempts: int
    """How many factorizations were tried; the damping doubled after each that failed."""

    @cached_property
    def upper(self) -> Values:
        """U = R⁻¹, float64[d, d], zero below the diagonal."""
        inverse, _ = TRTRI(self.root.T, lower=1)
        return inverse.T

    @cached_property
    def inverse(self) -> Values:
        """H⁻¹ in `order`, float64[d, d]."""
        return self.upper.T @ self.upper


def curvature(
    gram: Values, damping: float = DAMPING, order: NDArray[np.intp] | None = None, doublings: int = DOUBLINGS
) -> Curvature:
    """Damp a Gram matrix and factor it.

    With J the reversal of the order, J H J = L Lᵀ gives H = R Rᵀ for the upper triangle R = J L J, and U is its
    inverse: H⁻¹ is not formed on the way, which saves time and digits.

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
    if not math.isfinite(float(gram.sum())) or bool((diagonal < 0.0).any()):
        raise _refused("what the layer reads is not finite")
    mean = float(diagonal[~dead].mean()) if not dead.all() else 1.0
    taken = np.arange(len(gram)) if order is None else order
    added = damping * mean
    for attempt in range(1, doublings + 2):
        root = _root(gram, dead, added, order)
        if root is not None:
            return Curvature(root, taken, dead, added, attempt)
        added = max(2 * added, LEAST * mean)
    raise _refused(f"no Cholesky factor with {damping:g} of its mean diagonal, doubled {doublings} times")


def _root(gram: Values, dead: Mask, added: float, order: NDArray[np.intp] | None) -> Values | None:
    """R of the matrix damped by `added`, or nothing where it is not positive definite in float64."""
    places = np.arange(len(gram))
    backwards = places[::-1] if order is None else order[::-1]
    damped = gram[::-1, ::-1].copy() if order is None else gram[backwards][:, backwards]
    damped[places, places] += np.where(dead[backwards], 1.0, added)
    lower, failed = POTRF(damped.T, lower=1, clean=1, overwrite_a=1)  # symmetric: the transpose is laid as LAPACK wants
    return None if failed else lower[::-1, ::-1].copy()


def _refused(label: str) -> Refusal:
    help_ = ("give more rows to calibrate with, or more damping",)
    return Refusal(Diagnostic("E0806", "the curvature of a layer cannot be used", label=label, help=help_), exit_code=3)
