"""BN scale: how strongly a batch norm lets a channel through, which network slimming prunes by (Liu et al. 2017).

Only scales of batch norms are spoken of; a channel that passes through none has no score.
"""

from __future__ import annotations

import numpy as np

from surgdsl.bridge.weight import State
from surgdsl.diagram.operation import PARAM
from surgdsl.formula.tensor import Tensor
from surgdsl.importance.asking import Asked, Primitive

NORM = "aten.batch_norm.default"


def scales(state: State) -> set[str]:
    """The operations that produce the scale of a batch norm."""
    graph = state.net.graph
    norms = [one for one in graph.operations.values() if one.name == NORM and "weight" not in dict(one.attributes)]
    makers = {producer for one in norms for producer in graph.producers[one.sources[1]]}
    return {name for name in makers if graph.operations[name].name == PARAM}


def magnitude(asked: Asked) -> list[Tensor]:
    """|γ| of each channel."""
    return [one.seen.tensor(np.abs(weight)) for one, weight in zip(asked.slices, asked.weights(), strict=True)]


BN_SCALE = Primitive("bn_scale", magnitude, speaks=scales)
