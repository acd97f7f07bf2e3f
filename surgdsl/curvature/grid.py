"""GPTQ: weights rounded to a grid, the columns that follow made up for each (Frantar et al. 2023).

The grid is given and stays: scales and zero points per row and group of columns, found before any column moves ("static
groups"), so that the columns may be taken in any order, those that are read most strongly first ("act-order").
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from surgdsl.curvature.factor import DAMPING
from surgdsl.curvature.levels import Nearest, Order, fixed
from surgdsl.curvature.solution import Solution, Values
from surgdsl.curvature.sweep import DESCENTS


@frozen(eq=False)
class Grid:
    """The values scale·(code − zero) for codes from 0 to 2^bits − 1, for every row and group of columns."""

    bits: int
    scale: Values
    """float64[o, g] or [1, g], positive."""
    zero: Values
    """float64[o, g] or [1, g], whole numbers; 2^(bits − 1) everywhere for a symmetric grid."""
    group: NDArray[np.intp]
    """Which group each column is in, intp[d]."""

    def nearest(self, weight: Values) -> Values:
        """The nearest value of the grid to each element, float64[o, d]; ties to the even code."""
        found = np.empty_like(weight)
        for group in np.unique(self.group):
            columns = np.flatnonzero(self.group == group)
            where = slice(columns[0], columns[-1] + 1) if columns[-1] - columns[0] + 1 == len(columns) else columns
            scale, zero = self.scale[:, group, None], self.zero[:, group, None]
            codes = np.rint(weight[:, where] / scale)
            np.clip(codes, -zero, (1 << self.bits) - 1 - zero, out=codes)
            found[:, where] = np.multiply(codes, scale, out=codes)
        return found


def ranged(weight: Values, bits: int, group: int = 0, *, symmetric: bool = False) -> Grid:
    """The grid over the range of each row, or of each `group` of columns of it; zero is always a value of it.

    Args:
        weight: float64[o, d].
        bits: 1 to 8; 2 to 8 for a symmetric one.
        group: how many neighbouring columns share a scale; 0 for whole rows.
        symmetric: the zero point is in the middle.
    """
    width = group or weight.shape[1]
    starts = np.arange(0, weight.shape[1], width)
    low = np.minimum(np.minimum.reduceat(weight, starts, axis=1), 0.0)
    high = np.maximum(np.maximum.reduceat(weight, starts, axis=1), 0.0)
    top = (1 << bits) - 1
    reach = np.maximum(-low, high) * 2 if symmetric else high - low
    scale = np.where(reach > 0.0, reach / top, 1.0)
    zero = np.full_like(scale, (top + 1) / 2) if symmetric else np.clip(np.rint(-low / scale), 0, top)
    return Grid(bits, scale, zero, np.arange(weight.shape[1]) // width)


def on_grid(grid: Grid) -> Nearest:
    """The nearest value of a grid; ties to the even code."""
    scale, zero = np.ascontiguousarray(grid.scale.T), np.ascontiguousarray(grid.zero.T)
    low, high = -zero, float((1 << grid.bits) - 1) - zero
    groups: list[int] = grid.group.tolist()

    def nearest(column: int, values: Values) -> Values:
        group = groups[column]
        found = np.rint(values / scale[group])
        np.maximum(found, low[group], out=found)
        np.minimum(found, high[group], out=found)
        return np.multiply(found, scale[group], out=found)

    return nearest


def gptq(
    weight: Values,
    gram: Values,
    grid: Grid,
    order: Order = "activation",
    damping: float = DAMPING,
    descents: int = DESCENTS,
) -> Solution:
    """Round a weight to a grid, every column making up for those before it; see `fixed`.

    Raises:
        Refusal: E0806, see `curvature`.
    """
    return fixed(weight, gram, on_grid(grid), order, damping, descents)
