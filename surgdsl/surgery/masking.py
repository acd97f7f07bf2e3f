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

RUN = 1 << 18
"""Scores that are looked at a time."""


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
    mask = np.zeros(flat.size, dtype=np.bool_)
    if count:
        least = smallest(flat, flat.size - count)
        np.greater(flat, least, out=mask)
        left = count - int(np.count_nonzero(mask))
        for start in range(0, flat.size if left else 0, RUN):
            equal = np.flatnonzero(flat[start : start + RUN] == least)[:left]
            mask[start + equal] = True
            left -= len(equal)
    return mask.reshape(scores.shape)


def smallest(flat: NDArray[Any], rank: int) -> float:
    """The number before which `rank` others stand when all are sorted, without sorting or copying them.

    Numbers are mapped to naturals of the same order and counted by their leading 16 bits, then, among those that share
    these, by the next (radix selection).

    >>> numbers = np.array([3.5, -1.0, -0.0, 0.0, np.inf])
    >>> [smallest(numbers, rank) for rank in range(5)]
    [-1.0, 0.0, 0.0, 3.5, inf]
    """
    if flat.dtype.kind != "f":
        return np.partition(flat, rank)[rank].item()
    width, prefix = 8 * flat.itemsize, 0
    for low in range(width - 16, -1, -16):
        counts = np.zeros(1 << 16, dtype=np.int64)
        for start in range(0, flat.size, RUN):
            keys = _ordered(flat[start : start + RUN])
            keys = keys[keys >> keys.dtype.type(low + 16) == prefix] if low + 16 < width else keys
            counts += np.bincount(
                ((keys >> keys.dtype.type(low)) & keys.dtype.type(0xFFFF)).astype(np.intp), None, 1 << 16
            )
        place = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
        rank -= int(counts[:place].sum())
        prefix = prefix << 16 | place
    sign = 1 << (width - 1)
    bits = prefix ^ sign if prefix & sign else ~prefix & (2 * sign - 1)
    return float(np.array([bits], dtype=f"u{flat.itemsize}").view(flat.dtype)[0])


def _ordered(numbers: NDArray[Any]) -> NDArray[Any]:
    """Naturals in the order of the numbers, none of them NaN; both zeros are one."""
    assert not np.isnan(numbers).any()
    keys = (numbers + numbers.dtype.type(0)).view(f"u{numbers.itemsize}")  # −0.0 + 0.0 is 0.0
    sign = keys.dtype.type(1 << (8 * numbers.itemsize - 1))
    keys[keys < sign] |= sign
    negative = np.signbit(numbers) & (numbers != 0)
    keys[negative] = ~keys[negative]
    return keys


def keep(scores: NDArray[Any], pattern: Pattern, stored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which elements stay by a pattern, of those that are still stored.

    Args:
        scores: of the shape of the weight, none of them NaN; the largest stay.
        pattern: how many, and among which.
        stored: of the same shape.
    """
    if isinstance(pattern, Share) and pattern.scope == "layer":
        present = scores if stored.all() else np.where(stored, scores, -np.inf)
        return keep_largest(present, pattern.count) & stored
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
