"""Singular values: the one function of tensors that is neither elementwise nor a sum.

Its bits depend on the library that computes it; whoever relies on it checks the bound that comes with it, not its bits.
"""

from __future__ import annotations

import numpy as np

from surgdsl.formula.fields import Undefined
from surgdsl.formula.tensor import Tensor


def spectral(part: str, matrix: Tensor, rank: int, axis: str) -> Tensor:
    """A part of the truncated decomposition: rows are the first axis of `matrix`, columns all others.

    W ≈ left·right, the best approximation of that rank in the spectral norm, off by the singular value number rank + 1
    (Eckart and Young 1936). The signs are those that make the largest entry of each left vector positive.

    >>> w = Tensor(("i", "j"), np.diag([3.0, 2.0]))
    >>> spectral("sigma", w, 2, "").values.round(9).item(), spectral("sigma", w, 3, "").values.item()
    (2.0, 0.0)
    >>> left, right = spectral("left", w, 1, "r"), spectral("right", w, 1, "r")
    >>> left.axes, right.axes, (left.values @ right.values).round(9).tolist()
    (('i', 'r'), ('r', 'j'), [[3.0, 0.0], [0.0, 0.0]])

    Raises:
        Undefined: the matrix has no rows, is not finite, or has no such rank.
    """
    if not matrix.axes or rank < 1 or not matrix.values.size or not np.isfinite(matrix.values).all():
        raise Undefined(f"the {part} number {rank} of such a matrix")
    flat = matrix.values.reshape(matrix.values.shape[0], -1)
    if part == "sigma":
        values = np.linalg.svd(flat, compute_uv=False)
        return Tensor((), np.array(values[rank - 1] if rank <= len(values) else 0.0))
    if rank > min(flat.shape):
        raise Undefined(f"a matrix of {flat.shape[0]} by {flat.shape[1]} has no rank {rank}")
    left, values, right = np.linalg.svd(flat, full_matrices=False)
    signs = np.where(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])] < 0, -1.0, 1.0)
    half = np.sqrt(values[:rank])
    if part == "left":
        return Tensor((matrix.axes[0], axis), left[:, :rank] * (signs[:rank] * half))
    cut = (right[:rank].T * (signs[:rank] * half)).T
    return Tensor((axis, *matrix.axes[1:]), cut.reshape(rank, *matrix.values.shape[1:]))
