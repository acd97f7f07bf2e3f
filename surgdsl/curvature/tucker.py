"""Tucker-2: a kernel that reads few mixtures of its inputs and is mixed to its outputs (Tucker 1966, Kim et al. 2016).

Inputs and outputs are reduced in turn, as in the higher-order orthogonal iteration (De Lathauwer et al. 2000), each as
the data see it: outputs by the strongest directions of what the layer answers, inputs by those of the kernel weighted
with the covariance of its channels; and with the inputs given, the kernel is fitted by least squares.
"""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from surgdsl.curvature.lowrank import whitened
from surgdsl.curvature.solution import Solution, Values, loss

ROUNDS = 3
"""How often both sides are found anew; the best of them counts."""
NEGLIGIBLE = 1e-10
"""Of the largest eigenvalue: directions that are read less are not divided by."""


@frozen(slots=False, eq=False)
class Tucker(Solution):
    """A kernel of rank `outputs` over its outputs and of rank `inputs` over its input channels."""

    outputs: int = field(kw_only=True)
    inputs: int = field(kw_only=True)


def size(shape: tuple[int, int, int], outputs: int, inputs: int) -> int:
    """How many weights a kernel [outputs, channels, positions] has that is written with these ranks.

    A rank that is full has no layer of its own.
    """
    wide, channels, positions = shape
    mixed_in = inputs * channels if inputs < channels else 0
    return mixed_in + outputs * inputs * positions + (outputs * wide if outputs < wide else 0)


def ranks_for(shape: tuple[int, int, int], most: int) -> tuple[int, int]:
    """The largest ranks, in proportion to outputs and channels, with which a kernel has at most `most` weights.

    Or one of them alone, where that leaves more. At least (1, 1).

    >>> ranks_for((64, 32, 9), 64 * 32 * 9 // 2), size((64, 32, 9), 37, 18)
    ((37, 18), 8938)
    """
    wide, channels, _ = shape
    steps = max(wide, channels)
    tried = [(max(1, wide * step // steps), max(1, channels * step // steps)) for step in range(1, steps + 1)]
    alone = [(outputs, channels) for outputs, _ in tried] + [(wide, inputs) for _, inputs in tried]
    fit = [ranks for ranks in dict.fromkeys((*tried, *alone)) if size(shape, *ranks) <= most]
    return max(fit, key=lambda ranks: (min(ranks[0] / wide, ranks[1] / channels), sum(ranks)), default=(1, 1))


def tucker(weight: Values, gram: Values, channels: int, outputs: int, inputs: int) -> Tucker:
    """The kernel of these ranks whose outputs differ least, as far as going round in turn finds it.

    Args:
        weight: float64[o, channels · positions].
        gram: H = Σ x xᵀ over patches, float64[channels · positions, channels · positions].
        channels: the input channels.
        outputs: the rank over outputs, 1 to o.
        inputs: the rank over channels, 1 to `channels`.
    """
    best, least, seen = weight, np.inf, weight
    for _ in range(ROUNDS if inputs < channels else 1):
        fitted = _fitted(weight, gram, channels, _inputs(seen, gram, channels, inputs)) if inputs < channels else weight
        found = whitened(fitted, gram, outputs) if outputs < len(weight) else None
        values = fitted if found is None else found.values
        lost = loss(values - weight, gram)
        if lost < least:
            best, least = values, lost
        seen = weight if found is None else found.left.T @ weight
    return Tucker(weight, gram, best, outputs=outputs, inputs=inputs)


def _inputs(weight: Values, gram: Values, channels: int, rank: int) -> Values:
    """The mixtures of channels that the kernel needs most, float64[channels, rank]."""
    positions = weight.shape[1] // channels
    covariance = np.einsum("ikjk->ij", gram.reshape(channels, positions, channels, positions))
    power, axes = np.linalg.eigh(covariance)
    strong = power > NEGLIGIBLE * power[-1]
    root = np.sqrt(power[strong])
    unfolded = weight.reshape(-1, channels, positions).transpose(1, 0, 2).reshape(channels, -1)
    seen = (axes[:, strong] * root).T @ unfolded
    left, _, _ = np.linalg.svd(seen, full_matrices=False)
    return (axes[:, strong] / root) @ left[:, :rank]


def _fitted(weight: Values, gram: Values, channels: int, mixtures: Values) -> Values:
    """The kernel on these mixtures of its channels whose outputs differ least: X Bᵀ with X = W H B (Bᵀ H B)⁻¹."""
    basis = np.kron(mixtures, np.eye(weight.shape[1] // channels))
    reduced = basis.T @ gram @ basis
    return weight @ gram @ basis @ np.linalg.pinv(reduced, rcond=NEGLIGIBLE, hermitian=True) @ basis.T
