"""OBS: what a layer's answer loses when a weight goes and the others of its row make up for it (Hassibi, Stork 1993).

w² / 2 [H⁻¹]_pp with the Gram matrix H of what the layer reads, damped (Frantar and Alistarh 2022, equation 3). Layers
that multiply rows or patches with a weight are spoken of; for a weight of several, what all of them read is added up.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from surgdsl.bridge.weight import State
from surgdsl.curvature.factor import curvature
from surgdsl.curvature.gram import grams
from surgdsl.curvature.layer import Layer, layers
from surgdsl.curvature.solution import Values
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive


def damage(asked: Asked) -> list[Tensor]:
    """w_p² / 2 [H⁻¹]_pp for each element; 0 where its input is always 0."""
    readers: dict[str, tuple[Layer, ...]] = {
        one.operation: layers(asked.state.net, one.operation) or () for one in asked.slices
    }
    found = grams(asked.state, asked.data, [layer for read in readers.values() for layer in read])
    scores, damping = dict[str, Values](), asked.number("damping")
    for one, weight in zip(asked.slices, asked.weights(), strict=True):
        read = readers[one.operation]
        if one.base not in scores:
            moments = np.sum([found[layer.name].moment for layer in read], axis=0)
            scores[one.base] = _scores(weight, read[0], moments, damping)
    return asked.laid(scores)


def _scores(weight: Values, first: Layer, moments: Values, damping: float) -> Values:
    made = first.matrices(weight) ** 2
    for group, moment in enumerate(moments):
        here = curvature(moment, damping)
        inverse = np.empty(len(moment))
        inverse[here.order] = np.einsum("kj,kj->j", here.upper, here.upper)  # H⁻¹ = UᵀU
        made[group] = np.where(here.dead, 0.0, made[group] / (2 * inverse))
    return first.tensor(made)


def multiplied(state: State) -> Collection[str]:
    """The operations that produce a weight which layers multiply with what they read."""
    return [name for name in state.net.params() if layers(state.net, name)]


OBS = Primitive("obs", damage, speaks=multiplied)
