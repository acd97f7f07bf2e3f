"""Neutralise, then cut: the two sides of the soundness of a cut, on the weights of a net.

Neutralising keeps every shape and puts zero wherever a weight has a position that the cut takes away.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve

from surgdsl.axis.dim import Axis, Indices, axes, kept, whole
from surgdsl.bridge.encoding import dense
from surgdsl.bridge.weight import Array, State, Weight
from surgdsl.operations.coupling import Coupling
from surgdsl.surgery.prune import Cutting

Keep = dict[Axis, Indices]


def neutralised(state: State, coupling: Coupling, keep: Keep) -> State:
    """The state with zero in every weight at the positions that `keep` takes away."""
    operations = state.net.graph.operations
    weights: dict[str, Weight] = {}
    for name, weight in state.weights.items():
        values: Array = weight.parts["values"].copy()
        for place, dim in enumerate(coupling.dims[operations[name].targets[0]]):
            if set(axes(dim)) & set(keep):
                gone = np.setdiff1d(np.arange(whole(dim)), kept(dim, keep))
                np.moveaxis(values, place, 0)[gone] = 0
        weights[name] = dense(values, weight.dtype)
    return evolve(state, weights=weights)


def cut(state: State, coupling: Coupling, keep: Keep) -> State:
    """The state without those positions, by one rewrite."""
    return Cutting(state, coupling, keep).carry_out(0)[1]


def choices(chosen: tuple[Axis, ...]) -> list[Keep]:
    """One, half, and all but one of each axis; then the same of all axes together."""
    random = np.random.default_rng(3)

    def some(axis: Axis, share: int) -> Indices:
        assert isinstance(axis.size, int)
        count = {0: 1, 1: max(1, axis.size // 2), 2: max(1, axis.size - 1)}[share]
        return np.sort(random.permutation(axis.size)[:count])

    alone: list[Keep] = [{axis: some(axis, share)} for axis in chosen for share in (0, 1, 2)]
    return alone + [{axis: some(axis, share) for axis in chosen} for share in (0, 1, 2) if len(chosen) > 1]


def apart(found: tuple[Array, ...], wanted: tuple[Array, ...]) -> float:
    """The largest difference relative to the largest value; infinite where shapes differ or a value is not finite."""
    differences: list[float] = []
    for one, other in zip(found, wanted, strict=True):
        if one.shape != other.shape or not np.isfinite(one).all():
            return float("inf")
        differences.append(float(np.abs(one - other).max() / np.abs(other).max()))
    return max(differences)


def degenerate(found: tuple[Array, ...]) -> bool:
    """Whether some output is close to constant, so that a comparison would show nothing."""
    return any(float(one.std()) < 1e-3 * (1 + float(np.abs(one).max())) for one in found)
