"""Masking: which elements stay when exactly so many may.

The count is what a plan promises, so ties are broken by position and never by chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def keep_largest(scores: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """A mask, in the shape of `scores`, of the `count` largest; among equals the lower row-major index stays.

    >>> keep_largest(np.array([1, 3, 1, 2]), 3).tolist()
    [True, True, False, True]

    Args:
        scores: numbers, none of them NaN.
        count: 0 to the number of elements.
    """
    flat = scores.reshape(-1)
    assert 0 <= count <= flat.size
    assert not np.isnan(flat).any()
    mask = np.zeros(flat.size, dtype=np.bool_)
    if count:
        least = np.partition(flat, flat.size - count)[flat.size - count]
        mask[flat > least] = True
        mask[np.flatnonzero(flat == least)[: count - np.count_nonzero(mask)]] = True
    return mask.reshape(scores.shape)
