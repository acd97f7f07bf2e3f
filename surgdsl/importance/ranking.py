"""Rankings: scores, and the natural numbers that a certificate can hold in their place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""One score for each index of an axis; larger is worth more."""


def naturals(scores: Scores) -> tuple[int, ...]:
    """Scores as naturals in parts per billion of the largest, so that a ranking can be checked without floats.

    >>> naturals(np.array([0.5, 1.0, 0.0]))
    (500000000, 1000000000, 0)
    """
    shifted = scores - min(0.0, float(scores.min(initial=0.0)))
    largest = float(shifted.max(initial=0.0))
    return tuple(int(value) for value in np.rint(shifted / largest * 1e9)) if largest > 0 else (0,) * len(scores)
