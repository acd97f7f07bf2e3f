"""Scaling: which elements of a weight share a scale, how scales reach them, and what a cut does to them.

There is one scale for all elements, for each index of an axis, or for each run of `group` elements that follow one
another within an index of the axis, its other dimensions row-major; the last run of an index may be shorter.

>>> grid = Affine(4, 0, group=2)
>>> scale_shape(grid, (2, 3)), spread(np.array([[1, 2], [3, 4]]), grid, (2, 3)).tolist()
((2, 2), [[1, 1, 2], [3, 3, 4]])
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from surgdsl.bridge.weight import Array
from surgdsl.diagram.payload import Affine

Indices = Mapping[int, NDArray[np.intp]]
NARROW = np.float16
"""Scales of groups are stored so where all of them are normal numbers of it."""


def rows_of(grid: Affine, shape: tuple[int, ...]) -> tuple[int, int]:
    """How many indices the axis has, and how many elements each of them."""
    rows = 1 if grid.axis < 0 else shape[grid.axis]
    return rows, math.prod(shape) // rows if rows else 0


def scale_shape(grid: Affine, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the scales of a weight: one for each row, or for each group of each row."""
    rows, length = rows_of(grid, shape)
    return (rows, -(-length // grid.group)) if grid.group else (rows,)


def by_row(values: Array, grid: Affine) -> Array:
    """The elements of a weight with the indices of the axis first. Shape [rows, length]."""
    if grid.axis < 0:
        return values.reshape(1, -1)
    return np.moveaxis(values, grid.axis, 0).reshape(values.shape[grid.axis], -1)


def spread(scales: Array, grid: Affine, shape: tuple[int, ...]) -> Array:
    """What each element of a weight has of something that there is once for each scale. Of shape `shape`."""
    rows, length = rows_of(grid, shape)
    found = scales.reshape(rows, -1)
    wide = np.repeat(found, grid.group, axis=1)[:, :length] if grid.group else np.broadcast_to(found, (rows, length))
    if grid.axis < 0:
        return wide.reshape(shape)
    rest = tuple(size for place, size in enumerate(shape) if place != grid.axis)
    return np.moveaxis(wide.reshape(rows, *rest), 0, grid.axis)


def places(grid: Affine, shape: tuple[int, ...]) -> Array:
    """The number of the scale of each element, counted row-major. Of shape `shape`."""
    count = math.prod(scale_shape(grid, shape))
    return spread(np.arange(count, dtype=np.int32 if count < 1 << 31 else np.int64), grid, shape)


def after_cut(grid: Affine, shape: tuple[int, ...], kept: Indices) -> Array | None:
    """Which scale of before each scale has after a cut, counted row-major; None where a group would need two.

    Args:
        grid: the encoding.
        shape: of the weight before the cut.
        kept: indices by dimension.
    """
    if not grid.group:
        return kept.get(grid.axis, np.arange(scale_shape(grid, shape)[0]))
    old = places(grid, shape)
    for dim, index in kept.items():
        old = np.take(old, index, axis=dim)
    new = places(grid, old.shape)
    found = np.zeros(math.prod(scale_shape(grid, old.shape)), dtype=np.intp)
    found[new] = old
    return found if np.array_equal(found[new], old) else None
