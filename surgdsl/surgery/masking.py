"""Masking: which elements stay when exactly so many may, or so many of each row, of neighbours or of tiles.

The count is what a plan promises, so ties are broken by position and never by chance. A weight is seen as a matrix of
its rows, dimension 0, over all others; neighbours are along dimension 1, what a layer reads, at one kernel position.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surgdsl.curvature.pattern import Few, Pattern, Share, Tiles


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


def keep(scores: NDArray[Any], pattern: Pattern, stored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which elements stay by a pattern, of those that are still stored.

    Args:
        scores: of the shape of the weight, none of them NaN; the largest stay.
        pattern: how many, and among which.
        stored: of the same shape.
    """
    if isinstance(pattern, Share) and pattern.scope == "layer":
        return keep_largest(np.where(stored, scores, -np.inf), pattern.count) & stored
    order = columns(pattern, scores.shape)
    absent = 0.0 if isinstance(pattern, Tiles) else -np.inf
    matrix = np.where(stored, scores, absent).astype(np.float64).reshape(len(scores), -1)[:, order]
    chosen = np.empty(matrix.shape, dtype=np.bool_)
    chosen[:, order] = pattern.kept(matrix, 0, matrix.shape[1])
    return chosen.reshape(scores.shape) & stored


def columns(pattern: Pattern, shape: Sequence[int]) -> NDArray[np.intp]:
    """In which order the columns of a weight are taken: neighbours along dimension 1 stand beside each other.

    >>> columns(Few(1, 2), (8, 2, 3)).tolist(), columns(Share(4), (8, 2, 3)).tolist()
    ([0, 3, 1, 4, 2, 5], [0, 1, 2, 3, 4, 5])
    """
    wide = math.prod(shape[1:])
    every = np.arange(wide)
    return every.reshape(shape[1], -1).T.reshape(-1) if isinstance(pattern, Few) else every


def room(pattern: Pattern, shape: Sequence[int]) -> int:
    """How many elements of a weight of this shape stay at most."""
    match pattern:
        case Few(count, of):
            whole, rest = divmod(shape[1], of)
            return math.prod(shape) // shape[1] * (whole * count + min(rest, count))
        case Tiles(count, height, wide):
            return min(math.prod(shape), count * height * wide)
        case _:
            assert isinstance(pattern, Share)
            return pattern.count


def spelled(pattern: Pattern | None) -> str:
    """The pattern as people write it; empty where any element may stay.

    >>> spelled(Few(2, 4)), spelled(Tiles(9, 4, 1)), spelled(Share(3))
    ('2:4', '4x1', '')
    """
    match pattern:
        case Few(count, of):
            return f"{count}:{of}"
        case Tiles(_, height, wide):
            return f"{height}x{wide}"
        case _:
            return ""


def stated(pattern: Pattern | None) -> dict[str, list[int]]:
    """The pattern as a certificate has it.

    >>> stated(Few(2, 4)), stated(Tiles(9, 4, 1)), stated(Share(3))
    ({'few': [2, 4]}, {'tile': [4, 1]}, {})
    """
    match pattern:
        case Few(count, of):
            return {"few": [count, of]}
        case Tiles(_, height, wide):
            return {"tile": [height, wide]}
        case _:
            return {}
