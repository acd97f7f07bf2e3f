"""nnz/1: elements of all decoded weights that are not zero.

Decided on bits and not by comparison, so that −0.0 is zero, NaN is not, and no floating-point mode can flush a small
number away.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surgdsl.bridge.encoding import codes, kept, stored
from surgdsl.bridge.paging import release, runs
from surgdsl.bridge.scaling import spread
from surgdsl.bridge.weight import Array, Weight
from surgdsl.diagram.net import Net
from surgdsl.diagram.operation import Operation
from surgdsl.diagram.payload import Affine, Codebook, Dense, Masked, innermost

ID = "nnz/1"
SIGNLESS = ("U8", "BOOL")


def contribution(_operation: Operation, _net: Net, weight: Weight | None, _binding: Mapping[str, int]) -> int:
    """Elements with a bit set besides the sign; what a mask leaves out is zero and is not looked at."""
    return nonzero(weight) if weight else 0


def nonzero(weight: Weight) -> int:
    """Elements of one weight that are not zero.

    >>> from surgdsl.bridge.encoding import dense
    >>> nonzero(dense(np.array([0.0, -0.0, 1e-45, np.nan], dtype=np.float32)))
    2
    """
    found = _counted(weight)
    for part in weight.parts.values():
        release(part)
    return found


def _counted(weight: Weight) -> int:
    match innermost(weight.encoding):
        case Codebook():
            something = weight.parts["codebook"] != 0
            return sum(int(np.count_nonzero(something[run])) for run in runs(codes(weight)))
        case Affine() as grid:  # a scale is above zero, so the zero point alone decodes to zero
            return int(np.count_nonzero(codes(weight) != _zeros(weight, grid)))
        case Dense():
            values = stored(weight)
            return sum(_nonzero(run, signed=weight.dtype not in SIGNLESS) for run in runs(values))


def _zeros(weight: Weight, grid: Affine) -> Array:
    """The zero point of each stored element, or the one of all."""
    if grid.symmetric:
        return np.full(1, grid.middle, dtype=np.uint8)
    wide = spread(weight.parts["zero"], grid, weight.shape)
    return wide[kept(weight)] if isinstance(weight.encoding, Masked) else wide.reshape(-1)


def _nonzero(values: Array, *, signed: bool) -> int:
    width = values.dtype.itemsize
    bits = values.view(f"<u{width}")
    return int(np.count_nonzero(bits & bits.dtype.type((1 << 8 * width - 1) - 1) if signed else bits))
