"""Solutions: the values that a solver proposes for a layer, and how far the outputs of the layer move with them.

The loss of values V is tr((V − W) H (V − W)ᵀ), the squared change of the layer's outputs summed over all rows, with the
Gram matrix H = Σ x xᵀ as it was measured, without damping.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


def loss(change: Values, gram: Values) -> float:
    """tr(Δ H Δᵀ): how much the outputs move in all, squared, where the weight moves by Δ.

    >>> loss(np.array([[1.0, 0.0]]), np.array([[4.0, 1.0], [1.0, 9.0]]))
    4.0

    Args:
        change: float64[o, d].
        gram: float64[d, d], symmetric and positive semidefinite.
    """
    return max(0.0, float(np.vdot(change @ gram, change)))


def relative_error(weight: Values, values: Values, gram: Values) -> float:
    """tr((V − W) H (V − W)ᵀ) / tr(W H Wᵀ); infinite where a layer that answered nothing now answers something."""
    lost, whole = loss(values - weight, gram), loss(weight, gram)
    if lost == 0.0:
        return 0.0
    return lost / whole if whole > 0.0 else math.inf


@frozen(slots=False, eq=False)
class Solution:
    """What a solver proposes for a weight, with the facts that a certificate records.

    `damping` is what was added to the diagonal of the Gram matrix, `attempts` how many factorizations it took, `dead`
    how many inputs were zero in every row; the weights that read them are zero.
    """

    weight: Values
    """float64[o, d], as it was."""
    gram: Values
    """float64[d, d], as it was measured."""
    values: Values
    """float64[o, d], proposed."""
    damping: float = 0.0
    attempts: int = 1
    dead: int = 0

    @cached_property
    def error(self) -> float:
        """The relative error of the outputs, see `relative_error`."""
        return relative_error(self.weight, self.values, self.gram)
